from dataclasses import replace
from datetime import timedelta

import pytest

import make
from evcharge.accounts.models import User
from evcharge.accounts.rules import AccountSuspended, UserNotFound, UserStatus
from evcharge.bookings.rules import (
    EvseNotBookable,
    KeyReused,
    SiteClosed,
    Slot,
    SlotNotBookable,
    SlotTaken,
    TooManyBookings,
    TooManyHolds,
)
from evcharge.bookings.service import book_slots
from evcharge.stations.models import Location
from evcharge.stations.rules import EvseNotFound, Lifecycle
from make import HOUR, MINUTE, NOON, a_request, a_slot


def test_a_free_slot_becomes_a_hold_for_ten_minutes(desk):
    booking = desk.book()

    assert (booking.status, booking.payment_status) == ("ACTIVE", "PENDING")
    assert booking.slot == a_slot()
    assert booking.amount_paise == make.PRICE_PAISE
    assert booking.hold_expires_at == NOON + 10 * MINUTE
    assert desk.history(booking) == ["booked"]
    assert desk.audit() == []


def test_a_booking_that_costs_nothing_is_paid_at_once(desk, database):
    with database.transaction() as session:
        free = make.an_evse(session, price_paise=0).id

    booking = desk.book(evse_id=free)

    assert (booking.payment_status, booking.hold_expires_at) == ("PAID", None)


@pytest.mark.parametrize(("hours", "started"), [(0.25, 1), (1, 1), (1.25, 2), (8, 8)])
def test_every_started_hour_is_charged(desk, hours, started):
    assert desk.book(a_slot(hours=hours)).amount_paise == started * make.PRICE_PAISE


@pytest.mark.parametrize(
    "other",
    [
        a_slot(after_hours=1, hours=2),
        a_slot(after_hours=0.5, hours=1),
        a_slot(after_hours=2.5, hours=1),
        a_slot(after_hours=1.5, hours=0.5),
        a_slot(after_hours=0.5, hours=4),
    ],
)
def test_an_overlapping_slot_is_refused_and_leaves_no_trace(desk, other):
    desk.book(a_slot(after_hours=1, hours=2))
    (second,) = desk.drivers(1)

    with pytest.raises(SlotTaken) as refusal:
        desk.book(other, user_id=second)

    assert refusal.value.details["evse_ids"] == [desk.evse_id]
    assert desk.audit() == []


def test_back_to_back_slots_do_not_clash(desk):
    desk.book(a_slot(after_hours=1, hours=1))

    desk.book(a_slot(after_hours=2, hours=1))


@pytest.mark.parametrize(
    ("slot", "reason"),
    [
        (a_slot(after_hours=-1), "passed"),
        (a_slot(after_hours=24 * 14 + 0.25), "14 days"),
        (a_slot(hours=0), "15 minutes"),
        (a_slot(hours=-1), "15 minutes"),
        (a_slot(hours=8.25), "8 hours"),
        (Slot(NOON + 5 * MINUTE, NOON + 65 * MINUTE), "quarter hour"),
        (Slot(NOON, NOON + HOUR + timedelta(seconds=1)), "quarter hour"),
    ],
)
def test_a_slot_outside_the_limits_is_refused_with_the_reason(desk, slot, reason):
    with pytest.raises(SlotNotBookable, match=reason):
        desk.book(slot)


def test_a_driver_at_the_charger_can_book_the_current_quarter_hour(desk):
    now = NOON + 7 * MINUTE

    booking = desk.book(Slot(NOON, NOON + HOUR), now=now)

    assert booking.starts_at == NOON


def test_an_unknown_evse_is_not_found(desk):
    with pytest.raises(EvseNotFound):
        desk.book(evse_id=404_404)


@pytest.mark.parametrize("lifecycle", [Lifecycle.PLANNED, Lifecycle.INOPERATIVE])
def test_an_evse_out_of_service_cannot_be_booked(desk, database, lifecycle):
    with database.transaction() as session:
        closed = make.an_evse(session, lifecycle=lifecycle).id

    with pytest.raises(EvseNotBookable):
        desk.book(evse_id=closed)


def test_a_closed_location_cannot_be_booked(desk, database):
    with database.transaction() as session:
        session.query(Location).update({"is_active": False})

    with pytest.raises(EvseNotBookable):
        desk.book()


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (UserStatus.SUSPENDED, AccountSuspended),
        (UserStatus.DELETED, UserNotFound),
    ],
)
def test_an_account_that_has_ended_cannot_book(desk, database, status, refusal):
    with database.transaction() as session:
        session.get_one(User, desk.user_id).status = status

    with pytest.raises(refusal):
        desk.book()


@pytest.mark.parametrize("hours", ["06:00-18:00", "19:00-06:00"])
def test_a_slot_outside_opening_hours_is_refused(desk, database, hours):
    """NOON is 17:30 in India: the slot is 18:30 to 19:30."""
    with database.transaction() as session:
        session.query(Location).update({"opening_hours": hours})

    with pytest.raises(SiteClosed, match="open"):
        desk.book()
    with pytest.raises(SiteClosed):
        desk.move(desk.book(a_slot(after_hours=OPEN_AT[hours])), a_slot())


OPEN_AT = {"06:00-18:00": 16, "19:00-06:00": 5}


# ── limits ───────────────────────────────────────────────────────────────────────


def test_a_third_unpaid_hold_is_refused(desk):
    for hours in (1, 2):
        desk.book(a_slot(after_hours=hours))

    with pytest.raises(TooManyHolds):
        desk.book(a_slot(after_hours=3))


def test_an_expired_hold_no_longer_counts(desk):
    for hours in (1, 2):
        desk.book(a_slot(after_hours=hours))

    desk.book(a_slot(after_hours=3), now=NOON + 10 * MINUTE)


def test_a_sixth_upcoming_booking_is_refused(desk):
    for hours in range(5):
        desk.pay(desk.book(a_slot(after_hours=hours)))

    with pytest.raises(TooManyBookings):
        desk.book(a_slot(after_hours=6))


# ── asking again ─────────────────────────────────────────────────────────────────


def test_the_same_request_again_is_the_same_booking(desk):
    first = desk.book(key="of this form")

    assert desk.book(key="of this form").id == first.id
    assert desk.history(first) == ["booked"]


def test_a_repeat_finds_the_first_booking_also_after_it_was_cancelled(desk):
    first = desk.book(key="of this form")
    desk.cancel(first)

    again = desk.book(key="of this form")

    assert (again.id, again.status) == (first.id, "CANCELLED")


def test_a_key_with_another_request_is_refused(desk):
    desk.book(key="of this form")

    with pytest.raises(KeyReused):
        desk.book(a_slot(after_hours=5), key="of this form")


def test_a_key_belongs_to_one_driver(desk):
    first = desk.book(key="of this form")
    (second,) = desk.drivers(1)

    other = desk.book(a_slot(after_hours=5), user_id=second, key="of this form")

    assert other.id != first.id


# ── several at once ──────────────────────────────────────────────────────────────


def book_trip(desk, evse_ids, *, user_id=None):
    requests = [
        a_request(evse_id, user_id=user_id or desk.user_id) for evse_id in evse_ids
    ]
    return desk.database.perform(
        lambda session: book_slots(session, requests, limits=desk.limits, now=NOON)
    )


def test_a_trip_is_booked_as_a_whole(desk):
    bookings = book_trip(desk, desk.evses(4))

    assert [booking.status for booking in bookings] == ["ACTIVE"] * 4
    assert desk.audit() == []


def test_a_trip_with_one_stop_taken_is_not_booked_at_all(desk):
    evse_ids = desk.evses(4)
    (other,) = desk.drivers(1)
    desk.book(evse_id=evse_ids[2], user_id=other)

    with pytest.raises(SlotTaken) as refusal:
        book_trip(desk, evse_ids)

    assert refusal.value.details["evse_ids"] == [evse_ids[2]]
    assert desk.audit() == []
    book_trip(desk, evse_ids[:2])


def test_a_trip_counts_against_the_upcoming_bookings(desk):
    desk = replace(desk, limits=replace(desk.limits, most_upcoming=3))

    with pytest.raises(TooManyBookings):
        book_trip(desk, desk.evses(4))


# ── expired holds ────────────────────────────────────────────────────────────────


def test_an_expired_hold_gives_way_in_the_same_moment(desk):
    hold = desk.book()
    (second,) = desk.drivers(1)
    late = NOON + 10 * MINUTE

    with pytest.raises(SlotTaken):
        desk.book(user_id=second, now=late - timedelta(seconds=1))
    booking = desk.book(user_id=second, now=late)

    assert booking.status == "ACTIVE"
    assert desk.read(hold.id).status == "EXPIRED"
    assert desk.history(hold) == ["booked", "expired"]
    assert desk.audit() == []


def test_a_hold_elsewhere_in_time_is_left_alone(desk):
    hold = desk.book(a_slot(after_hours=5))
    (second,) = desk.drivers(1)

    desk.book(user_id=second, now=NOON + 10 * MINUTE)

    assert desk.read(hold.id).status == "ACTIVE"
