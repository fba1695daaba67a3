"""Who came, who did not, and who could not: what the sweeps make of a booking."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from evcharge.bookings.rules import BookingEventKind, BookingStarted
from evcharge.bookings.service import (
    complete_bookings,
    complete_by_session,
    mark_missed,
    note_session,
    return_let_down,
)
from evcharge.control.models import ChargerConnection
from evcharge.control.rules import Protocol
from evcharge.stations.models import Charger, Outage
from evcharge.stations.rules import OutageKind
from make import HOUR, MINUTE, NOON, PRICE_PAISE, a_slot

START = NOON + HOUR
GRACE_OVER = START + 15 * MINUTE
END = START + HOUR
SECOND = MINUTE / 60


@pytest.fixture
def booking(desk, database):
    """An hour from START on, paid, at a charger that speaks to us."""
    with database.transaction() as session:
        session.add(
            ChargerConnection(
                charger_id=1,
                generation=1,
                gateway="g",
                protocol=Protocol.OCPP16,
                opened_at=NOON,
            )
        )
    booking = desk.book()
    desk.pay(booking)
    return booking


def seen(database, at):
    with database.transaction() as session:
        session.query(Charger).update({"last_seen_at": at})


def down(database, kind, begin, end=None):
    with database.transaction() as session:
        session.add(Outage(evse_id=1, kind=kind, began_at=begin, ended_at=end))


def sweep(database, now):
    """As the job does, in its order."""
    for each in (mark_missed, return_let_down, complete_bookings):
        database.perform(lambda session, each=each: each(session, now=now))


def came(database, booking, at=START, now=None):
    database.perform(
        lambda session: note_session(session, booking.id, at=at, now=now or at)
    )


def left(database, booking, at):
    database.perform(
        lambda session: complete_by_session(session, booking.id, at=at, now=at)
    )


# ── nobody came ──────────────────────────────────────────────────────────────────


def test_who_does_not_come_in_a_quarter_of_an_hour_has_missed_it(
    desk, database, booking
):
    seen(database, GRACE_OVER)

    sweep(database, GRACE_OVER - SECOND)
    assert desk.read(booking.id).status == "ACTIVE"
    sweep(database, GRACE_OVER)

    ended = desk.read(booking.id)
    assert (ended.status, ended.paid_paise) == ("NO_SHOW", PRICE_PAISE)
    assert desk.history(booking)[-1] == "no_show"
    (other,) = desk.drivers(1)
    assert desk.book(user_id=other, now=START).status == "ACTIVE"
    assert desk.audit() == []


def test_who_came_has_not_missed_it(desk, database, booking):
    seen(database, GRACE_OVER)
    came(database, booking, at=GRACE_OVER - MINUTE)

    sweep(database, GRACE_OVER)

    assert desk.read(booking.id).status == "ACTIVE"


def test_a_hold_is_never_missed(desk, database, booking):
    hold = desk.book(user_id=desk.drivers(1)[0], evse_id=desk.evses(1)[0], now=START)
    seen(database, GRACE_OVER)

    with database.transaction() as session:
        assert mark_missed(session, now=GRACE_OVER) == 1

    assert desk.read(hold.id).status == "ACTIVE"


def test_a_charger_that_is_silent_proves_nothing(desk, database, booking):
    seen(database, START + MINUTE)

    sweep(database, START + 20 * MINUTE)  # It may be silent for eleven minutes.

    assert desk.read(booking.id).status == "ACTIVE"


def test_a_charger_that_was_unheard_while_they_may_have_come_proves_nothing(
    desk, database, booking
):
    down(database, OutageKind.SILENT, START - MINUTE, GRACE_OVER)
    seen(database, START + 20 * MINUTE)

    sweep(database, START + 20 * MINUTE)

    assert desk.read(booking.id).status == "ACTIVE"


def test_a_moment_of_silence_excuses_nobody(desk, database, booking):
    down(database, OutageKind.SILENT, START - MINUTE, GRACE_OVER - SECOND)
    seen(database, GRACE_OVER)

    sweep(database, GRACE_OVER)

    assert desk.read(booking.id).status == "NO_SHOW"


def test_a_charger_that_does_not_speak_to_us_is_taken_at_its_clock(desk, database):
    booking = desk.book()
    desk.pay(booking)
    seen(database, END)

    sweep(database, END - SECOND)
    assert desk.read(booking.id).status == "ACTIVE"
    sweep(database, END)

    assert desk.read(booking.id).status == "COMPLETED"


# ── they could not charge ────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [OutageKind.FAULTED, OutageKind.UNAVAILABLE])
def test_who_finds_it_broken_is_paid_back(desk, database, booking, kind):
    down(database, kind, START - HOUR)
    seen(database, GRACE_OVER)

    sweep(database, GRACE_OVER)

    ended = desk.read(booking.id)
    assert (ended.status, ended.paid_paise) == ("CANCELLED", 0)
    assert desk.audit() == []


def test_what_was_mended_before_they_came_is_no_excuse(desk, database, booking):
    down(database, OutageKind.FAULTED, START - HOUR, START + MINUTE)
    seen(database, GRACE_OVER)

    sweep(database, GRACE_OVER)

    assert desk.read(booking.id).status == "NO_SHOW"


def test_who_had_a_charger_out_of_reach_to_the_end_is_paid_back(
    desk, database, booking
):
    seen(database, START - MINUTE)

    sweep(database, END - SECOND)
    assert desk.read(booking.id).status == "ACTIVE"
    sweep(database, END)

    ended = desk.read(booking.id)
    assert (ended.status, ended.paid_paise) == ("CANCELLED", 0)


# ── they came ────────────────────────────────────────────────────────────────────


def test_a_booking_is_done_when_its_driver_has_charged(desk, database, booking):
    came(database, booking)
    left(database, booking, START + 20 * MINUTE)

    assert desk.read(booking.id).status == "COMPLETED"
    assert desk.history(booking)[-2:] == ["charging", "completed"]
    (other,) = desk.drivers(1)
    assert desk.book(user_id=other, now=START).status == "ACTIVE"
    assert desk.audit() == []


def test_a_booking_ends_at_its_end_though_its_driver_stays(desk, database, booking):
    came(database, booking)
    seen(database, START)  # Whatever the charger does then.

    sweep(database, END)
    left(database, booking, END + HOUR)

    assert desk.read(booking.id).status == "COMPLETED"
    assert desk.history(booking).count("completed") == 1


def test_the_first_session_counts(desk, database, booking):
    came(database, booking)
    came(database, booking, at=START + 10 * MINUTE)

    assert desk.read(booking.id).session_started_at == START
    assert desk.history(booking).count("charging") == 1


def test_a_no_show_of_whom_the_charger_tells_late_has_come_after_all(
    desk, database, booking
):
    seen(database, GRACE_OVER)
    sweep(database, GRACE_OVER)

    came(database, booking, at=START + MINUTE, now=END)
    left(database, booking, END)

    after = desk.read(booking.id)
    assert (after.status, after.paid_paise) == ("COMPLETED", PRICE_PAISE)
    assert after.session_started_at == START + MINUTE
    events = desk.history(booking)
    assert events[-3:] == ["no_show", "charging", BookingEventKind.COMPLETED]
    assert desk.audit() == []


def test_late_news_of_a_no_show_takes_nobodys_time(desk, database, booking):
    seen(database, GRACE_OVER)
    sweep(database, GRACE_OVER)
    (other,) = desk.drivers(1)
    theirs = desk.book(user_id=other, now=START)

    came(database, booking, at=START + MINUTE, now=GRACE_OVER + MINUTE)

    assert desk.read(theirs.id).status == "ACTIVE"
    assert desk.audit() == []


def test_a_session_brings_no_cancelled_booking_back(desk, database, booking):
    desk.cancel(booking)

    came(database, booking)
    left(database, booking, START + HOUR)

    assert desk.read(booking.id).status == "CANCELLED"


def test_who_began_before_their_slot_neither_moves_nor_gets_money_back(
    desk, database, booking
):
    early = START - 10 * MINUTE
    came(database, booking, at=early)

    with pytest.raises(BookingStarted):
        desk.move(booking, a_slot(after_hours=3), now=early)
    desk.cancel(booking, now=early)

    assert desk.read(booking.id).paid_paise == PRICE_PAISE
    assert desk.audit() == []


# ── at the same moment ───────────────────────────────────────────────────────────


def test_of_a_sweep_and_a_start_at_once_the_driver_has_come(desk, database, booking):
    seen(database, GRACE_OVER)

    with ThreadPoolExecutor(4) as people:
        jobs = [
            people.submit(sweep, database, GRACE_OVER),
            people.submit(came, database, booking, GRACE_OVER),
            people.submit(sweep, database, GRACE_OVER),
            people.submit(came, database, booking, GRACE_OVER),
        ]
        for job in jobs:
            job.result()

    after = desk.read(booking.id)
    assert after.session_started_at == GRACE_OVER
    assert after.status in ("ACTIVE", "COMPLETED")
    assert desk.history(booking).count("charging") == 1
    assert desk.audit() == []


def test_of_two_sweeps_at_once_one_marks_it(desk, database, booking):
    seen(database, GRACE_OVER)

    def mark():
        return database.perform(lambda session: mark_missed(session, now=GRACE_OVER))

    with ThreadPoolExecutor(4) as sweepers:
        counts = list(sweepers.map(lambda _: mark(), range(4)))

    assert sum(counts) == 1
    assert desk.history(booking).count("no_show") == 1


def test_of_two_sweeps_at_once_one_pays_back(desk, database, booking):
    down(database, OutageKind.FAULTED, START)
    seen(database, GRACE_OVER)

    with ThreadPoolExecutor(4) as sweepers:
        list(sweepers.map(lambda _: sweep(database, GRACE_OVER), range(4)))

    assert desk.read(booking.id).paid_paise == 0
    assert desk.history(booking).count("cancelled") == 1
    assert desk.audit() == []
