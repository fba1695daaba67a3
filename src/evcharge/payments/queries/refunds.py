"""What may go back, and what does."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import (
    Session,
    contains_eager,
    raiseload,
)

from evcharge.payments.models import CheckoutItem, Payment, Refund
from evcharge.payments.rules import (
    ASK_BANK_REFERENCE_EVERY,
    ASK_BANK_REFERENCE_FOR,
    ASK_REFUND_AFTER,
    ASK_REFUND_EVERY,
    COLLECTED,
    ItemKind,
    RefundStatus,
)


class RefundablePart(NamedTuple):
    """A payment that money for an item came in with, and what of it may go back."""

    payment: Payment
    came_in_paise: int
    left_paise: int
    location_id: int | None


def refundable_parts(
    session: Session, kind: ItemKind, item_id: UUID
) -> list[RefundablePart]:
    """Return the payments that money for this came in with, newest first, each with
    how much of it has not been promised back yet."""
    promised = (
        select(Refund.payment_id, func.sum(Refund.amount_paise).label("paise"))
        .where(Refund.kind == kind, Refund.item_id == item_id)
        .group_by(Refund.payment_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Payment,
            CheckoutItem.amount_paise,
            CheckoutItem.amount_paise - func.coalesce(promised.c.paise, 0),
            CheckoutItem.location_id,
        )
        .join(CheckoutItem, CheckoutItem.checkout_id == Payment.checkout_id)
        .outerjoin(promised, promised.c.payment_id == Payment.id)
        .where(
            CheckoutItem.kind == kind,
            CheckoutItem.item_id == item_id,
            Payment.status.in_(COLLECTED),
        )
        .order_by(Payment.paid_at.desc(), Payment.id.desc())
        .options(raiseload("*"))
        .execution_options(populate_existing=True)
    )
    parts = [RefundablePart(*row) for row in rows]
    return [part for part in parts if part.left_paise > 0]


def refunds_of_item(
    session: Session, kind: ItemKind, item_id: UUID
) -> Sequence[Refund]:
    """Return what went back or is on its way, oldest first."""
    return refunds_of_items(session, kind, [item_id]).get(item_id, [])


def refunds_of_items(
    session: Session, kind: ItemKind, item_ids: Collection[UUID]
) -> dict[UUID, list[Refund]]:
    """The same for many; only those with refunds are in the answer."""
    found: dict[UUID, list[Refund]] = {}
    for refund in session.scalars(
        select(Refund)
        .where(Refund.kind == kind, Refund.item_id.in_(item_ids))
        .order_by(Refund.created_at, Refund.id)
        .options(raiseload("*"))
    ):
        found.setdefault(refund.item_id, []).append(refund)
    return found


def refunds_to_ask_about(
    session: Session, *, now: datetime, limit: int
) -> Sequence[Refund]:
    """Return the refunds of which a webhook may have been missed, with payments: those
    under way for long, and those done whose bank reference is still to come."""

    def not_asked_for(pause: timedelta) -> ColumnElement[bool]:
        return or_(Refund.checked_at.is_(None), Refund.checked_at <= now - pause)

    is_under_way = and_(
        Refund.status == RefundStatus.SENT,
        Refund.sent_at <= now - ASK_REFUND_AFTER,
        not_asked_for(ASK_REFUND_EVERY),
    )
    has_no_reference = and_(
        Refund.status == RefundStatus.DONE,
        Refund.bank_reference.is_(None),
        Refund.done_at.between(now - ASK_BANK_REFERENCE_FOR, now - ASK_REFUND_AFTER),
        not_asked_for(ASK_BANK_REFERENCE_EVERY),
    )
    return session.scalars(
        select(Refund)
        .join(Refund.payment)
        .where(or_(is_under_way, has_no_reference))
        .order_by(Refund.checked_at.asc().nulls_first(), Refund.created_at)
        .limit(limit)
        .options(contains_eager(Refund.payment), raiseload("*"))
    ).all()
