"""Tables, sessions and transactions. The only module that commits."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar, cast

from sqlalchemy import (
    BigInteger,
    CursorResult,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Executable,
    Integer,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from evcharge.kernel.errors import Unavailable
from evcharge.kernel.live import Publish, announced

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_TRIES = 8
# Longer than any honest transaction of ours, shorter than a browser's patience.
LOCK_TIMEOUT_SECONDS = 2
WRITER_TURN_SECONDS = 20
CONNECT_TIMEOUT_SECONDS = 5
# A database that restarts is away for longer than that.
FRESH_SECONDS = 1


# For tables that only grow. SQLite counts by itself only what it calls INTEGER.
BigId = Annotated[
    int,
    mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
]


class Base(DeclarativeBase):
    # Enums are stored as their short text value, checked in Python: adding a
    # member then needs no migration, and the rows read well in any SQL tool.
    type_annotation_map: ClassVar = {
        StrEnum: Enum(
            StrEnum,
            native_enum=False,
            length=20,
            values_callable=lambda kind: [member.value for member in kind],
        )
    }
    # Named constraints, so that Alembic can drop them on every database.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out. Naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        if value is None:
            return None
        # SQLite has no time zones and hands back what was stored, without one.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value


class Database:
    """One engine; `reading()` looks, `transaction()` and `perform()` change things.

    A program with people watching sets `publish`; the others send no hints.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = 30,
        publish: Publish = lambda topics: None,
    ) -> None:
        # Waiting for a connection while holding one is a deadlock, so the pool
        # allows for two (one reads, one writes) for every thread of the program.
        options: dict[str, Any] = {"pool_size": min(connections, 10)}
        # What people typed must not reach the log by way of an error.
        options["hide_parameters"] = True
        options["max_overflow"] = connections - options["pool_size"]
        if url.startswith("postgresql"):
            options["connect_args"] = {
                "options": f"-c lock_timeout={LOCK_TIMEOUT_SECONDS}s -c timezone=UTC",
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            }
        self.engine = create_engine(url, **options)
        if not self.is_sqlite:
            _ping_what_was_idle(self.engine)
        self._turn: AbstractContextManager[object] = nullcontext()
        if self.is_sqlite:
            _tame_sqlite(self.engine)
            self._turn = _Turn()
        self.publish = publish
        self._writers = self._sessions(begin="IMMEDIATE")
        self._readers = self._sessions(begin="DEFERRED")

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def _sessions(self, begin: str) -> sessionmaker[Session]:
        engine = self.engine.execution_options(sqlite_begin=begin)
        return sessionmaker(engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Commit if the block succeeds, roll back if it raises, then send hints."""
        with self._turn, self._writers.begin() as session:
            yield session
        self.publish(announced(session))

    def perform(self, action: Callable[[Session], T], *, repeatable: bool = False) -> T:
        """Run one unit of work in a transaction, again if it lost a race for locks.

        A connection that breaks during COMMIT leaves open whether it happened. Say
        `repeatable` for an action that does no harm when it runs a second time.

        Raises: Unavailable when the database stays busy; and what `action` raises.
        """
        for tried in range(1, MOST_TRIES + 1):
            try:
                with self.transaction() as session:
                    return action(session)
            except DBAPIError as error:
                if not (_is_busy(error) or (repeatable and _is_lost(error))):
                    raise
                log.info("try %s of a transaction failed: %s", tried, error.orig)
                # Unequal pauses, so that those who collided do not do so again.
                time.sleep(random.uniform(0.005, 0.02) * 2**tried)  # noqa: S311
        raise Unavailable("The system is very busy. Nothing was changed; try again.")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session whose changes are thrown away."""
        with self._readers() as session:
            yield session


class _Turn:
    """One writer at a time in this process.

    SQLite has one writer anyway, but lets those who wait poll for their turn:
    with 64 of them the slowest waited five times as long as in a queue.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=WRITER_TURN_SECONDS):
            raise Unavailable(
                "The system is very busy. Nothing was changed; try again."
            )

    def __exit__(self, *_: object) -> None:
        self._lock.release()


# serialization_failure, deadlock_detected, lock_not_available
# (PostgreSQL 18 documentation, appendix A).
_BUSY_STATES = {"40001", "40P01", "55P03"}


def _is_busy(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state in _BUSY_STATES or "database is locked" in str(error.orig)


def _is_lost(error: DBAPIError) -> bool:
    return error.connection_invalidated


# Both spell ON CONFLICT alike; SQLAlchemy has a class for each.
_INSERT: dict[str, Callable[[Any], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def insert_into(
    session: Session, table: type[Base]
) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows ON CONFLICT, for the database at hand."""
    return _INSERT[session.get_bind().dialect.name](table)


def insert_if_missing(session: Session, table: type[Base], row: dict[str, Any]) -> bool:
    """Insert a row with all its columns. Return False if it clashes with another.

    The statement is the same each time, so it is built once for each table.
    """
    statement = _insert_or_not(session.get_bind().dialect.name, table)
    return changed(session, statement, row) == 1


@cache
def _insert_or_not(dialect: str, table: type[Base]) -> Executable:
    return _INSERT[dialect](table.__table__).on_conflict_do_nothing()


def insert_missing(
    session: Session, table: type[Base], rows: list[dict[str, Any]]
) -> int:
    """Insert the rows that clash with no unique key. Return how many that were.

    It is one statement with many VALUES, so the count covers them all; handing
    the rows to `execute` instead would run in batches and count the last.
    """
    statement = insert_into(session, table).values(rows)
    return changed(session, statement.on_conflict_do_nothing())


def changed(
    session: Session,
    statement: Executable,
    parameters: dict[str, object] | None = None,
) -> int:
    """Run an INSERT, UPDATE or DELETE and return how many rows it changed."""
    # Unless asked to keep it, SQLAlchemy has forgotten (-1) the count of an INSERT
    # by the time we look, though only on PostgreSQL.
    options = {"preserve_rowcount": True, "synchronize_session": False}
    result = session.execute(statement, parameters, execution_options=options)
    return cast("CursorResult[Any]", result).rowcount


def _ping_what_was_idle(engine: Engine) -> None:
    """Replace connections that broke while nobody used them.

    As `pool_pre_ping` does, but a connection used a moment ago is not asked again: two
    pings were a fifth of the round trips of a request that books.
    """
    dialect = engine.dialect

    @event.listens_for(engine, "checkin")
    def note(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < FRESH_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            if not dialect.is_disconnect(error, connection, None):
                raise
            raise InvalidatePoolError from error


def _tame_sqlite(engine: Engine) -> None:
    """Make SQLite wait for its turn, keep its promises and begin when told to."""

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy begins, not the driver.
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 5000")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A writer that began DEFERRED could read, lose the race for the write
        # lock and fail at once, whatever the timeout. IMMEDIATE queues instead.
        mode = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")
