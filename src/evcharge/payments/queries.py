"""Questions about money. Nothing here changes anything."""

from collections.abc import Collection, Iterable, Sequence
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

from evcharge.payments.models import Checkout, CheckoutItem, Payment, Refund
from evcharge.payments.rules import (
    ASK_AFTER,
    ASK_FAILED_EVERY,
    ASK_FAILED_FOR,
    COLLECTED,
    CheckoutNotFound,
    Item,
    ItemKind,
    PaymentNotFound,
    PaymentStatus,
)


def checkout_of_user(session: Session, checkout_id: UUID, user_id: int) -> Checkout:
    """Return a checkout with its items.

    Raises: CheckoutNotFound, also for somebody else's.
    """
    checkout = session.scalar(
        select(Checkout)
        .where(Checkout.id == checkout_id, Checkout.user_id == user_id)
        .options(selectinload(Checkout.items), raiseload("*"))
    )
    if checkout is None:
        raise CheckoutNotFound(checkout_id=checkout_id)
    return checkout


def payable_checkout_or_none(
    session: Session, *, user_id: int, items: Iterable[Item], now: datetime
) -> Checkout | None:
    """Return the user's checkout of exactly these items that can still be paid."""
    wanted = set(items)
    some = next(iter(wanted))
    candidates = session.scalars(
        select(Checkout)
        .join(Checkout.items)
        .where(
            CheckoutItem.item_id == some.item_id,
            CheckoutItem.kind == some.kind,
            Checkout.user_id == user_id,
            Checkout.expires_at > now,
            ~_is_paid(Checkout.id),
        )
        .order_by(Checkout.created_at.desc())
        .options(selectinload(Checkout.items), raiseload("*"))
        .execution_options(populate_existing=True)
    )
    return next((each for each in candidates if items_of(each) == wanted), None)


def items_of(checkout: Checkout) -> set[Item]:
    return {Item(row.kind, row.item_id, row.amount_paise) for row in checkout.items}


def is_paid(session: Session, checkout_id: UUID) -> bool:
    """Has money come in for this checkout, whatever went back since?"""
    return bool(session.scalar(select(_is_paid(checkout_id))))


def _is_paid(checkout_id: object) -> ColumnElement[bool]:
    return (
        select(Payment.id)
        .where(Payment.checkout_id == checkout_id, Payment.status.in_(COLLECTED))
        .exists()
    )


def payment_of_user(session: Session, payment_id: UUID, user_id: int) -> Payment:
    """Return a payment with its checkout and items.

    Raises: PaymentNotFound, also for somebody else's.
    """
    return _one(
        session, Payment.id == payment_id, Checkout.user_id == user_id, found=payment_id
    )


def payment_by_ref(session: Session, provider: str, ref: str) -> Payment:
    """Return a payment by its provider's name for it, with its checkout and items.

    Raises: PaymentNotFound.
    """
    return _one(
        session, Payment.provider == provider, Payment.provider_ref == ref, found=ref
    )


def _one(
    session: Session, *conditions: ColumnElement[bool], found: UUID | str
) -> Payment:
    payment = session.scalar(
        select(Payment)
        .join(Payment.checkout)
        .where(*conditions)
        .options(
            contains_eager(Payment.checkout).selectinload(Checkout.items),
            raiseload("*"),
        )
        .execution_options(populate_existing=True)
    )
    if payment is None:
        raise PaymentNotFound(payment=found)
    return payment


def payer_of(session: Session, provider: str, ref: str) -> int:
    """Return whose payment this is. Raises: PaymentNotFound."""
    user_id = session.scalar(
        select(Checkout.user_id)
        .join(Payment, Payment.checkout_id == Checkout.id)
        .where(Payment.provider == provider, Payment.provider_ref == ref)
    )
    if user_id is None:
        raise PaymentNotFound(payment=ref)
    return user_id


def payers_of_item(session: Session, kind: ItemKind, item_id: UUID) -> list[int]:
    """Return who was ever asked to pay for this."""
    return list(
        session.scalars(
            select(Checkout.user_id)
            .join(Checkout.items)
            .where(CheckoutItem.kind == kind, CheckoutItem.item_id == item_id)
            .distinct()
        )
    )


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


def refundable_parts(
    session: Session, kind: ItemKind, item_id: UUID
) -> list[tuple[Payment, int]]:
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
            CheckoutItem.amount_paise - func.coalesce(promised.c.paise, 0),
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
    return [(payment, left) for payment, left in rows if left > 0]


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
