"""Real sockets, as browsers and attackers use them."""

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, cast

import pytest
from a2wsgi import WSGIMiddleware
from flask import Flask

from evcharge.asgi import in_threads
from evcharge.gateway import body_buffer
from evcharge.gateway.body_buffer import LONGEST_BODY, BodyBuffer

Connect = Callable[[int], socket.socket]
Serve = Callable[..., int]


class Echo:
    """A WSGI program that answers with the length of what it was sent."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.calls += 1
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(len(body)).encode()]


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def behind(serve: Serve, echo: Echo) -> Iterator[Callable[..., int]]:
    """Starts the echo behind a buffer with these limits; returns the port."""
    made: list[WSGIMiddleware] = []

    def start(**limits: Any) -> int:
        made.append(WSGIMiddleware(cast(Any, echo), workers=2))
        return serve(BodyBuffer(cast(Any, made[-1]), **limits))

    yield start
    for app in made:
        app.executor.shutdown()


def post(
    port: int, body: Any, path: str = "/", headers: dict[str, str] | None = None
) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client:
        client.request("POST", path, body, headers or {})
        answer = client.getresponse()
        return answer.status, answer.read().decode()


def begin(connection: socket.socket, *, length: int, sent: bytes = b"") -> None:
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
    connection.sendall(head.encode() + sent)


def all_from(connection: socket.socket) -> str:
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts).decode()


def test_a_body_arrives_whole(behind: Callable[..., int]) -> None:
    assert post(behind(), b"x" * 300_000) == (200, "300000")


def test_a_body_in_chunks_arrives_whole(behind: Callable[..., int]) -> None:
    chunks = iter([b"x" * 1000] * 5)

    assert post(behind(), chunks) == (200, "5000")


def test_a_request_without_a_body_passes(behind: Callable[..., int]) -> None:
    port = behind()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client:
        client.request("GET", "/")

        assert client.getresponse().read() == b"0"


def test_two_requests_follow_each_other_on_a_connection(
    behind: Callable[..., int],
) -> None:
    port = behind()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as client:
        for length in (3, 5):
            client.request("POST", "/", b"x" * length)
            assert client.getresponse().read() == str(length).encode()


@pytest.mark.parametrize("length", [LONGEST_BODY + 1, 10**12])
def test_a_body_announced_as_too_long_is_refused_before_it_is_sent(
    behind: Callable[..., int], connect: Connect, echo: Echo, length: int
) -> None:
    connection = connect(behind())

    begin(connection, length=length)

    answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 413 ")
    assert "connection: close" in answer.lower()
    assert echo.calls == 0


def test_the_longest_body_is_taken(behind: Callable[..., int]) -> None:
    assert post(behind(), b"x" * LONGEST_BODY) == (200, str(LONGEST_BODY))


def test_chunks_that_add_up_to_too_much_are_refused(
    behind: Callable[..., int], echo: Echo
) -> None:
    chunks = iter([b"x" * 100_000] * 11)

    status, message = post(behind(), chunks)

    assert status == 413
    assert "Nothing was changed" in message
    assert echo.calls == 0


def test_a_slow_sender_is_told_and_dropped(
    behind: Callable[..., int], connect: Connect, echo: Echo
) -> None:
    connection = connect(behind(seconds=0.2))

    begin(connection, length=100, sent=b"only a part")

    answer = all_from(connection)  # Until the other side hangs up.
    assert answer.startswith("HTTP/1.1 408 ")
    assert "too slow" in answer
    assert echo.calls == 0


def test_a_sender_who_drips_has_no_more_time_than_others(
    behind: Callable[..., int], connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_buffer, "LINGER_SECONDS", 0.1)
    connection = connect(behind(seconds=0.5))
    connection.settimeout(0.1)

    begin(connection, length=1000)
    answer = b""
    for _ in range(30):
        connection.sendall(b"x")
        try:
            answer = connection.recv(65536)
            break
        except TimeoutError:
            continue

    assert answer.startswith(b"HTTP/1.1 408 ")


def test_only_so_many_bodies_are_taken_in_at_once(
    behind: Callable[..., int], connect: Connect
) -> None:
    port = behind(most_bodies=2)
    for _ in range(2):
        begin(connect(port), length=100, sent=b"x")

    # The two above may still be on their way in.
    statuses = {post(port, b"x")[0] for _ in range(20)}

    assert 503 in statuses


def test_only_so_many_bytes_are_held_at_once(behind: Callable[..., int]) -> None:
    assert post(behind(most_bytes=1000), b"x" * 1001)[0] == 503


def test_what_was_held_is_given_back(behind: Callable[..., int]) -> None:
    port = behind(most_bodies=5, most_bytes=1000)

    assert {post(port, b"x" * 150)[0] for _ in range(30)} == {200}


def test_a_sender_who_hangs_up_costs_nothing(
    behind: Callable[..., int], connect: Connect, echo: Echo
) -> None:
    port = behind(most_bodies=1)
    connection = connect(port)
    begin(connection, length=100, sent=b"x")
    connection.close()

    while post(port, b"xyz")[0] == 503:
        pass

    assert echo.calls == 1


def test_the_api_refuses_a_body_like_everything_else(serve: Serve, app: Flask) -> None:
    buffer = in_threads(app, 1)
    buffer.seconds = 0.2
    port = serve(buffer)

    too_long = post(port, iter([b"x" * 100_000] * 11), path="/api/v1/tokens")
    too_slow = post(
        port, iter(()), path="/api/v1/tokens", headers={"Content-Length": "9"}
    )
    on_a_page = post(port, iter([b"x" * 100_000] * 11), path="/login")

    for (status, text), code in (
        (too_long, "too_large"),
        (too_slow, "request_timeout"),
    ):
        assert (json.loads(text)["status"], json.loads(text)["code"]) == (status, code)
    assert on_a_page == (413, body_buffer.MESSAGES[413])
    buffer.app.executor.shutdown()
