"""The customer's own way: pip install -r requirements.txt, then python app.py."""

import subprocess
import sys

import pytest

from tooling.conftest import Browser, stranger


@pytest.mark.timeout(400)
@pytest.mark.xdist_group("fresh clones")
def test_pip_install_and_python_app_py_serve_the_demo(clone, start):
    python = clone.parent / "venv" / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", python.parents[1]],
        [python, "-m", "pip", "install", "--quiet", "-r", "requirements.txt"],
    ):
        subprocess.run(command, cwd=clone, env=stranger(), check=True)

    demo = start(str(python), "app.py")
    demo.wait_until_ready(seconds=90)

    assert Browser(demo.url).status("/healthz") == 200
    assert Browser(demo.url).status("/") == 200
    assert demo.url in demo.printed
