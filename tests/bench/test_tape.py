"""What the product says to its database is what the bare loop says again."""

from collections import Counter

import pytest
from sqlalchemy import select, text

from evcharge.bench import tape as tapes_of
from evcharge.bench.measures import Measured
from evcharge.bench.rows.booking import tapes_of_bookings
from evcharge.bench.rows.town import Town
from evcharge.bench.tape import COMMIT, ROLLBACK, record, replay, statements
from evcharge.bookings.models import Booking, BookingEvent, SlotClaim
from evcharge.kernel.db import Database

BOOKINGS = 12


@pytest.fixture
def town(lab):
    return Town(lab, drivers=BOOKINGS)


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    database = Database(url)
    with database.reading() as session:
        found = {
            model.__tablename__: sorted(
                map(tuple, session.execute(select(model.__table__))), key=str
            )
            for model in (Booking, BookingEvent, SlotClaim)
        }
    database.engine.dispose()
    return found


def test_a_tape_has_every_statement_and_every_end(database):
    def act() -> None:
        with database.transaction() as session:
            session.execute(text("SELECT 1"))
            with database.reading() as other:
                other.execute(text("SELECT 2 + :n"), {"n": 3})

    (tape,) = record(database.engine, [act])

    assert [each.split()[:2] for each in statements(tape)] == [
        ["SELECT", "1"],
        ["SELECT", "2"],
    ]
    writer, reader = (
        next(step.lane for step in tape if step.statement.startswith(words))
        for words in ("SELECT 1", "SELECT 2")
    )
    ends = [(step.lane, step.statement) for step in tape if step.values is None]
    assert ends == [(reader, ROLLBACK), (writer, COMMIT)]
    assert writer != reader
    assert "3" in str([step.values for step in tape])


def test_what_happens_after_the_recording_is_not_on_a_tape(database):
    def ask() -> None:
        with database.reading() as session:
            session.execute(text("SELECT 1"))

    first, second = record(database.engine, [ask, ask])
    ask()

    assert len(statements(first)) == len(statements(second)) == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_the_bare_loop_leaves_what_the_product_left(lab, kind, town, threads):
    """The same bookings, history and claims, to the last value."""
    ours, bare = lab.copy(kind, town.url(kind)), lab.copy(kind, town.url(kind))

    tapes = tapes_of_bookings(ours, town, BOOKINGS)
    found = replay(bare, tapes, threads=threads)

    def without_ids(tables):
        # Two threads get the numbers of their events in another order.
        events = tables.pop("booking_events")
        return tables | {"booking_events": Counter(map(str, (e[1:] for e in events)))}

    assert len(tapes) == BOOKINGS
    assert isinstance(found, Measured)
    assert without_ids(contents(bare)) == without_ids(contents(ours))
    assert contents(bare) != contents(town.url(kind))


def test_the_bare_loop_says_the_very_words(lab, kind, town, monkeypatch):
    tapes = tapes_of_bookings(lab.copy(kind, town.url(kind)), town, 3)
    said = []
    say = tapes_of._say
    monkeypatch.setattr(
        tapes_of,
        "_say",
        lambda connection, step: (said.append(step), say(connection, step)),
    )

    replay(lab.copy(kind, town.url(kind)), tapes, threads=1)

    assert said == [step for tape in tapes for step in tape]
    words = " ".join(statements(tapes[0]))
    assert "INSERT INTO slot_claims" in words
    assert "INSERT INTO booking_events" in words
    assert COMMIT in [step.statement for step in tapes[0]]
