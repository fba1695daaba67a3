"""What payments and bookings have to tell each other."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking
from evcharge.bookings.queries import bookable_evses, booking_by_id
from evcharge.bookings.rules import (
    PROVIDER,
    Actor,
    ActorKind,
    BookingEventKind,
    BookingPayment,
    BookingStatus,
    Limits,
)
from evcharge.bookings.service.alter import check_live, locked_booking, pay_back
from evcharge.bookings.service.book import reap
from evcharge.bookings.service.changes import expire, must_change, record, tell
from evcharge.bookings.service.claims import release, try_claim
from evcharge.payments import service as payments
from evcharge.payments.models import Checkout
from evcharge.payments.rules import Item, ItemKind, NothingToPay
from evcharge.stations.queries import location_of_evse
from evcharge.stations.rules import EvseNotFound


def open_checkout(
    session: Session, *, booking_id: UUID, user_id: int, limits: Limits, now: datetime
) -> Checkout:
    """Ask for what is due; a hold is extended, once, so that there is time to pay.

    Raises: BookingNotFound, BookingNotActive, NothingToPay.
    """
    booking = locked_booking(session, booking_id, user_id=user_id)
    check_live(booking, now=now)
    if not booking.due_paise:
        raise NothingToPay(booking_id=booking_id)

    # In all, whatever the number of tries: pressing Pay again buys no more time.
    deadline = booking.hold_expires_at
    extended = booking.created_at + limits.checkout
    if deadline and deadline < extended:
        must_change(session, booking, hold_expires_at=extended)
        record(
            session,
            booking,
            BookingEventKind.CHECKOUT_OPENED,
            actor=Actor(ActorKind.DRIVER, user_id),
            now=now,
            before=booking.status,
        )
        tell(session, booking)
    return payments.open_checkout(
        session,
        user_id=user_id,
        items=[
            Item(
                ItemKind.BOOKING,
                booking.id,
                booking.due_paise,
                location_of_evse(session, booking.evse_id),
            )
        ],
        description=f"Booking {booking.reference}",
        return_path=f"/bookings/{booking.id}",
        expires_at=booking.hold_expires_at or now + limits.checkout,
        now=now,
    )


def confirm_paid(
    session: Session,
    *,
    item_id: UUID,
    amount_paise: int,
    payment_id: UUID,
    now: datetime,
) -> None:
    """Take money for a booking: the one function that makes it PAID.

    Runs in the transaction of the payment's own change, with the driver's row
    locked, so that money and promise come together or not at all. Money for a
    booking that is over, or paid already, goes back by itself.
    """
    booking = booking_by_id(session, item_id, lock=True)
    if booking.has_lapsed(now=now) and not _can_be_had(session, booking, now=now):
        expire(session, booking, now=now)
    before = booking.status
    kept = before == BookingStatus.ACTIVE or _revive(session, booking, now=now)
    paid = booking.paid_paise + amount_paise
    settled = paid >= booking.amount_paise or not kept
    must_change(
        session,
        booking,
        paid_paise=paid,
        payment_status=BookingPayment.PAID if settled else BookingPayment.PENDING,
        hold_expires_at=None,  # Money has come in: no longer anyone's to reap.
    )
    back = paid - booking.amount_paise if kept else amount_paise
    returned = pay_back(session, booking, back, reason=_reason(kept), now=now)
    record(
        session,
        booking,
        BookingEventKind.PAID if kept else BookingEventKind.PAID_TOO_LATE,
        actor=PROVIDER,
        now=now,
        before=before,
        amount_paise=amount_paise,
        refund_paise=returned,
        payment_id=str(payment_id),
    )
    tell(session, booking)


def _can_be_had(session: Session, booking: Booking, *, now: datetime) -> bool:
    """Whether the slot is still to come, at a place that is still open."""
    if booking.ends_at <= now:
        return False
    try:
        return bookable_evses(session, [booking.evse_id])[booking.evse_id].is_open
    except EvseNotFound:  # Taken away altogether.
        return False


def _reason(kept: bool) -> str:
    return "Paid more than was due" if kept else "Paid after the slot was gone"


def _revive(session: Session, booking: Booking, *, now: datetime) -> bool:
    """Take the slot of an expired hold again, if nobody else has come since."""
    if booking.status != BookingStatus.EXPIRED:
        return False
    if not _can_be_had(session, booking, now=now):
        return False
    reap(session, [(booking.evse_id, booking.slot)], now=now)
    wanted = [(booking.evse_id, number, booking.id) for number in booking.slot.quarters]
    if not try_claim(session, wanted):
        release(session, booking.id)
        return False
    must_change(
        session,
        booking,
        status=BookingStatus.ACTIVE,
        sequence=booking.sequence + 1,
    )
    record(
        session,
        booking,
        BookingEventKind.REVIVED,
        actor=PROVIDER,
        now=now,
        before=BookingStatus.EXPIRED,
    )
    return True
