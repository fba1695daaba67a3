from datetime import timedelta

import pytest

import make
from desk import OPERATOR
from evcharge.bookings.rules import (
    Actor,
    ActorKind,
    BookingNotActive,
    BookingNotFound,
    BookingStarted,
    ChargerWasSilent,
    PriceChanged,
    PriceFixed,
    SlotNotBookable,
    SlotTaken,
    TooEarly,
)
from evcharge.bookings.service import cancel_unpaid, mark_no_show
from evcharge.stations.models import Charger
from make import HOUR, MINUTE, NOON, PRICE_PAISE, a_slot

SECOND = timedelta(seconds=1)


# ── moving ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "target", [a_slot(after_hours=1.5), a_slot(after_hours=6), a_slot(hours=0.5)]
)
def test_a_move_takes_the_new_slot_and_frees_the_old(desk, target):
    booking = desk.book()

    moved = desk.move(booking, target)

    assert moved.slot == target
    assert moved.sequence == booking.sequence + 1
    assert desk.history(booking) == ["booked", "moved"]
    assert desk.audit() == []


def test_a_move_to_another_charger_takes_that_ones_price(desk, database):
    with database.transaction() as session:
        dear = make.an_evse(session, price_paise=2 * PRICE_PAISE).id
    booking = desk.book()

    moved = desk.move(
        booking, a_slot(), evse_id=dear, accept_amount_paise=2 * PRICE_PAISE
    )

    assert (moved.evse_id, moved.amount_paise) == (dear, 2 * PRICE_PAISE)
    assert desk.audit() == []


def test_a_move_onto_someone_else_is_refused_and_keeps_the_slot(desk):
    booking = desk.book()
    (other,) = desk.drivers(1)
    desk.book(a_slot(after_hours=2), user_id=other)

    with pytest.raises(SlotTaken):
        desk.move(booking, a_slot(after_hours=1.5))

    assert desk.read(booking.id).slot == a_slot()
    assert desk.audit() == []


def test_a_move_that_costs_more_waits_for_consent(desk):
    booking = desk.book()

    with pytest.raises(PriceChanged) as refusal:
        desk.move(booking, a_slot(hours=2))

    assert refusal.value.details["amount_paise"] == 2 * PRICE_PAISE
    assert desk.read(booking.id).slot == a_slot()


def test_consent_to_another_price_is_no_consent(desk):
    booking = desk.book()

    with pytest.raises(PriceChanged):
        desk.move(booking, a_slot(hours=3), accept_amount_paise=2 * PRICE_PAISE)


def test_a_paid_booking_moved_to_a_dearer_slot_is_kept_and_the_rest_is_due(desk):
    booking = desk.book()
    desk.pay(booking)

    moved = desk.move(
        booking, a_slot(hours=2), accept_amount_paise=2 * PRICE_PAISE, now=NOON
    )

    assert (moved.payment_status, moved.due_paise) == ("PENDING", PRICE_PAISE)
    assert moved.hold_expires_at is None
    desk.pay(moved)
    assert desk.read(booking.id).payment_status == "PAID"
    assert desk.audit() == []


def unpaid_swept(desk, *, now):
    return desk.database.perform(lambda session: cancel_unpaid(session, now=now))


def test_whoever_moves_to_a_dearer_slot_does_not_get_it_for_the_old_price(desk):
    booking = desk.book()
    desk.pay(booking)
    moved = desk.move(booking, a_slot(hours=2), accept_amount_paise=2 * PRICE_PAISE)

    assert unpaid_swept(desk, now=moved.starts_at - MINUTE) == 0
    assert unpaid_swept(desk, now=moved.starts_at) == 1

    ended = desk.read(booking.id)
    assert (ended.status, ended.paid_paise) == ("CANCELLED", 0)
    assert desk.audit() == []
    assert unpaid_swept(desk, now=moved.starts_at) == 0


def test_a_move_to_a_dearer_slot_that_was_paid_stands(desk):
    booking = desk.book()
    desk.pay(booking)
    moved = desk.move(booking, a_slot(hours=2), accept_amount_paise=2 * PRICE_PAISE)
    desk.pay(moved)

    assert unpaid_swept(desk, now=moved.starts_at) == 0
    assert desk.read(booking.id).status == "ACTIVE"


def test_a_paid_booking_moved_to_a_cheaper_slot_returns_the_difference(desk):
    booking = desk.book(a_slot(hours=2))
    desk.pay(booking)

    moved = desk.move(booking, a_slot(hours=1), accept_amount_paise=PRICE_PAISE)

    assert (moved.payment_status, moved.paid_paise) == ("PAID", PRICE_PAISE)
    assert desk.audit() == []


def test_moving_to_where_it_is_changes_nothing(desk):
    booking = desk.book()

    assert desk.move(booking, booking.slot).version == booking.version


def test_moving_is_no_way_round_late_cancelling(desk):
    booking = desk.book(a_slot(hours=2))
    desk.pay(booking)
    late = booking.starts_at - HOUR / 2

    desk.move(booking, a_slot(after_hours=24, hours=2), now=late)
    desk.cancel(booking, now=late)

    assert desk.read(booking.id).paid_paise == PRICE_PAISE
    assert desk.audit() == []


@pytest.mark.parametrize("hours", [1, 3])
def test_close_to_the_start_the_price_of_a_paid_booking_is_fixed(desk, hours):
    booking = desk.book(a_slot(hours=2))
    desk.pay(booking)

    with pytest.raises(PriceFixed):
        desk.move(
            booking,
            a_slot(after_hours=24, hours=hours),
            accept_amount_paise=hours * PRICE_PAISE,
            now=booking.starts_at - HOUR / 2,
        )


def test_a_hold_close_to_its_start_can_still_change_its_price(desk):
    booking = desk.book(a_slot(after_hours=0.25))

    moved = desk.move(booking, a_slot(hours=2), accept_amount_paise=2 * PRICE_PAISE)

    assert moved.free_until_minutes == 60


def test_an_expired_hold_cannot_be_moved(desk):
    booking = desk.book()

    with pytest.raises(BookingNotActive):
        desk.move(booking, a_slot(after_hours=2), now=NOON + 10 * MINUTE)


def test_a_booking_that_has_started_cannot_be_moved(desk):
    booking = desk.book()
    desk.pay(booking)

    with pytest.raises(BookingStarted):
        desk.move(booking, a_slot(after_hours=5), now=booking.starts_at)


def test_a_move_into_the_past_is_refused(desk):
    booking = desk.book()

    with pytest.raises(SlotNotBookable):
        desk.move(booking, a_slot(after_hours=-2))


def test_a_driver_cannot_move_the_booking_of_another(desk):
    booking = desk.book()
    (other,) = desk.drivers(1)

    with pytest.raises(BookingNotFound):
        desk.move(booking, a_slot(after_hours=2), user_id=other)


# ── cancelling ───────────────────────────────────────────────────────────────────


def test_cancelling_frees_the_slot(desk):
    booking = desk.book()
    (other,) = desk.drivers(1)

    cancelled = desk.cancel(booking)

    assert cancelled.status == "CANCELLED"
    assert desk.book(user_id=other).status == "ACTIVE"
    assert desk.audit() == []


def test_cancelling_again_is_success_and_changes_nothing(desk):
    booking = desk.book()
    desk.pay(booking)
    first = desk.cancel(booking)

    assert desk.cancel(booking).version == first.version
    assert desk.history(booking).count("cancelled") == 1
    assert desk.audit() == []


@pytest.mark.parametrize(
    ("before_start", "kept_percent"),
    [(HOUR, 0), (HOUR - SECOND, 50), (SECOND, 50), (0 * SECOND, 100)],
)
def test_what_comes_back_depends_on_how_late_it_is(desk, before_start, kept_percent):
    booking = desk.book()
    desk.pay(booking)

    desk.cancel(booking, now=booking.starts_at - before_start)

    assert desk.read(booking.id).paid_paise == PRICE_PAISE * kept_percent // 100
    assert desk.audit() == []


def test_when_the_operator_cancels_everything_comes_back(desk):
    booking = desk.book()
    desk.pay(booking)

    desk.cancel(booking, by=OPERATOR, now=booking.starts_at + MINUTE)

    assert desk.read(booking.id).paid_paise == 0
    assert desk.audit() == []


def test_a_booking_that_is_over_cannot_be_cancelled(desk):
    booking = desk.book()
    (other,) = desk.drivers(1)
    desk.book(user_id=other, now=NOON + 10 * MINUTE)

    with pytest.raises(BookingNotActive):
        desk.cancel(booking)


def test_a_driver_cannot_cancel_for_another(desk):
    booking = desk.book()
    (other,) = desk.drivers(1)

    with pytest.raises(BookingNotFound):
        desk.cancel(booking, by=Actor(ActorKind.DRIVER, other))


# ── not coming ───────────────────────────────────────────────────────────────────


def no_show(desk, booking, *, now):
    return desk.database.perform(
        lambda session: mark_no_show(
            session, booking_id=booking.id, actor=OPERATOR, now=now
        )
    )


def seen(database, at):
    with database.transaction() as session:
        session.query(Charger).update({"last_seen_at": at})


def test_a_driver_who_does_not_come_loses_the_slot_and_the_money(desk, database):
    booking = desk.book()
    desk.pay(booking)
    seen(database, booking.starts_at + MINUTE)

    ended = no_show(desk, booking, now=booking.starts_at + 15 * MINUTE)

    assert (ended.status, ended.paid_paise) == ("NO_SHOW", PRICE_PAISE)
    assert desk.audit() == []


def test_a_driver_has_a_quarter_of_an_hour_to_come(desk):
    booking = desk.book()
    desk.pay(booking)

    with pytest.raises(TooEarly):
        no_show(desk, booking, now=booking.starts_at + 15 * MINUTE - SECOND)


def test_a_silent_charger_proves_nothing(desk, database):
    booking = desk.book()
    desk.pay(booking)
    seen(database, booking.starts_at - MINUTE)

    with pytest.raises(ChargerWasSilent):
        no_show(desk, booking, now=booking.starts_at + 20 * MINUTE)
