"""requirements.txt, the customer's own way in, says what the lock file says."""

from pathlib import Path
from subprocess import run

ROOT = Path(__file__).resolve().parents[2]


def test_requirements_are_what_the_lock_file_exports(tmp_path):
    exported = tmp_path / "requirements.txt"

    run(["make", "requirements", f"REQUIREMENTS={exported}"], cwd=ROOT, check=True)

    assert (ROOT / "requirements.txt").read_text() == exported.read_text()


def test_requirements_name_no_host_and_end_with_ourselves():
    text = (ROOT / "requirements.txt").read_text()

    assert "//" not in text
    assert text.endswith("\n-e .\n")
