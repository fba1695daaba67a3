"""What the product says to its database, taken down word by word and said again.

A recording of real requests is what the bare reference replays: the same statements
with the same values, on as many connections, with the same commits. So the reference
cannot be gentler than the product, and changes with it.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from time import perf_counter, perf_counter_ns, process_time
from typing import Any

from sqlalchemy import Connection, Engine, event

from evcharge.bench.databases import path_of
from evcharge.bench.measures import Measured
from evcharge.kernel.db import LOCK_TIMEOUT_SECONDS

COMMIT, ROLLBACK = "COMMIT", "ROLLBACK"
WARMING = 20  # Tapes for each thread.


@dataclass(frozen=True)
class Step:
    """A statement. `lane` says on which of the request's connections it went."""

    lane: int
    statement: str
    values: Any


Tape = tuple[Step, ...]


def statements(tape: Tape) -> list[str]:
    """Return what was asked, without beginnings and ends of transactions."""
    borders = ("BEGIN", COMMIT, ROLLBACK)
    return [step.statement for step in tape if not step.statement.startswith(borders)]


class Recorder:
    """Takes down what goes through an engine, request by request."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._lanes: dict[int, int] = {}

    def take(self) -> Tape:
        """Return what was said since the last time."""
        tape, self._steps, self._lanes = tuple(self._steps), [], {}
        return tape

    def note(self, connection: Connection, statement: str, values: Any) -> None:
        own = id(connection.connection.dbapi_connection)
        lane = self._lanes.setdefault(own, len(self._lanes))
        self._steps.append(Step(lane, statement, values))


@contextmanager
def recording(engine: Engine) -> Iterator[Recorder]:
    recorder = Recorder()

    def say(
        connection: Connection, _cursor: Any, statement: str, values: Any, *_: Any
    ) -> None:
        recorder.note(connection, statement, values)

    def commit(connection: Connection) -> None:
        recorder.note(connection, COMMIT, None)

    def rollback(connection: Connection) -> None:
        recorder.note(connection, ROLLBACK, None)

    listeners: dict[str, Callable[..., None]] = {
        "before_cursor_execute": say,
        "commit": commit,
        "rollback": rollback,
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    yield recorder
    for name, listener in listeners.items():
        event.remove(engine, name, listener)


def replay(url: str, tapes: Sequence[Tape], *, threads: int) -> Measured:
    """Say it all again, without any of us in between; each tape once.

    The database must be as it was before the recording. The first tapes warm up the
    connections: statements are prepared when they have been seen a few times.
    """
    lanes = 1 + max(step.lane for step in chain.from_iterable(tapes))
    connect = _connect_sqlite if url.startswith("sqlite") else _connect_postgresql
    with ExitStack() as stack:
        lines = [
            [stack.enter_context(connect(url)) for _ in range(lanes)]
            for _ in range(threads)
        ]
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        shares = [tapes[number::threads] for number in range(threads)]
        warm = min(WARMING, len(tapes) // threads // 2)
        list(pool.map(_play, [share[:warm] for share in shares], lines))
        began, cpu = perf_counter(), process_time()
        played = pool.map(_play, [share[warm:] for share in shares], lines)
        latencies = list(chain.from_iterable(played))
        return Measured(
            perf_counter() - began, latencies, program_seconds=process_time() - cpu
        )


def _play(tapes: Sequence[Tape], connections: Sequence[Any]) -> list[int]:
    latencies = []
    for tape in tapes:
        began = perf_counter_ns()
        for step in tape:
            _say(connections[step.lane], step)
        latencies.append(perf_counter_ns() - began)
    return latencies


def _say(connection: Any, step: Step) -> None:
    if step.statement == COMMIT:
        connection.commit()
    elif step.statement == ROLLBACK:
        connection.rollback()
    else:
        cursor = connection.execute(step.statement, step.values)
        if cursor.description:
            cursor.fetchall()


@contextmanager
def _connect_sqlite(url: str) -> Iterator[sqlite3.Connection]:
    """As `kernel/db.py` sets its connections; BEGIN is on the tape."""
    connection = sqlite3.connect(
        path_of(url), isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA busy_timeout = 5000")
    yield connection
    connection.close()


@contextmanager
def _connect_postgresql(url: str) -> Iterator[Any]:
    import psycopg

    connection = psycopg.connect(
        url.replace("+psycopg", ""),
        options=f"-c lock_timeout={LOCK_TIMEOUT_SECONDS}s -c timezone=UTC",
    )
    yield connection
    connection.close()


def record(engine: Engine, requests: Sequence[Callable[[], object]]) -> list[Tape]:
    """Make the requests, one after the other, and return a tape of each."""
    tapes = []
    with recording(engine) as recorder:
        for request in requests:
            request()
            tapes.append(recorder.take())
    return tapes
