"""Checkouts, and whether money came in for them."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import (
    Session,
    raiseload,
    selectinload,
)

from evcharge.payments.models import Checkout, CheckoutItem, Payment
from evcharge.payments.queries.payers import is_of
from evcharge.payments.rules import (
    COLLECTED,
    CheckoutNotFound,
    Item,
    Payer,
)


def checkout_of(session: Session, checkout_id: UUID, payer: Payer) -> Checkout:
    """Return a checkout with its items.

    Raises: CheckoutNotFound, also for somebody else's.
    """
    checkout = session.scalar(
        select(Checkout)
        .where(Checkout.id == checkout_id, is_of(payer))
        .options(selectinload(Checkout.items), raiseload("*"))
    )
    if checkout is None:
        raise CheckoutNotFound(checkout_id=checkout_id)
    return checkout


def payable_checkout_or_none(
    session: Session, *, payer: Payer, items: Iterable[Item], now: datetime
) -> Checkout | None:
    """Return the payer's checkout of exactly these items that can still be paid."""
    wanted = set(items)
    some = next(iter(wanted))
    candidates = session.scalars(
        select(Checkout)
        .join(Checkout.items)
        .where(
            CheckoutItem.item_id == some.item_id,
            CheckoutItem.kind == some.kind,
            is_of(payer),
            Checkout.expires_at > now,
            ~_is_paid(Checkout.id),
        )
        .order_by(Checkout.created_at.desc())
        .options(selectinload(Checkout.items), raiseload("*"))
        .execution_options(populate_existing=True)
    )
    return next((each for each in candidates if items_of(each) == wanted), None)


def items_of(checkout: Checkout) -> set[Item]:
    return {
        Item(row.kind, row.item_id, row.amount_paise, row.location_id)
        for row in checkout.items
    }


def is_paid(session: Session, checkout_id: UUID) -> bool:
    """Has money come in for this checkout, whatever went back since?"""
    return bool(session.scalar(select(_is_paid(checkout_id))))


def _is_paid(checkout_id: object) -> ColumnElement[bool]:
    return (
        select(Payment.id)
        .where(Payment.checkout_id == checkout_id, Payment.status.in_(COLLECTED))
        .exists()
    )
