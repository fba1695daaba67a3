"""What payments write into the ledger, in the transaction of what happened."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.ledger.rules import Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.payments.models import CheckoutItem, Due, Payment, Refund
from evcharge.payments.queries import RefundablePart
from evcharge.payments.rules import ItemKind


def post_payment(session: Session, payment: Payment, *, now: datetime) -> None:
    """Money came in: an advance on each item until that is billed."""
    post(
        session,
        (
            Entry(
                EntryKind.PAYMENT,
                f"payment:{payment.id}:{item.item_id}",
                item.amount_paise,
                now,
                item.kind,
                item.item_id,
                item.location_id,
                payment.provider,
            )
            for item in payment.checkout.items
        ),
    )


def post_old_payments(
    session: Session, kind: ItemKind, item_id: UUID, parts: Iterable[RefundablePart]
) -> None:
    """Make sure the ledger knows what came in: money from before there was a ledger
    may go back before the job that writes it down has come to it."""
    post(
        session,
        (
            Entry(
                EntryKind.PAYMENT,
                f"payment:{part.payment.id}:{item_id}",
                part.came_in_paise,
                part.payment.paid_at or part.payment.created_at,
                kind,
                item_id,
                part.location_id,
                part.payment.provider,
            )
            for part in parts
        ),
    )


def post_refund(
    session: Session,
    refund: Refund,
    part: RefundablePart,
    *,
    advance_paise: int,
    now: datetime,
) -> None:
    """Money was promised back: so much of it from what was not earned yet."""
    about = (refund.kind, refund.item_id, part.location_id, part.payment.provider)
    earned_paise = refund.amount_paise - advance_paise
    post(
        session,
        [
            Entry(EntryKind.REFUND, f"refund:{refund.id}", advance_paise, now, *about),
            Entry(EntryKind.RETURN, f"return:{refund.id}", earned_paise, now, *about),
        ],
    )


def post_refund_sent(session: Session, refund_id: UUID, *, now: datetime) -> None:
    """Money left for the payer's bank."""
    refund, payment, location_id = session.execute(
        select(Refund, Payment, CheckoutItem.location_id)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(
            CheckoutItem,
            (CheckoutItem.checkout_id == Payment.checkout_id)
            & (CheckoutItem.kind == Refund.kind)
            & (CheckoutItem.item_id == Refund.item_id),
        )
        .where(Refund.id == refund_id)
    ).one()
    post(
        session,
        [
            Entry(
                EntryKind.REFUND_SENT,
                f"refund_sent:{refund.id}",
                refund.amount_paise,
                now,
                refund.kind,
                refund.item_id,
                location_id,
                payment.provider,
            )
        ],
    )


def post_due_over(session: Session, due: Due, kind: EntryKind, at: datetime) -> None:
    """What was owed was paid, or is asked for no more."""
    entry = Entry(
        kind,
        f"{kind}:{due.id}",
        due.amount_paise,
        at,
        ItemKind.DUE,
        due.id,
        due.location_id,
    )
    post(session, [entry])
