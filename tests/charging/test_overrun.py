"""A vehicle that stays while the next driver's time comes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

import make
from box import Box
from evcharge.bookings.models import BookingEvent
from evcharge.charging.queries import transaction_of_session
from evcharge.charging.rules import SessionEventKind, SessionStatus
from evcharge.charging.service.overrun import SOON, overruns, settle
from evcharge.control.rules import CommandKind
from evcharge.kernel.errors import DomainError
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.rules import (
    ConnectorKind,
    Lifecycle,
    OverrunPolicy,
    ReportedStatus,
)
from make import HOUR, MINUTE, NOON, a_slot

CCS2, TYPE2 = ConnectorKind.CCS2, ConnectorKind.TYPE2
NEXT = NOON + HOUR


@pytest.fixture
def staying(box, card):
    """A walk-in that does not leave."""
    box.start(card)
    (charge,) = box.sessions()
    return charge


@pytest.fixture
def next_booking(box, desk, staying):
    (ravi,) = desk.drivers(1)
    booking = desk.book(a_slot(after_hours=1), user_id=ravi, now=NOON)
    desk.pay(booking)
    return booking


def beside(box, **columns) -> int:
    """Another EVSE at the same site."""
    with box.database.transaction() as session:
        site = session.scalars(
            select(Location).join(Charger).join(Evse).where(Evse.id == box.evse_id)
        ).one()
        defaults = {"seen_at": NEXT, "location": site}
        return make.an_evse(session, **(defaults | columns)).id


def protect(box: Box, now):
    with box.database.reading() as session:
        found = overruns(session, now=now)
    for each in found:
        box.database.perform(lambda session, each=each: settle(session, each, now=now))


def kinds(box, charge):
    return [event.kind for event in box.read(charge.id).events]


def number_of(box, charge):
    with box.database.reading() as session:
        return transaction_of_session(session, charge.id).number


def stop_by_policy(box):
    with box.database.transaction() as session:
        session.query(Location).update({"overrun": OverrunPolicy.STOP})


def stops(box):
    return [each for each in box.commands() if each.kind == CommandKind.STOP]


# ── another EVSE ─────────────────────────────────────────────────────────────────


def test_the_next_booking_goes_to_an_equal_evse_beside_it(box, desk, next_booking):
    free = beside(box)

    protect(box, NEXT - SOON)

    moved = desk.read(next_booking.id)
    assert (moved.evse_id, moved.status, moved.slot) == (
        free,
        "ACTIVE",
        next_booking.slot,
    )
    assert moved.amount_paise == moved.paid_paise == next_booking.amount_paise
    assert desk.history(moved)[-1] == "reassigned"
    assert moved.sequence == next_booking.sequence + 1
    assert desk.audit() == []


def test_its_driver_reads_where_it_went(box, desk, next_booking):
    free = beside(box, identity="BLR-9")
    protect(box, NEXT - SOON)

    with box.database.reading() as session:
        event = session.scalars(
            select(BookingEvent).order_by(BookingEvent.id.desc()).limit(1)
        ).one()
        old = session.get_one(Charger, box.charger_id).identity

    assert free
    assert event.details == {
        "old_point": f"{old}, point 1",
        "point": "BLR-9, point 1",
    }


def test_nobody_is_moved_before_it_is_near(box, desk, next_booking):
    beside(box)

    protect(box, NEXT - SOON - MINUTE)

    assert desk.read(next_booking.id).evse_id == box.evse_id


@pytest.mark.parametrize(
    "columns",
    [
        {"kinds": (TYPE2,)},
        {"power_w": 50_000},
        {"reported": ReportedStatus.FAULTED},
        {"reported": ReportedStatus.OCCUPIED},
        {"reported": ReportedStatus.CHARGING},
        {"lifecycle": Lifecycle.INOPERATIVE},
        {"seen_at": NOON},
    ],
)
def test_what_is_not_equal_and_ready_is_left_alone(box, desk, next_booking, columns):
    beside(box, **columns)

    protect(box, NEXT - SOON)

    assert desk.read(next_booking.id).evse_id == box.evse_id


def test_more_plugs_and_more_power_are_equal_enough(box, desk, next_booking):
    free = beside(box, kinds=(TYPE2, CCS2), power_w=120_000)

    protect(box, NEXT - SOON)

    assert desk.read(next_booking.id).evse_id == free


def test_an_evse_that_somebody_booked_for_then_is_not_free(box, desk, next_booking):
    taken, free = beside(box), beside(box)
    (other,) = desk.drivers(1)
    desk.book(a_slot(after_hours=1.5), user_id=other, evse_id=taken, now=NEXT - MINUTE)

    protect(box, NEXT - SOON)

    assert desk.read(next_booking.id).evse_id == free
    assert desk.audit() == []


def test_another_site_is_no_help(box, desk, next_booking):
    with box.database.transaction() as session:
        make.an_evse(session, seen_at=NEXT)

    protect(box, NEXT - SOON)

    assert desk.read(next_booking.id).evse_id == box.evse_id


# ── nowhere else to go ───────────────────────────────────────────────────────────


def test_who_stays_is_warned_once(box, staying, next_booking):
    protect(box, NEXT - SOON)
    protect(box, NEXT - MINUTE)

    assert kinds(box, staying).count(SessionEventKind.WARNED) == 1
    assert stops(box) == []


def test_a_patient_site_only_notes_who_overstays(box, staying, next_booking):
    protect(box, NEXT)
    protect(box, NEXT + MINUTE)

    assert kinds(box, staying).count(SessionEventKind.OVERSTAYED) == 1
    assert stops(box) == []


def test_a_strict_site_stops_them_at_the_start_and_once(box, staying, next_booking):
    stop_by_policy(box)

    protect(box, NEXT - MINUTE)
    assert stops(box) == []
    protect(box, NEXT)
    protect(box, NEXT + MINUTE)

    (stop,) = stops(box)
    assert stop.arguments == {"number": number_of(box, staying), "ref": None}
    assert stop.session_id == staying.id


def test_who_leaves_in_time_is_told_nothing(box, staying, next_booking):
    box.stop(number_of(box, staying), at=NOON + 30 * MINUTE, meter=5000)

    protect(box, NEXT)

    assert box.read(staying.id).status == SessionStatus.COMPLETED
    assert SessionEventKind.WARNED not in kinds(box, staying)


def test_a_driver_goes_on_into_their_own_next_slot(box, desk, staying):
    booking = desk.book(a_slot(after_hours=1), now=NOON)
    desk.pay(booking)
    stop_by_policy(box)

    protect(box, NEXT - MINUTE)
    assert desk.read(booking.id).session_started_at is None
    protect(box, NEXT)

    assert desk.read(booking.id).session_started_at == NEXT
    assert kinds(box, staying) == [SessionEventKind.STARTED]
    assert stops(box) == []


# ── at the same moment ───────────────────────────────────────────────────────────


def test_of_two_rounds_at_once_one_moves_it_and_nobody_is_stopped_twice(
    box, desk, staying, next_booking
):
    free = beside(box)
    stop_by_policy(box)

    def go(now):
        try:
            protect(box, now)
        except DomainError as refusal:
            return type(refusal).__name__
        return "done"

    with ThreadPoolExecutor(4) as rounds:
        told = set(rounds.map(go, [NEXT] * 4))

    assert told <= {"done", "SlotTaken"}
    assert desk.read(next_booking.id).evse_id == free
    assert desk.history(next_booking).count("reassigned") == 1
    assert stops(box) == []
    assert desk.audit() == []


def test_two_bookings_are_not_moved_to_one_evse(box, desk, card, next_booking):
    """Two vehicles stay at once, and there is one EVSE for both drivers."""
    second = beside(box)
    with box.database.reading() as session:
        other = Box(
            box.database, second, session.get_one(Evse, second).charger_id
        ).connect()
    other.start(card, meter=7)
    (mira,) = desk.drivers(1)
    hers = desk.book(
        a_slot(after_hours=1), user_id=mira, evse_id=second, now=NOON + 30 * MINUTE
    )
    desk.pay(hers, now=NOON + 30 * MINUTE)
    free = beside(box)

    def go(_):
        try:
            protect(box, NEXT - MINUTE)
        except DomainError as refusal:
            return type(refusal).__name__
        return "done"

    with ThreadPoolExecutor(4) as rounds:
        list(rounds.map(go, range(4)))

    at = [desk.read(each.id).evse_id for each in (next_booking, hers)]
    assert at.count(free) == 1
    assert desk.audit() == []
