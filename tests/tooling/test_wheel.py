"""The wheel carries all that a server without a checkout needs."""

from pathlib import Path
from subprocess import run
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The names of the files in a wheel made now."""
    folder = tmp_path_factory.mktemp("dist")
    run(["make", "wheel", f"DIST={folder}"], cwd=ROOT, check=True)
    [wheel] = folder.glob("*.whl")
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize(
    "pattern",
    [
        "evcharge/web/static/vendor/*.*",
        "evcharge/**/templates/**/*.html",
        "evcharge/migrations/versions/*.py",
        "evcharge/py.typed",
    ],
)
def test_the_wheel_has_every_file_of_a_kind(packed, pattern):
    wanted = {str(path.relative_to(SOURCE)) for path in SOURCE.glob(pattern)}

    assert wanted
    assert wanted <= packed


def test_the_wheel_has_the_licences(packed):
    licences = {name.partition("/licenses/")[2] for name in packed} - {""}

    assert licences == {"LICENSE", "NOTICE"}
