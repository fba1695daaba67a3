"""Questions about money. Nothing here changes anything."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import (
    InstrumentedAttribute,
    Session,
    contains_eager,
    raiseload,
    selectinload,
)
from sqlalchemy.sql.base import ExecutableOption

from evcharge.accounts.queries import lock_guests, lock_user, lock_users
from evcharge.payments.models import Checkout, CheckoutItem, Due, Payment, Refund
from evcharge.payments.rules import (
    ASK_AFTER,
    ASK_BANK_REFERENCE_EVERY,
    ASK_BANK_REFERENCE_FOR,
    ASK_FAILED_EVERY,
    ASK_FAILED_FOR,
    ASK_REFUND_AFTER,
    ASK_REFUND_EVERY,
    COLLECTED,
    CheckoutNotFound,
    DueNotFound,
    Item,
    ItemKind,
    Payer,
    PaymentNotFound,
    PaymentStatus,
    RefundStatus,
)
from evcharge.stations.models import Location

MOST_DUES_SHOWN = 100


def lock_payer(session: Session, payer: Payer) -> None:
    """Make this transaction the only one that changes what this payer holds.

    Raises: UserNotFound, AccountSuspended, CheckoutNotFound for an unknown guest.
    """
    if payer.user_id is not None:
        lock_user(session, payer.user_id)
    elif payer.guest_id is None or not lock_guests(session, [payer.guest_id]):
        raise CheckoutNotFound(guest_id=payer.guest_id)


def lock_payers(session: Session, payers: Collection[Payer]) -> None:
    """As `lock_payer`, for what must go on whatever became of the account since.

    Users before guests, each by id: nobody waits in a circle.
    """
    users = [payer.user_id for payer in payers if payer.user_id is not None]
    guests = [payer.guest_id for payer in payers if payer.guest_id is not None]
    if users:
        lock_users(session, users)
    if guests:
        lock_guests(session, guests)


def _is_of(payer: Payer) -> ColumnElement[bool]:
    if payer.user_id is not None:
        return Checkout.user_id == payer.user_id
    return Checkout.guest_id == payer.guest_id


def checkout_of(session: Session, checkout_id: UUID, payer: Payer) -> Checkout:
    """Return a checkout with its items.

    Raises: CheckoutNotFound, also for somebody else's.
    """
    checkout = session.scalar(
        select(Checkout)
        .where(Checkout.id == checkout_id, _is_of(payer))
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
            _is_of(payer),
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


def payment_of(session: Session, payment_id: UUID, payer: Payer) -> Payment:
    """Return a payment with its checkout and items.

    Raises: PaymentNotFound, also for somebody else's.
    """
    return _one(session, Payment.id == payment_id, _is_of(payer), found=payment_id)


def payment_with_refunds(session: Session, payment_id: UUID, payer: Payer) -> Payment:
    """Return a payment with its checkout, items and refunds.

    Raises: PaymentNotFound, also for somebody else's.
    """
    return _one(
        session,
        Payment.id == payment_id,
        _is_of(payer),
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


def payer_of(session: Session, provider: str, ref: str) -> Payer:
    """Return whose payment this is. Raises: PaymentNotFound."""
    row = session.execute(
        select(Checkout.user_id, Checkout.guest_id)
        .join(Payment, Payment.checkout_id == Checkout.id)
        .where(Payment.provider == provider, Payment.provider_ref == ref)
    ).one_or_none()
    if row is None:
        raise PaymentNotFound(payment=ref)
    return Payer(*row)


def payers_of_item(session: Session, kind: ItemKind, item_id: UUID) -> list[Payer]:
    """Return who was ever asked to pay for this."""
    rows = session.execute(
        select(Checkout.user_id, Checkout.guest_id)
        .join(Checkout.items)
        .where(CheckoutItem.kind == kind, CheckoutItem.item_id == item_id)
        .distinct()
    )
    return [Payer(*row) for row in rows]


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


def due_by_id(
    session: Session,
    due_id: UUID,
    *,
    payer: Payer | None = None,
    operator_ids: Collection[int] | None = None,
    lock: bool = False,
) -> Due:
    """Raises: DueNotFound; with `payer` or `operator_ids` also for anybody else's."""
    statement = select(Due).where(Due.id == due_id).options(raiseload("*"))
    if payer is not None:
        statement = statement.where(
            Due.user_id.is_not_distinct_from(payer.user_id),
            Due.guest_id.is_not_distinct_from(payer.guest_id),
        )
    if operator_ids is not None:
        statement = statement.join(Location, Location.id == Due.location_id).where(
            Location.operator_id.in_(operator_ids)
        )
    if lock:
        statement = statement.with_for_update(of=Due)
    due = session.scalar(statement.execution_options(populate_existing=True))
    if due is None:
        raise DueNotFound(due_id=due_id)
    return due


def due_of_item(session: Session, kind: ItemKind, item_id: UUID) -> Due | None:
    """Return what is or was owed for a booking or session, if anything ever was."""
    return session.scalar(
        select(Due).where(Due.item_id == item_id, Due.item_kind == kind)
    )


def open_dues(
    session: Session, user_id: int | None = None, *, guest_id: UUID | None = None
) -> Sequence[Due]:
    """Return what a user or a guest owes, oldest first."""
    payer = Payer(user_id, guest_id)
    return session.scalars(
        select(Due)
        .where(
            Due.user_id == payer.user_id
            if guest_id is None
            else Due.guest_id == payer.guest_id,
            *_still_owed(),
        )
        .order_by(Due.created_at, Due.id)
    ).all()


def dues_of_user(session: Session, user_id: int) -> Sequence[Due]:
    """Return what a user owes or ever owed: open ones first, then the newest."""
    return session.scalars(
        select(Due)
        .where(Due.user_id == user_id)
        .order_by(~and_(*_still_owed()), Due.created_at.desc(), Due.id.desc())
        .limit(MOST_DUES_SHOWN)
    ).all()


def overdue_dues(session: Session, user_id: int, before: datetime) -> Sequence[Due]:
    """Return what a user has owed since before a moment, oldest first."""
    return session.scalars(_OVERDUE, {"user_id": user_id, "before": before}).all()


def _still_owed() -> tuple[ColumnElement[bool], ...]:
    return Due.paid_at.is_(None), Due.waived_at.is_(None)


# Built once: every booking asks.
_OVERDUE = (
    select(Due)
    .where(
        Due.user_id == bindparam("user_id"),
        Due.created_at < bindparam("before"),
        *_still_owed(),
    )
    .order_by(Due.created_at, Due.id)
)


def owed_paise(session: Session, user_id: int) -> int:
    """Return how much a user owes in all."""
    return sum(due.amount_paise for due in open_dues(session, user_id))


def dues_list(
    *, operator_ids: Collection[int] | None = None, is_open: bool | None = None
) -> Select[Due]:
    """Return the statement for a list of dues, newest first; the page that shows it
    adds LIMIT. `operator_ids` keeps to those of these operators."""
    statement = select(Due).order_by(Due.created_at.desc(), Due.id.desc())
    if operator_ids is not None:
        statement = statement.join(Location, Location.id == Due.location_id).where(
            Location.operator_id.in_(operator_ids)
        )
    if is_open is not None:
        still_owed = and_(*_still_owed())
        statement = statement.where(still_owed if is_open else ~still_owed)
    return statement
