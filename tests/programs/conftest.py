"""Programs in a folder and an environment of their own."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from flask_migrate import upgrade

from evcharge.app import create_app
from evcharge.kernel.settings import Settings
from evcharge.wiring import open_database
from program import EVCHARGE, Program, free_port

SECRET = "0123456789-abcdefgh-ABCDEFGH-xyz"

Start = Callable[..., Program]


@pytest.fixture
def environment(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """An environment of nothing but these settings."""

    def create(**given: object) -> dict[str, str]:
        settings = {"data_dir": tmp_path / "data", "secret_key": SECRET} | given
        ours = {
            f"EVCHARGE_{name.upper()}": str(value)
            for name, value in settings.items()
            if value is not None
        }
        return {"PATH": os.environ["PATH"]} | ours

    return create


@pytest.fixture
def start(
    environment: Callable[..., dict[str, str]], tmp_path: Path
) -> Iterator[Start]:
    """Starts a program that goes on until the test ends, at any port or a given one."""
    with ExitStack() as stack:

        def begin(*words: str, port: int | None = None, **settings: object) -> Program:
            port = port or free_port()
            log = tmp_path / f"{words[0]}-{port}.log"
            file = stack.enter_context(log.open("a"))
            process = subprocess.Popen(
                [EVCHARGE, *words],
                env=environment(port=port, **settings),
                cwd=tmp_path,
                stdout=file,
                stderr=file,
                text=True,
                start_new_session=True,  # So that its own children end with it.
            )
            stack.callback(_kill, process)
            return Program(process, port, log)

        yield begin


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def migrated(new_settings: Callable[..., Settings], tmp_path: Path) -> None:
    """The folder of this test has a database with its tables."""
    settings = new_settings(data_dir=tmp_path / "data")
    (tmp_path / "data").mkdir()
    database = open_database(settings)
    with create_app(settings, database).app_context():
        upgrade()
    database.engine.dispose()


@pytest.fixture
def migrate(new_settings: Callable[..., Settings]) -> Callable[[str], None]:
    """Makes the tables of an empty database."""

    def make_tables(url: str) -> None:
        settings = new_settings(database_url=url)
        database = open_database(settings)
        with create_app(settings, database).app_context():
            upgrade()
        database.engine.dispose()

    return make_tables


@pytest.fixture
def shared_url(postgresql: Callable[[], str], migrate: Callable[[str], None]) -> str:
    """Leads to a PostgreSQL database with its tables, for several programs at once."""
    url = postgresql()
    migrate(url)
    return url
