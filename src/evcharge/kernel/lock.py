"""One long-running program at a time on a SQLite file."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evcharge.kernel.db import Database


class AlreadyRunning(Exception):
    """Another program works with the database; the message says which."""


@contextmanager
def sole_program(database: Database, name: str) -> Iterator[None]:
    """Keep other long-running programs away from a SQLite file.

    The lock ends with the process, however it ends. Raises: AlreadyRunning.
    """
    path = database.engine.url.database if database.is_sqlite else None
    if not path or path == ":memory:":
        yield
        return
    with Path(f"{path}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunning(_sentence(path, file.read())) from None
        file.truncate(0)
        file.write(f"evcharge {name}, process {os.getpid()}")
        file.flush()
        yield


def _sentence(path: str, holder: str) -> str:
    return (
        f"{path} is already in use by {holder or 'another program'}. SQLite serves one "
        "program at a time: stop that one first, or set EVCHARGE_DATABASE_URL to a "
        "PostgreSQL database."
    )
