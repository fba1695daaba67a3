"""The gateway as a program: killed, stopped, started again, with chargers on it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import WebSocketException

import make
from charger import KEY, connected
from evcharge.control.models import ChargerConnection
from evcharge.control.queries import MessageFilter, messages_of
from evcharge.control.service import set_key
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.settings import Settings
from evcharge.wiring import open_database
from program import Program

Start = Callable[..., Program]

CHARGERS = [f"CP-{number}" for number in range(8)]
WORDS = ("Available", "Preparing", "Charging", "SuspendedEV", "Finishing")


@pytest.fixture
def database(
    migrated: None, new_settings: Callable[..., Settings], tmp_path: Path
) -> Iterator[Database]:
    """The programs' own database, with chargers in it."""
    database = open_database(new_settings(data_dir=tmp_path / "data"))
    with database.transaction() as session:
        for identity in CHARGERS:
            evse = make.an_evse(session, identity=identity)
            set_key(session, evse.charger_id, KEY, by=None, now=utc_now())
    yield database
    database.engine.dispose()


class Reporter(threading.Thread):
    """A charger that reports until the server has gone, and knows what was answered."""

    def __init__(self, port: int, identity: str) -> None:
        super().__init__()
        self._port = port
        self._identity = identity
        self.answered: list[str] = []
        self.is_busy = threading.Event()

    def run(self) -> None:
        with (
            suppress(WebSocketException, OSError, EOFError, TimeoutError),
            connected(self._port, self._identity) as charger,
        ):
            for number in range(1_000_000):
                message_id = f"{self._identity}-{number}"
                charger.say(
                    "StatusNotification",
                    {
                        "connectorId": 1,
                        "errorCode": "NoError",
                        "status": WORDS[number % len(WORDS)],
                    },
                    message_id,
                )
                charger.answer_to(message_id)
                self.answered.append(message_id)
                if number == 20:
                    self.is_busy.set()


def stored(database: Database) -> list[str]:
    with database.reading() as session:
        rows = session.query(ChargerConnection).all()
        return [
            message.body
            for row in rows
            for message in messages_of(
                session,
                MessageFilter(row.charger_id, action="StatusNotification"),
                limit=100_000,
            )
        ]


@pytest.mark.parametrize("program", ["gateway", "serve"])
def test_every_answered_status_survives_a_kill(
    start: Start, database: Database, program: str
) -> None:
    server = start(program).wait_for()
    reporters = [Reporter(server.port, identity) for identity in CHARGERS]
    for reporter in reporters:
        reporter.start()
    for reporter in reporters:
        assert reporter.is_busy.wait(30)

    server.stop(signal.SIGKILL)

    for reporter in reporters:
        reporter.join(20)
    kept = "\n".join(stored(database))
    answered = [each for reporter in reporters for each in reporter.answered]
    assert len(answered) > 20 * len(CHARGERS)
    assert [each for each in answered if f'"{each}"' not in kept] == []
    again = start(program).wait_for()
    with connected(again.port, CHARGERS[0]) as charger:
        assert charger.is_open()


@pytest.mark.parametrize("program", ["gateway", "serve"])
def test_a_stop_closes_the_sockets_and_says_so(
    start: Start, database: Database, program: str
) -> None:
    server = start(program).wait_for()

    with connected(server.port, CHARGERS[0]) as charger:
        assert charger.is_open()
        code, seconds = server.stop()

        assert charger.close_code() == 1012
    assert (code, seconds < 4) == (0, True)
    assert "Traceback" not in server.said()
    with database.reading() as session:
        rows: list[Any] = session.query(ChargerConnection).all()
        assert [row.closed_at is not None for row in rows] == [True]


def test_a_page_at_the_address_of_a_charger_says_what_it_is(
    start: Start, database: Database
) -> None:
    server = start("serve").wait_for()

    status, said = server.get("/ocpp/CP-0")

    assert status == 426
    assert "WebSocket" in said
