"""The pages by themselves, as they run beside gateways and workers."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from http.client import HTTPException
from threading import Event, Thread

import pytest
from sqlalchemy import Connection, create_engine, text

from evcharge import app as web_program
from evcharge.kernel.hints import ValkeyHints, hints_between
from evcharge.kernel.live import announce
from evcharge.web.context import database
from program import EVCHARGE, Program, free_port
from real_valkey import real_valkey
from visitor import Visitor

PATIENCE_SECONDS = 20
LONGEST_STOP_SECONDS = 8


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


def workers_of(web: Program) -> set[int]:
    """Return the process ids of what answers."""
    listing = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(web.process.pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return {int(pid) for pid in listing.stdout.split()}


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def somebody_waits(connection: Connection) -> bool:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    return bool(connection.scalar(text(waiting)))


def answers(web: Program) -> bool:
    try:
        return web.get("/")[0] == 200
    except OSError:  # It had already gone to the one that was killed.
        return False


def test_several_processes_serve_one_postgresql(
    start: Callable[..., Program], shared_url: str
) -> None:
    web = start("web", "--workers", "2", database_url=shared_url).wait_for("/readyz")

    assert [web.get("/")[0] for _ in range(6)] == [200] * 6
    assert len(workers_of(web)) == 2
    assert web.stop()[0] == 0


@pytest.mark.parametrize("number", [1, 2])
def test_a_worker_that_is_killed_is_replaced(
    start: Callable[..., Program], shared_url: str, number: int
) -> None:
    web = start("web", "--workers", str(number), database_url=shared_url).wait_for(
        "/readyz"
    )
    before = workers_of(web)

    killed = min(before)
    os.kill(killed, signal.SIGKILL)

    wait_until(lambda: len(workers_of(web) - {killed}) == number and answers(web))
    assert [web.get("/")[0] for _ in range(6)] == [200] * 6
    code, seconds = web.stop()
    assert (code, seconds < LONGEST_STOP_SECONDS) == (0, True)


def test_a_request_that_hangs_does_not_delay_the_stop_of_many(
    start: Callable[..., Program], shared_url: str
) -> None:
    web = start("web", "--workers", "2", database_url=shared_url).wait_for("/healthz")
    refused: list[Exception] = []
    engine = create_engine(shared_url)

    def sign_up() -> None:
        try:
            Visitor(web).sign_up()
        except (HTTPException, OSError) as error:
            refused.append(error)

    with engine.connect() as connection:
        # Each try to write waits for two seconds, and there are eight of them.
        connection.execute(text("LOCK TABLE users IN SHARE MODE"))
        asking = Thread(target=sign_up)
        asking.start()
        wait_until(lambda: somebody_waits(connection))
        code, seconds = web.stop()
        asking.join()
    engine.dispose()

    assert (code, refused != []) == (0, True), web.said()
    assert seconds < LONGEST_STOP_SECONDS


def test_the_port_a_host_names_is_used(
    environment: Callable[..., dict[str, str]], shared_url: str
) -> None:
    port = free_port()
    # A host leaves EVCHARGE_HOST out too; a test does not listen to the whole world.
    settings = environment(database_url=shared_url, host="127.0.0.1") | {
        "PORT": str(port)
    }
    with subprocess.Popen([EVCHARGE, "web"], env=settings, text=True) as process:
        try:
            web = Program(process, port, log=None)  # type: ignore[arg-type]
            web.wait_for("/readyz")
        finally:
            process.terminate()


def test_an_empty_postgresql_is_refused(
    start: Callable[..., Program], postgresql: Callable[[], str]
) -> None:
    web = start("web", "--workers", "2", database_url=postgresql())

    assert web.process.wait(PATIENCE_SECONDS) == 2
    assert "Run `evcharge db upgrade` first." in web.said()
