"""Servers on loopback, in a thread of the test's own process."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from evcharge.gateway.server import Server, bind

Serve = Callable[..., int]


@contextmanager
def serving(app: Any, when_stopping: Callable[[], None]) -> Iterator[int]:
    listening = Event()
    listener = bind("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    server = Server(app, when_listening=listening.set, when_stopping=when_stopping)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    assert listening.wait(10)
    yield port
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves an ASGI app until the test ends; returns its port."""
    with ExitStack() as stack:

        def start(app: Any, when_stopping: Callable[[], None] = lambda: None) -> int:
            return stack.enter_context(serving(app, when_stopping))

        yield start


@pytest.fixture
def connect() -> Iterator[Callable[[int], socket.socket]]:
    """Opens plain sockets that are closed when the test ends."""
    with ExitStack() as stack:
        yield lambda port: stack.enter_context(
            socket.create_connection(("127.0.0.1", port), timeout=10)
        )
