"""Heads of requests that are too long, or never end."""

import socket
from collections.abc import Callable
from contextlib import suppress

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from evcharge.gateway import patient_http

Connect = Callable[[int], socket.socket]
Serve = Callable[..., int]


@pytest.fixture
def port(serve: Serve) -> int:
    async def served(request: Request) -> Response:
        return PlainTextResponse("served " + " ".join(request.headers))

    return serve(Starlette(routes=[Route("/", served)]))


def answer(connection: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            received += part
    return received


def test_a_head_without_end_is_refused(port: int, connect: Connect) -> None:
    connection = connect(port)
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")

    with suppress(ConnectionResetError, BrokenPipeError):
        for _ in range(100):
            connection.sendall(10_000 * b"a")
    assert b"200" not in answer(connection)


def test_an_address_without_end_is_refused(port: int, connect: Connect) -> None:
    connection = connect(port)

    with suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(b"GET /?q=")
        for _ in range(100):
            connection.sendall(10_000 * b"a")
        connection.sendall(b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"served" not in answer(connection)


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_nobody_waits_for_a_head_for_ever(
    begun: bytes, port: int, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_http, "HEAD_SECONDS", 0.2)
    connection = connect(port)
    connection.sendall(begun)

    assert answer(connection) == b""


def test_a_connection_serves_again_after_its_first_head(
    port: int, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_http, "HEAD_SECONDS", 1)
    connection = connect(port)

    for last in (b"", b"Connection: close\r\n"):
        request = b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + 30_000 * b"a" + b"\r\n"
        connection.sendall(request + last + b"\r\n")
        if not last:
            assert b"served" in connection.recv(65_536)
    assert b"served" in answer(connection)


def test_nobody_speaks_for_a_proxy_by_another_spelling(
    port: int, connect: Connect
) -> None:
    connection = connect(port)

    connection.sendall(
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"X-Forwarded-For: 10.0.0.1\r\nX_Forwarded_For: 203.0.113.9\r\n\r\n"
    )

    assert answer(connection).endswith(b"served host connection x-forwarded-for")
