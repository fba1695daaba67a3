"""The clients, against small servers that behave, and some that do not."""

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from evcharge.bench import load
from evcharge.bench.load import Measured, Plan, http_request

GET = http_request("GET", "/")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
TAKEN = b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED += b"2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n"

# Takes how many requests its connection had before; None: it hangs up.
Answer = Callable[[int], bytes | None]


@contextmanager
def a_server(answer: Answer) -> Iterator[int]:
    """Yield its port. It answers whatever comes, one answer for each head."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            had, seen = 0, b""
            while data := self.request.recv(65536):
                seen += data
                while b"\r\n\r\n" in seen:
                    seen = seen.partition(b"\r\n\r\n")[2]
                    said = answer(had)
                    had += 1
                    if said is None:
                        return
                    self.request.sendall(said)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def drive(plan: Plan) -> Measured:
    """In a thread of its own: the browser of other tests keeps a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(load.drive, plan).result()


def test_every_request_is_sent_once():
    with a_server(lambda had: OK) as port:
        found = drive(Plan(port, [GET] * 25, clients=4))

    assert found.statuses == {200: 25}
    assert (found.errors, found.body_bytes, len(found.latencies)) == (0, 50, 25)
    assert all(0 < latency < 5e9 for latency in found.latencies)


def test_repeating_ends_with_the_time():
    with a_server(lambda had: OK) as port:
        found = drive(Plan(port, [GET], clients=2, seconds=0.3, repeat=True))

    assert found.statuses[200] > 2
    assert 0.3 <= found.seconds < 3
    assert found.errors == 0


def test_more_clients_than_requests_do_no_harm():
    with a_server(lambda had: OK) as port:
        found = drive(Plan(port, [GET] * 3, clients=8))

    assert (found.statuses, found.errors) == ({200: 3}, 0)


def test_statuses_are_told_apart():
    with a_server(lambda had: OK if had % 2 else TAKEN) as port:
        found = drive(Plan(port, [GET] * 10, clients=1))

    assert found.statuses == {200: 5, 409: 5}


def test_answers_in_chunks_are_read_too():
    with a_server(lambda had: CHUNKED) as port:
        found = drive(Plan(port, [GET] * 4, clients=1))

    assert (found.statuses, found.body_bytes) == ({200: 4}, 12)


def test_a_server_that_hangs_up_is_an_error_and_an_end():
    with a_server(lambda had: OK if had < 2 else None) as port:
        found = drive(Plan(port, [GET], clients=3, seconds=5, repeat=True))

    assert found.statuses == {200: 6}
    assert found.errors == 3
    assert found.seconds < 5


def test_what_is_no_http_is_an_error():
    with a_server(lambda had: b"what?\r\n\r\n") as port:
        found = drive(Plan(port, [GET], clients=2, seconds=5, repeat=True))

    assert (found.statuses, found.errors) == ({}, 2)


def test_silence_is_waited_for_only_so_long():
    with a_server(lambda had: b"") as port:
        began = time.monotonic()
        found = drive(Plan(port, [GET], clients=2, seconds=0.1, patience=0.2))

    assert time.monotonic() - began < 3
    # One had something to ask; the other had nothing to do.
    assert (found.statuses, found.errors) == ({}, 1)


def test_nobody_there_is_said_at_once():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]

    with pytest.raises(OSError):  # noqa: PT011 - which one depends on the system
        drive(Plan(port, [GET], clients=1))


def test_a_request_carries_its_body_as_json():
    request = http_request("POST", "/x", {"A": "b"}, {"n": 1})

    head, _, body = request.partition(b"\r\n\r\n")
    assert head.splitlines()[0] == b"POST /x HTTP/1.1"
    assert {b"A: b", b"Content-Length: 8"} <= set(head.splitlines())
    assert body == b'{"n": 1}'
