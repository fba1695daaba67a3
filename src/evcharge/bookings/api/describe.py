"""A booking, or why there is none, in the API's words."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.billing.answers import bill_answer
from evcharge.billing.models import Bill
from evcharge.billing.queries import bill_of
from evcharge.bookings.alternatives import alternatives
from evcharge.bookings.api.shapes import Alternative, BookingAnswer, Place, RefundAnswer
from evcharge.bookings.asking import limits
from evcharge.bookings.placed import Placed
from evcharge.bookings.rules import BookingStatus, Slot, SlotTaken
from evcharge.bookings.service import refund_if_cancelled
from evcharge.payments.models import Refund
from evcharge.payments.queries import refunds_of_items
from evcharge.payments.rules import ItemKind, RefundStatus
from evcharge.web.api import Money
from evcharge.web.context import database


def with_alternatives(
    refusal: SlotTaken, evse_id: int, slot: Slot, now: datetime
) -> SlotTaken:
    # The request's own session may show how things were before the refusal.
    with database().reading() as session:
        offers = alternatives(
            session, evse_id=evse_id, slot=slot, limits=limits(), now=now
        )
    return SlotTaken(
        refusal.message,
        alternatives=[
            Alternative(
                evse_id=offer.evse_id,
                location_id=offer.location_id,
                location_name=offer.location_name,
                starts_at=offer.slot.starts_at,
                ends_at=offer.slot.ends_at,
                amount=Money.of(offer.amount_paise),
            )
            for offer in offers
        ],
    )


def answer(session: Session, placed: Placed, now: datetime) -> BookingAnswer:
    booking = placed.booking
    # Before any checkout there was no money, so none went back.
    known = booking.version > 1
    found = refunds_of_items(session, ItemKind.BOOKING, [booking.id]) if known else {}
    is_over = booking.status != BookingStatus.ACTIVE
    bill = bill_of(session, ItemKind.BOOKING, booking.id) if is_over else None
    return described(placed, found.get(booking.id, []), bill, now)


def described(
    placed: Placed, refunds: Sequence[Refund], bill: Bill | None, now: datetime
) -> BookingAnswer:
    booking = placed.booking
    status = booking.status_at(now)
    back = refund_if_cancelled(booking, by_driver=True, now=now)
    return BookingAnswer(
        id=booking.id,
        reference=booking.reference,
        status=status,
        payment_status=booking.payment_status,
        evse_id=booking.evse_id,
        evse_number=placed.evse_number,
        charger=placed.charger,
        location=Place(
            id=placed.location_id,
            name=placed.location_name,
            address=placed.address,
            city=placed.city,
            timezone=placed.timezone,
            lat=placed.lat,
            lon=placed.lon,
        ),
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        amount=Money.of(booking.amount_paise),
        price=booking.agreed.price_words() if booking.agreed else None,
        paid=Money.of(booking.paid_paise),
        due=Money.of(booking.due_paise if status == BookingStatus.ACTIVE else 0),
        hold_expires_at=booking.hold_expires_at,
        created_at=booking.created_at,
        refund_if_cancelled=Money.of(back) if status == BookingStatus.ACTIVE else None,
        refund=_refund(refunds),
        bill=bill_answer(bill),
    )


def _refund(refunds: Sequence[Refund]) -> RefundAnswer | None:
    if not refunds:
        return None
    slowest = min(refunds, key=lambda refund: _PROGRESS.index(refund.status))
    amount = sum(refund.amount_paise for refund in refunds)
    return RefundAnswer(amount_paise=amount, status=slowest.status)


_PROGRESS = (
    RefundStatus.FAILED,
    RefundStatus.CREATED,
    RefundStatus.SENT,
    RefundStatus.DONE,
)
