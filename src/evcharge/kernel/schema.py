"""Is the database at the version of its tables that this program was written for?

And who may change that: one at a time.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from evcharge.kernel.db import Database

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent.parent / "migrations"
TURN_TO_MIGRATE = int.from_bytes(b"evcharge")  # A number nobody else locks by chance.
SECONDS_BETWEEN_LOOKS = 0.2


def is_current(database: Database) -> bool:
    """Return whether every migration has run, and none that we do not know."""
    with database.engine.connect() as connection:
        heads = MigrationContext.configure(connection).get_current_heads()
    return set(heads) == newest_versions()


@cache
def newest_versions() -> frozenset[str]:
    return frozenset(ScriptDirectory(str(MIGRATIONS)).get_heads())


@contextmanager
def turn_to_migrate(connection: Connection) -> Iterator[None]:
    """Wait until nobody else migrates this PostgreSQL database, and keep them waiting.

    It asks again and again instead of waiting inside the database: a statement that
    waits holds a snapshot, and building an index concurrently waits for all of those.
    The lock belongs to the connection, so it ends with a process that is killed.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    if not _took_turn(connection):
        log.info("another process is migrating this database; waiting for it")
        while not _took_turn(connection):
            time.sleep(SECONDS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(select(func.pg_advisory_unlock(TURN_TO_MIGRATE)))
        connection.commit()


def _took_turn(connection: Connection) -> bool:
    took = connection.scalar(select(func.pg_try_advisory_lock(TURN_TO_MIGRATE)))
    connection.commit()  # Alembic wants to begin its transactions by itself.
    return bool(took)
