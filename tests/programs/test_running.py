"""Programs under bad company, and how they end."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from evcharge.kernel.hints import hints_between
from evcharge.kernel.stopping import SECONDS_TO_STOP
from program import Program
from real_valkey import real_valkey

Start = Callable[..., Program]
Connect = Callable[[Program], socket.socket]

LONGEST_STOP_SECONDS = 8


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:
        yield lambda program: stack.enter_context(
            socket.create_connection(("127.0.0.1", program.port), timeout=20)
        )


def ask_for_hints(connection: socket.socket, topic: str) -> None:
    """Wait until the stream has begun."""
    head = f"GET /live?topic={topic} HTTP/1.1\r\nHost: x\r\n\r\n"
    connection.sendall(head.encode())
    while b"retry:" not in connection.recv(65536):
        pass


def begin_to_post(connection: socket.socket) -> None:
    head = (
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\nemail="
    )
    connection.sendall(head.encode())


@pytest.mark.usefixtures("migrated")
def test_an_address_with_a_line_break_in_it_is_answered_like_any_other(
    start: Start,
) -> None:
    program = start("serve").wait_for()

    assert "There is nothing at this address." in program.get("/%0A")[1]
    assert '"code":"not_found"' in program.get("/api/v1/bookings/%0A")[1]


@pytest.mark.usefixtures("migrated")
def test_twelve_unfinished_posts_do_not_slow_a_page(
    start: Start, connect: Connect
) -> None:
    program = start("serve", web_threads=10).wait_for("/")
    for _ in range(12):
        begin_to_post(connect(program))

    began = time.monotonic()
    status, _ = program.get("/")

    assert status == 200
    assert time.monotonic() - began < 1


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("serve", signal.SIGTERM),
        ("serve", signal.SIGINT),
        ("gateway", signal.SIGTERM),
        ("worker", signal.SIGTERM),
        ("worker", signal.SIGINT),
        ("web", signal.SIGTERM),
        ("web", signal.SIGINT),
    ],
)
def test_every_program_stops_when_told_to(
    start: Start, command: str, number: int
) -> None:
    program = start(command)
    if command == "worker":
        program.wait_to_say("runs jobs")
    else:
        program.wait_for()

    code, seconds = program.stop(number)

    assert code == 0, program.said()
    assert seconds < LONGEST_STOP_SECONDS
    assert "Traceback" not in program.said()


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("command", ["serve", "web", "gateway"])
def test_whoever_listens_says_that_it_is_alive(start: Start, command: str) -> None:
    program = start(command).wait_for()

    status, said = program.get("/healthz")

    assert (status, json.loads(said)) == (200, {"status": "alive"})


@pytest.mark.usefixtures("migrated")
def test_open_streams_do_not_delay_a_stop(start: Start, connect: Connect) -> None:
    serve = start("serve").wait_for()
    for number in range(5):
        ask_for_hints(connect(serve), f"location:{number}")

    code, seconds = serve.stop()

    assert code == 0
    assert seconds < 4


@pytest.mark.usefixtures("migrated")
def test_an_unfinished_post_is_told_so_when_the_server_stops(
    start: Start, connect: Connect
) -> None:
    serve = start("serve").wait_for()
    post = connect(serve)
    begin_to_post(post)
    time.sleep(0.5)  # Until it has certainly arrived.

    code, seconds = serve.stop()

    assert code == 0
    assert seconds < 4
    assert post.recv(65536).startswith(b"HTTP/1.1 408 ")


def test_a_thread_that_hangs_does_not_keep_a_program_alive() -> None:
    program = """
from threading import Event, Thread
from evcharge.kernel import stopping
stopping.SECONDS_TO_STOP = 0.2
Thread(target=Event().wait).start()
stopping.stop_in_time()
"""
    assert SECONDS_TO_STOP < LONGEST_STOP_SECONDS
    result = subprocess.run([sys.executable, "-c", program], timeout=30, check=False)

    assert result.returncode == 0


# Its turn was taken, and the job that came with it is done, so its row is gone.
NO_LONGER_WAITING = """
SELECT count(*) FROM schedules
WHERE name = 'purge_jobs' AND name NOT IN (SELECT name FROM jobs)
"""


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_jobs_run(start: Start, tmp_path: Path, command: str) -> None:
    start(command)
    database = sqlite3.connect(tmp_path / "data" / "evcharge.db")

    deadline = time.monotonic() + 30
    done = 0
    while not done:
        assert time.monotonic() < deadline
        done = database.execute(NO_LONGER_WAITING).fetchone()[0]
        time.sleep(0.1)
    database.close()


@pytest.mark.usefixtures("migrated")
def test_a_hint_of_another_process_reaches_the_gateways_watchers(
    start: Start, connect: Connect
) -> None:
    with real_valkey() as valkey:
        url = f"redis://{valkey.host}:{valkey.port}/0"
        gateway = start("gateway", valkey_url=url).wait_for("/live")
        stream = connect(gateway)
        ask_for_hints(stream, "location:7")
        stream.settimeout(0.2)

        heard = b""
        deadline = time.monotonic() + 20
        with hints_between(url) as publish:
            while b"data: location:7" not in heard:
                assert time.monotonic() < deadline
                publish(["location:7"])
                try:
                    heard += stream.recv(65536)
                except TimeoutError:
                    continue
