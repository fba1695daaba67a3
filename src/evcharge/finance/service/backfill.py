"""Money from before there was a ledger, written into it: once, however often asked."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session, raiseload

from evcharge.billing.models import Bill
from evcharge.bookings.models import Booking, BookingEvent
from evcharge.bookings.rules import BookingStatus
from evcharge.finance.old_bills import Site, entries_of_bill, old_bill
from evcharge.kernel.ids import new_id
from evcharge.ledger.models import LedgerEntry
from evcharge.ledger.rules import Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.payments.models import Checkout, CheckoutItem, Payment, Refund
from evcharge.payments.rules import COLLECTED, ItemKind, RefundStatus
from evcharge.stations.models import Charger, Evse, Location

BATCH = 500
_FIRST = UUID(int=0)


def write_old_money(session: Session, *, after: UUID | None) -> UUID | None:
    """Write what came in and went back for the next checkouts into the ledger.

    Return where to go on; None at the end. What is there already stays as it is.
    """
    checkouts = session.scalars(
        select(Checkout.id)
        .where(Checkout.id > (after or _FIRST))
        .order_by(Checkout.id)
        .limit(BATCH)
    ).all()
    if not checkouts:
        return None
    _say_where(session, checkouts)
    post(session, _payments(session, checkouts))
    post(session, _refunds(session, checkouts))
    return checkouts[-1]


def _say_where(session: Session, checkouts: Sequence[UUID]) -> None:
    location_id = (
        select(Charger.location_id)
        .join(Evse, Evse.charger_id == Charger.id)
        .join(Booking, Booking.evse_id == Evse.id)
        .where(Booking.id == CheckoutItem.item_id)
        .scalar_subquery()
    )
    session.execute(
        update(CheckoutItem)
        .where(
            CheckoutItem.checkout_id.in_(checkouts),
            CheckoutItem.location_id.is_(None),
            CheckoutItem.kind == ItemKind.BOOKING,
        )
        .values(location_id=location_id)
        .execution_options(synchronize_session=False)
    )


def _payments(session: Session, checkouts: Sequence[UUID]) -> Iterator[Entry]:
    rows = session.execute(
        select(
            Payment.id,
            Payment.paid_at,
            Payment.created_at,
            Payment.provider,
            CheckoutItem.kind,
            CheckoutItem.item_id,
            CheckoutItem.amount_paise,
            CheckoutItem.location_id,
        )
        .join(CheckoutItem, CheckoutItem.checkout_id == Payment.checkout_id)
        .where(Payment.checkout_id.in_(checkouts), Payment.status.in_(COLLECTED))
        .order_by(Payment.id)
    )
    for row in rows:
        yield Entry(
            EntryKind.PAYMENT,
            f"payment:{row.id}:{row.item_id}",
            row.amount_paise,
            row.paid_at or row.created_at,
            row.kind,
            row.item_id,
            row.location_id,
            row.provider,
        )


def _refunds(session: Session, checkouts: Sequence[UUID]) -> Iterator[Entry]:
    """A refund counts from when it was promised; one that is DONE has been sent."""
    rows = session.execute(
        select(Refund, Payment.provider, CheckoutItem.location_id)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(
            CheckoutItem,
            (CheckoutItem.checkout_id == Payment.checkout_id)
            & (CheckoutItem.item_id == Refund.item_id)
            & (CheckoutItem.kind == Refund.kind),
        )
        .where(Payment.checkout_id.in_(checkouts))
        .order_by(Refund.id)
        .options(raiseload("*"))
    ).all()
    returned = _out_of_sales(session, [row[0].id for row in rows])
    for refund, provider, location_id in rows:
        about = (refund.kind, refund.item_id, location_id, provider)
        paise = refund.amount_paise
        if refund.id not in returned:
            key = f"refund:{refund.id}"
            yield Entry(EntryKind.REFUND, key, paise, refund.created_at, *about)
        if refund.status == RefundStatus.DONE:
            key, at = f"refund_sent:{refund.id}", refund.done_at or refund.created_at
            yield Entry(EntryKind.REFUND_SENT, key, paise, at, *about)


def _out_of_sales(session: Session, refund_ids: Sequence[UUID]) -> set[UUID]:
    """Return those the ledger knows to be taken out of what was earned."""
    keys = {f"return:{refund_id}": refund_id for refund_id in refund_ids}
    known = select(LedgerEntry.key).where(LedgerEntry.key.in_(keys))
    return {keys[key] for key in session.scalars(known)}


# ── what was earned ──────────────────────────────────────────────────────────────


def bill_old_bookings(session: Session, *, until: datetime) -> int:
    """Write the bills of bookings that ended before there were any. Return how many.

    Without tax and without papers: that is how they were supplied.
    """
    rows = session.execute(
        select(Booking, Location)
        .join(Evse, Evse.id == Booking.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .where(
            Booking.status != BookingStatus.ACTIVE,
            Booking.paid_paise > 0,
            ~exists().where(Bill.item_id == Booking.id, Bill.kind == ItemKind.BOOKING),
            # Whatever ends by now is settled when it does.
            ~exists().where(
                BookingEvent.booking_id == Booking.id, BookingEvent.at >= until
            ),
        )
        .order_by(Booking.id)
        .limit(BATCH)
        .options(raiseload("*"))
    ).all()
    bills = [
        old_bill(
            new_id(),
            booking,
            Site(location.id, location.operator_id, location.name),
            until=until,
        )
        for booking, location in rows
    ]
    session.add_all(bills)
    post(session, chain.from_iterable(map(entries_of_bill, bills)))
    return len(rows)
