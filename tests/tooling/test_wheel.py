"""The wheel carries all that a server without a checkout needs, and runs alone."""

import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import run
from zipfile import ZipFile

import pytest

from tooling.conftest import Browser, Demo, free_port, stranger

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel made now."""
    folder = tmp_path_factory.mktemp("dist")
    run(["make", "wheel", f"DIST={folder}"], cwd=ROOT, check=True)
    [wheel] = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def packed(wheel):
    """The names of the files in it."""
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment with nothing else in it."""
    environment = tmp_path_factory.mktemp("alone") / "venv"
    run([sys.executable, "-m", "venv", environment], check=True)
    run(
        [uv(), "pip", "install", "--quiet", f"{wheel}[postgres,valkey,web]"],
        cwd=environment.parent,
        env=stranger() | {"VIRTUAL_ENV": str(environment)},
        check=True,
    )
    return environment / "bin"


def uv() -> str:
    """Return the one that built the wheel; pip needs a minute for the same."""
    ours = ROOT / ".uv" / "bin" / "uv"
    return str(ours) if ours.exists() else "uv"


@pytest.fixture(scope="module")
def demo(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    command = [str(installed / "evcharge"), "demo"]
    demo = Demo(command, folder, folder / "data", free_port())
    demo.wait_until_ready(seconds=90)
    yield demo
    demo.stop()


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


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("fresh clones")
def test_somebody_books_with_nothing_but_the_wheel(demo: Demo) -> None:
    driver = Browser(demo.url)
    driver.submit("/login", email="driver@example.com", password="charge-demo-1")
    tomorrow = datetime.now(UTC) + timedelta(days=1, hours=5.5)

    picker = f"/evses/1/book?day={tomorrow:%Y-%m-%d}&minutes=30"
    *_, last = re.findall(r'value="(20[^"]+Z)"(?![^>]*disabled)', driver.get(picker))

    driver.submit("/evses/1/book", starts_at=last, minutes="30", key="from-the-wheel")

    assert re.search(f'value="{last}"[^>]*data-gone="yours"', driver.get(picker))
    assert 'href="/bookings/' in driver.get("/bookings")


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("fresh clones")
def test_what_a_page_loads_is_in_the_wheel(demo: Demo) -> None:
    page = Browser(demo.url).get("/")

    loads = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page))

    assert len(loads) > 3
    assert {Browser(demo.url).status(path) for path in loads} == {200}


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("fresh clones")
def test_every_extra_is_complete(installed: Path) -> None:
    modules = "import granian, psycopg, redis; psycopg.pq.version()"

    run([installed / "python", "-c", modules], check=True, stdout=subprocess.DEVNULL)
