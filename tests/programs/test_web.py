"""The pages by themselves, as they run beside gateways and workers."""

import time
from collections.abc import Callable
from threading import Event

import pytest
from flask_migrate import upgrade

from evcharge import app as web_program
from evcharge.app import create_app
from evcharge.kernel.hints import ValkeyHints, hints_between
from evcharge.kernel.live import announce
from evcharge.kernel.settings import Settings
from evcharge.web.context import database
from evcharge.wiring import open_database
from program import Program
from real_valkey import real_valkey

PATIENCE_SECONDS = 20


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[ValkeyHints]:
    """What the program under test has started; stopped when the test ends."""
    made: list[ValkeyHints] = []

    class Kept(ValkeyHints):
        def start(self) -> None:
            made.append(self)
            super().start()

    monkeypatch.setattr(web_program, "ValkeyHints", Kept)
    monkeypatch.setattr(web_program, "set_up_logs", lambda: None)
    return made


def test_what_the_pages_change_reaches_watchers_elsewhere(
    made: list[ValkeyHints],
    environment: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard = Event()
    with real_valkey() as valkey:
        url = f"redis://{valkey.host}:{valkey.port}/0"
        for name, value in environment(valkey_url=url).items():
            monkeypatch.setenv(name, value)
        with hints_between(url, lambda topics: heard.set()):
            app = web_program.wsgi()
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not heard.wait(0.1) and time.monotonic() < deadline:
                with database(app).transaction() as session:
                    announce(session, "location:7")
        for hints in made:
            hints.stop()

    assert heard.is_set()


def test_several_processes_serve_one_postgresql(
    start: Callable[..., Program],
    postgresql: Callable[[], str],
    new_settings: Callable[..., Settings],
) -> None:
    url = postgresql()
    opened = open_database(new_settings(database_url=url))
    with create_app(new_settings(database_url=url), opened).app_context():
        upgrade()
    opened.engine.dispose()

    web = start("web", "--workers", "2", database_url=url).wait_for("/readyz")

    assert [web.get("/")[0] for _ in range(6)] == [200] * 6
    assert web.stop()[0] == 0
