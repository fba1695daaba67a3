"""Servers on loopback, in a thread of the test's own process."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread
from typing import Any

import pytest

import make
from charger import KEY
from evcharge.asgi import connected_to, new_gateway, to_both
from evcharge.control.queries import MessageFilter, messages_of
from evcharge.control.service import set_key
from evcharge.gateway.gateway import Gateway
from evcharge.gateway.live_hub import LiveHub
from evcharge.gateway.server import Server, bind, gateway_only
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.settings import Settings

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


@dataclass
class Served:
    """The gateway, listening, and one charger of its own that may connect."""

    port: int
    gateway: Gateway
    database: Database

    def add_charger(self, identity: str = "CP-1", **evse: Any) -> int:
        """Return the id of a charger with one EVSE, whose key is `charger.KEY`."""
        with self.database.transaction() as session:
            made = make.an_evse(session, identity=identity, **evse)
            set_key(session, made.charger_id, KEY, by=None, now=utc_now())
            return made.charger_id

    def messages(self, charger_id: int) -> list[tuple[str, str, str]]:
        with self.database.reading() as session:
            kept = messages_of(session, MessageFilter(charger_id), limit=1000)
            return [(each.direction, each.action, each.body) for each in kept][::-1]


@pytest.fixture
def served(
    database: Database, new_settings: Callable[..., Settings]
) -> Iterator[Callable[..., Served]]:
    """Starts gateways over the database of the test, with these settings."""
    with ExitStack() as stack:  # They end before the database is emptied.

        def start(**given: Any) -> Served:
            url = database.engine.url.render_as_string(hide_password=False)
            settings = new_settings(database_url=url, **({"demo": False} | given))
            gateway = new_gateway(settings, database)
            database.publish = to_both(database.publish, gateway.hear)
            lifespan = partial(connected_to, gateway)
            app = gateway_only(LiveHub(), settings.secret_key, gateway, lifespan)
            port = stack.enter_context(serving(app, gateway.ask_to_stop))
            return Served(port, gateway, database)

        yield start
