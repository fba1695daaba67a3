"""Attempts to pay, and the money that came in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import (
    InstrumentedAttribute,
    Session,
    contains_eager,
    raiseload,
    selectinload,
)
from sqlalchemy.sql.base import ExecutableOption

from evcharge.payments.models import Checkout, CheckoutItem, Payment, Refund
from evcharge.payments.queries.payers import is_of
from evcharge.payments.rules import (
    ASK_AFTER,
    ASK_FAILED_EVERY,
    ASK_FAILED_FOR,
    COLLECTED,
    ItemKind,
    Payer,
    PaymentNotFound,
    PaymentStatus,
)


def payment_of(session: Session, payment_id: UUID, payer: Payer) -> Payment:
    """Return a payment with its checkout and items.

    Raises: PaymentNotFound, also for somebody else's.
    """
    return _one(session, Payment.id == payment_id, is_of(payer), found=payment_id)


def payment_with_refunds(session: Session, payment_id: UUID, payer: Payer) -> Payment:
    """Return a payment with its checkout, items and refunds.

    Raises: PaymentNotFound, also for somebody else's.
    """
    return _one(
        session,
        Payment.id == payment_id,
        is_of(payer),
        found=payment_id,
        also=[selectinload(Payment.refunds)],
    )


def payment_by_id(session: Session, payment_id: UUID) -> Payment:
    """As `payment_of`, whoever's it is. Raises: PaymentNotFound."""
    return _one(session, Payment.id == payment_id, found=payment_id)


def payment_by_ref(session: Session, provider: str, ref: str) -> Payment:
    """Return a payment by its provider's name for it, with its checkout and items.

    Raises: PaymentNotFound.
    """
    return _one(
        session, Payment.provider == provider, Payment.provider_ref == ref, found=ref
    )


def _one(
    session: Session,
    *conditions: ColumnElement[bool],
    found: UUID | str,
    also: Sequence[ExecutableOption] = (),
) -> Payment:
    payment = session.scalar(
        select(Payment)
        .join(Payment.checkout)
        .where(*conditions)
        .options(
            contains_eager(Payment.checkout).selectinload(Checkout.items),
            *also,
            raiseload("*"),
        )
        .execution_options(populate_existing=True)
    )
    if payment is None:
        raise PaymentNotFound(payment=found)
    return payment


def paid_for_item(session: Session, kind: ItemKind, item_id: UUID) -> int:
    """Return how much came in for this, whatever went back since."""
    return (
        session.scalar(
            select(func.coalesce(func.sum(CheckoutItem.amount_paise), 0))
            .join(Payment, Payment.checkout_id == CheckoutItem.checkout_id)
            .where(
                CheckoutItem.kind == kind,
                CheckoutItem.item_id == item_id,
                Payment.status.in_(COLLECTED),
            )
        )
        or 0
    )


def payments_of_item(
    session: Session, kind: ItemKind, item_id: UUID
) -> Sequence[Payment]:
    """Return every attempt to pay for this, with its refunds, oldest first."""
    return session.scalars(
        select(Payment)
        .join(CheckoutItem, CheckoutItem.checkout_id == Payment.checkout_id)
        .where(CheckoutItem.kind == kind, CheckoutItem.item_id == item_id)
        .order_by(Payment.created_at, Payment.id)
        .options(selectinload(Payment.refunds), raiseload("*"))
    ).all()


def payments_to_ask_about(
    session: Session, *, now: datetime, limit: int
) -> Sequence[Payment]:
    """Return the attempts of which a webhook may have been missed, with checkouts.

    One with other money than we had asked for waits for a person, not for news.
    """
    is_waiting = and_(
        Payment.status == PaymentStatus.PENDING,
        Payment.failure.is_(None),
        Payment.created_at <= now - ASK_AFTER,
    )
    may_come_late = and_(
        Payment.status == PaymentStatus.FAILED,
        Payment.created_at.between(now - ASK_FAILED_FOR, now - ASK_AFTER),
        or_(Payment.checked_at.is_(None), Payment.checked_at <= now - ASK_FAILED_EVERY),
    )
    return session.scalars(
        select(Payment)
        .join(Payment.checkout)
        .where(or_(is_waiting, may_come_late))
        # Those never asked about come first, so that none waits forever.
        .order_by(Payment.checked_at.asc().nulls_first(), Payment.created_at)
        .limit(limit)
        .options(contains_eager(Payment.checkout), raiseload("*"))
    ).all()


def collected_paise(
    session: Session,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> int:
    """Return what came in between the two moments less what was promised back then."""
    came_in = select(func.sum(Payment.amount_paise)).where(
        Payment.status.in_(COLLECTED), *_between(Payment.paid_at, since, until)
    )
    went_back = select(func.sum(Refund.amount_paise)).where(
        *_between(Refund.created_at, since, until)
    )
    return (session.scalar(came_in) or 0) - (session.scalar(went_back) or 0)


def _between(
    moment: InstrumentedAttribute[Any], since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    return [
        *([moment >= since] if since else []),
        *([moment < until] if until else []),
    ]


def payments_list(
    *,
    status: PaymentStatus | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    item_ids: Select[UUID] | None = None,
) -> Select[Payment]:
    """Return the statement for a list of payments with items and refunds, newest
    first; the page that shows it adds LIMIT. `item_ids` (a SELECT of ids, such as an
    operator's bookings) keeps to the payments with one of those items."""
    statement = (
        select(Payment)
        .where(*_between(Payment.created_at, since, until))
        .order_by(Payment.created_at.desc(), Payment.id.desc())
        .options(
            selectinload(Payment.checkout).selectinload(Checkout.items),
            selectinload(Payment.refunds),
            raiseload("*"),
        )
    )
    if status is not None:
        statement = statement.where(Payment.status == status)
    if item_ids is not None:
        checkouts = select(CheckoutItem.checkout_id).where(
            CheckoutItem.item_id.in_(item_ids)
        )
        statement = statement.where(Payment.checkout_id.in_(checkouts))
    return statement
