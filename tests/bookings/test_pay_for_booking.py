import pytest

from desk import OPERATOR
from evcharge.bookings.rules import BookingNotActive, BookingNotFound
from evcharge.bookings.service import open_checkout
from evcharge.payments.queries import refunds_of_item
from evcharge.payments.rules import ItemKind, NothingToPay
from evcharge.stations.models import Evse
from evcharge.stations.rules import Lifecycle
from make import HOUR, MINUTE, NOON, PRICE_PAISE, a_slot


def refunds(desk, booking):
    with desk.database.reading() as session:
        found = refunds_of_item(session, ItemKind.BOOKING, booking.id)
        return [refund.amount_paise for refund in found]


def rebook_by_another(desk, *, now):
    (other,) = desk.drivers(1)
    return desk.book(user_id=other, now=now)


def test_money_turns_a_hold_into_a_booking(desk):
    booking = desk.book()

    desk.pay(booking)

    paid = desk.read(booking.id)
    assert (paid.status, paid.payment_status) == ("ACTIVE", "PAID")
    assert (paid.paid_paise, paid.hold_expires_at) == (PRICE_PAISE, None)
    assert desk.history(booking) == ["booked", "checkout_opened", "paid"]
    assert desk.audit() == []


def test_a_paid_booking_is_never_reaped(desk):
    booking = desk.book()
    desk.pay(booking)
    desk.database.publish = lambda topics: None

    with pytest.raises(Exception, match="already booked"):
        rebook_by_another(desk, now=NOON + 30 * MINUTE)


def test_opening_the_checkout_extends_the_hold_once_to_sixteen_minutes(desk):
    booking = desk.book()

    for minute in (1, 9, 15):
        desk.start_paying(booking, now=NOON + minute * MINUTE)
        assert desk.read(booking.id).hold_expires_at == NOON + 16 * MINUTE

    assert desk.history(booking).count("checkout_opened") == 1


def test_the_checkout_of_an_expired_hold_cannot_be_opened(desk):
    booking = desk.book()

    with pytest.raises(BookingNotActive):
        desk.start_paying(booking, now=NOON + 10 * MINUTE)


def test_what_is_paid_cannot_be_paid_again(desk):
    booking = desk.book()
    desk.pay(booking)

    with pytest.raises(NothingToPay):
        desk.start_paying(booking)


def test_the_checkout_of_another_driver_is_not_found(desk):
    booking = desk.book()
    (other,) = desk.drivers(1)

    with pytest.raises(BookingNotFound), desk.database.transaction() as session:
        open_checkout(
            session,
            booking_id=booking.id,
            user_id=other,
            limits=desk.limits,
            now=NOON,
        )


def test_late_money_counts_while_nobody_else_came(desk):
    booking = desk.book()
    ref = desk.start_paying(booking)

    desk.capture(ref, now=NOON + 30 * MINUTE)

    assert desk.read(booking.id).payment_status == "PAID"
    assert refunds(desk, booking) == []
    assert desk.audit() == []


def test_late_money_takes_back_an_expired_hold_whose_slot_is_free_again(desk):
    booking = desk.book()
    ref = desk.start_paying(booking)
    taker = rebook_by_another(desk, now=NOON + 16 * MINUTE)
    desk.cancel(taker, now=NOON + 17 * MINUTE)

    desk.capture(ref, now=NOON + 18 * MINUTE)

    revived = desk.read(booking.id)
    assert (revived.status, revived.payment_status) == ("ACTIVE", "PAID")
    assert desk.history(booking)[-3:] == ["expired", "revived", "paid"]
    assert desk.audit() == []


def test_late_money_for_a_slot_that_went_to_another_goes_back(desk):
    booking = desk.book()
    ref = desk.start_paying(booking)
    rebook_by_another(desk, now=NOON + 16 * MINUTE)

    desk.capture(ref, now=NOON + 18 * MINUTE)

    lost = desk.read(booking.id)
    assert (lost.status, lost.payment_status) == ("EXPIRED", "PAID")
    assert refunds(desk, booking) == [PRICE_PAISE]
    assert desk.history(booking)[-1] == "paid_too_late"
    assert desk.audit() == []


def test_late_money_for_a_slot_that_is_over_goes_back(desk):
    booking = desk.book()
    ref = desk.start_paying(booking)
    taker = rebook_by_another(desk, now=NOON + 16 * MINUTE)
    desk.cancel(taker, now=NOON + 17 * MINUTE)

    desk.capture(ref, now=booking.ends_at)

    assert desk.read(booking.id).status == "EXPIRED"
    assert refunds(desk, booking) == [PRICE_PAISE]


@pytest.mark.parametrize("late", [30 * MINUTE, 3 * HOUR])
def test_late_money_for_a_lapsed_hold_nobody_reaped_is_no_better(desk, late):
    """The hold is still ACTIVE: its slot is over by then, or the charger closed."""
    booking = desk.book()
    ref = desk.start_paying(booking)
    if NOON + late < booking.ends_at:
        with desk.database.transaction() as session:
            session.get_one(Evse, desk.evse_id).lifecycle = Lifecycle.INOPERATIVE

    desk.capture(ref, now=NOON + late)

    assert desk.read(booking.id).status == "EXPIRED"
    assert refunds(desk, booking) == [PRICE_PAISE]
    assert desk.history(booking)[-2:] == ["expired", "paid_too_late"]
    assert desk.audit() == []


def test_late_money_for_a_charger_closed_meanwhile_goes_back(desk):
    booking = desk.book()
    ref = desk.start_paying(booking)
    taker = rebook_by_another(desk, now=NOON + 16 * MINUTE)
    desk.cancel(taker, by=OPERATOR, now=NOON + 17 * MINUTE)
    with desk.database.transaction() as session:
        session.get_one(Evse, desk.evse_id).lifecycle = Lifecycle.INOPERATIVE

    desk.capture(ref, now=NOON + 18 * MINUTE)

    assert refunds(desk, booking) == [PRICE_PAISE]


def test_money_for_a_cancelled_booking_goes_back(desk):
    booking = desk.book()
    ref = desk.start_paying(booking)
    desk.cancel(booking)

    desk.capture(ref)

    cancelled = desk.read(booking.id)
    assert (cancelled.status, cancelled.paid_paise) == ("CANCELLED", 0)
    assert refunds(desk, booking) == [PRICE_PAISE]
    assert desk.audit() == []


def test_money_that_comes_twice_for_one_booking_goes_back_once(desk):
    booking = desk.book()
    first = desk.start_paying(booking)
    desk.move(booking, a_slot(hours=2), accept_amount_paise=2 * PRICE_PAISE)
    second = desk.start_paying(desk.read(booking.id))
    assert second != first

    desk.capture(second, 2 * PRICE_PAISE)
    desk.capture(first, PRICE_PAISE)

    assert desk.read(booking.id).paid_paise == 2 * PRICE_PAISE
    assert refunds(desk, booking) == [PRICE_PAISE]
    assert desk.audit() == []


def test_part_of_the_money_keeps_the_slot_and_leaves_the_rest_due(desk):
    booking = desk.book()
    ref = desk.start_paying(booking)
    desk.move(booking, a_slot(hours=2), accept_amount_paise=2 * PRICE_PAISE)

    desk.capture(ref, PRICE_PAISE)

    kept = desk.read(booking.id)
    assert (kept.payment_status, kept.due_paise) == ("PENDING", PRICE_PAISE)
    assert kept.hold_expires_at is None
    assert desk.audit() == []


def test_pages_hear_of_the_payment(desk):
    booking = desk.book()
    ref = desk.start_paying(booking)
    heard: list[str] = []
    desk.database.publish = heard.extend

    desk.capture(ref)

    assert f"booking:{booking.id}" in heard
    assert f"evse:{booking.evse_id}" in heard


def test_cancelling_after_paying_twice_over_time_returns_what_was_kept(desk):
    booking = desk.book()
    desk.pay(booking)
    desk.move(booking, a_slot(hours=2), accept_amount_paise=2 * PRICE_PAISE)
    desk.pay(booking)

    desk.cancel(booking, now=booking.starts_at - HOUR / 2)

    assert desk.read(booking.id).paid_paise == PRICE_PAISE
    assert sum(refunds(desk, booking)) == PRICE_PAISE
    assert desk.audit() == []
