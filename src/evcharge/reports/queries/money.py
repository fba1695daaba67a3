"""Payments and refunds of a network, one line each, as tables and files show them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    SQLColumnExpression,
    and_,
    func,
    select,
)
from sqlalchemy.orm import Session

from evcharge.accounts.models import Guest, User
from evcharge.bookings.models import Booking
from evcharge.charging.models import ChargingSession
from evcharge.payments.models import Checkout, CheckoutItem, Due, Payment, Refund
from evcharge.payments.rules import ItemKind, PaymentStatus, RefundStatus
from evcharge.stations.models import Location
from evcharge.stations.queries import Scope, in_scope

ROWS_AT_A_TIME = 500
GUEST = "Guest"


@dataclass(frozen=True)
class MoneyFilter:
    """`since` and `until` are about when the money came in, or went back; an attempt
    that brought none counts from when it was made."""

    scope: Scope
    status: PaymentStatus | RefundStatus | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class MoneyLine:
    """What one item has of a payment, or a refund of it.

    `about_kind`, `about_id`: the booking or session that was paid for, of a due too.
    """

    id: UUID
    at: datetime
    status: PaymentStatus | RefundStatus
    amount_paise: int
    note: str | None
    failure: str | None
    about_kind: ItemKind
    about_id: UUID
    reference: str
    location_name: str
    driver_name: str
    driver_email: str | None


_PLACE = (
    func.coalesce(Due.item_kind, CheckoutItem.kind, type_=Due.item_kind.type).label(
        "about_kind"
    ),
    func.coalesce(Due.item_id, CheckoutItem.item_id).label("about_id"),
    func.coalesce(
        Booking.reference, ChargingSession.reference, Due.reference, ""
    ).label("reference"),
    Location.name.label("location_name"),
    func.coalesce(User.name, GUEST).label("driver_name"),
    func.coalesce(User.email, Guest.email).label("driver_email"),
)
_PAID_AT = func.coalesce(
    Payment.paid_at, Payment.created_at, type_=Payment.created_at.type
)
_PAYMENT = (
    Payment.id,
    _PAID_AT.label("at"),
    Payment.status,
    CheckoutItem.amount_paise,
    Payment.method.label("note"),
    Payment.failure,
)
_REFUND = (
    Refund.id,
    Refund.created_at.label("at"),
    Refund.status,
    Refund.amount_paise,
    Refund.reason.label("note"),
    Refund.failure,
)


def count_payments(session: Session, wanted: MoneyFilter) -> int:
    return session.scalar(_payments(select(func.count()), wanted)) or 0


def count_refunds(session: Session, wanted: MoneyFilter) -> int:
    return session.scalar(_refunds(select(func.count()), wanted)) or 0


def payments_matching(
    session: Session, wanted: MoneyFilter, *, limit: int, offset: int
) -> Sequence[MoneyLine]:
    """Return a page of payments, the latest first."""
    statement = _listed_payments(wanted).limit(limit).offset(offset)
    return [_line(row) for row in session.execute(statement)]


def refunds_matching(
    session: Session, wanted: MoneyFilter, *, limit: int, offset: int
) -> Sequence[MoneyLine]:
    """Return a page of refunds, the latest first."""
    statement = _listed_refunds(wanted).limit(limit).offset(offset)
    return [_line(row) for row in session.execute(statement)]


def every_payment(session: Session, wanted: MoneyFilter) -> Iterator[MoneyLine]:
    return _stream(session, _listed_payments(wanted))


def every_refund(session: Session, wanted: MoneyFilter) -> Iterator[MoneyLine]:
    return _stream(session, _listed_refunds(wanted))


def refund_in_scope(session: Session, refund_id: UUID, scope: Scope) -> UUID | None:
    """Return the id again if there is such a refund on their network."""
    statement = _refunds(select(Refund.id), MoneyFilter(scope))
    found: UUID | None = session.scalar(statement.where(Refund.id == refund_id))
    return found


def _stream(
    session: Session, statement: Select[*tuple[Any, ...]]
) -> Iterator[MoneyLine]:
    """Yield all of them without holding them all."""
    rows = session.execute(statement, execution_options={"yield_per": ROWS_AT_A_TIME})
    return (_line(row) for row in rows)


def _line(row: Row[*tuple[Any, ...]]) -> MoneyLine:
    return MoneyLine(**row._mapping)


def _listed_payments(wanted: MoneyFilter) -> Select[*tuple[Any, ...]]:
    statement = _with_names(_payments(select(*_PAYMENT, *_PLACE), wanted))
    return statement.order_by(_PAID_AT.desc(), Payment.id.desc(), CheckoutItem.item_id)


def _listed_refunds(wanted: MoneyFilter) -> Select[*tuple[Any, ...]]:
    statement = _with_names(_refunds(select(*_REFUND, *_PLACE), wanted))
    return statement.order_by(Refund.created_at.desc(), Refund.id.desc())


def _payments(
    statement: Select[*tuple[Any, ...]], wanted: MoneyFilter
) -> Select[*tuple[Any, ...]]:
    lines = statement.select_from(Payment).join(
        CheckoutItem, CheckoutItem.checkout_id == Payment.checkout_id
    )
    return _placed(lines).where(*_within(wanted, _PAID_AT, Payment.status))


def _refunds(
    statement: Select[*tuple[Any, ...]], wanted: MoneyFilter
) -> Select[*tuple[Any, ...]]:
    lines = (
        statement.select_from(Refund)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(
            CheckoutItem,
            and_(
                CheckoutItem.checkout_id == Payment.checkout_id,
                CheckoutItem.kind == Refund.kind,
                CheckoutItem.item_id == Refund.item_id,
            ),
        )
    )
    return _placed(lines).where(*_within(wanted, Refund.created_at, Refund.status))


def _placed(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return statement.join(Location, Location.id == CheckoutItem.location_id)


def _with_names(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Join what a line says of whom and what; an item is one of three things."""
    item_id = CheckoutItem.item_id
    return (
        statement.join(Checkout, Checkout.id == Payment.checkout_id)
        .outerjoin(User, User.id == Checkout.user_id)
        .outerjoin(Guest, Guest.id == Checkout.guest_id)
        .outerjoin(Booking, Booking.id == item_id)
        .outerjoin(ChargingSession, ChargingSession.id == item_id)
        .outerjoin(Due, Due.id == item_id)
    )


def _within(
    wanted: MoneyFilter, at: SQLColumnExpression[Any], status: SQLColumnExpression[Any]
) -> Iterable[ColumnElement[bool]]:
    yield in_scope(wanted.scope)
    if wanted.status is not None:
        yield status == wanted.status
    if wanted.since is not None:
        yield at >= wanted.since
    if wanted.until is not None:
        yield at < wanted.until


# ── what drivers still owe ───────────────────────────────────────────────────────


@dataclass(frozen=True)
class DueLine:
    due: Due
    location_name: str
    driver_name: str
    driver_email: str | None


def count_dues(session: Session, scope: Scope, *, is_open: bool) -> int:
    return session.scalar(_dues(select(func.count(Due.id)), scope, is_open)) or 0


def owed_paise(session: Session, scope: Scope) -> int:
    owed = _dues(select(func.coalesce(func.sum(Due.amount_paise), 0)), scope, True)
    return int(session.scalar(owed) or 0)


def dues_matching(
    session: Session, scope: Scope, *, is_open: bool, limit: int, offset: int
) -> Sequence[DueLine]:
    """Return a page of dues: of open ones the oldest first, else the latest."""
    order = Due.created_at.asc() if is_open else Due.created_at.desc()
    rows = session.execute(
        _dues(
            select(
                Due,
                Location.name,
                func.coalesce(User.name, GUEST),
                func.coalesce(User.email, Guest.email),
            ),
            scope,
            is_open,
        )
        .outerjoin(User, User.id == Due.user_id)
        .outerjoin(Guest, Guest.id == Due.guest_id)
        .order_by(order, Due.id)
        .limit(limit)
        .offset(offset)
    )
    return [DueLine(*row) for row in rows]


def due_in_scope(session: Session, due_id: UUID, scope: Scope) -> UUID | None:
    """Return the id again if there is such a due on their network."""
    found: UUID | None = session.scalar(
        select(Due.id)
        .join(Location, Location.id == Due.location_id)
        .where(Due.id == due_id, in_scope(scope))
    )
    return found


def _dues(
    statement: Select[*tuple[Any, ...]], scope: Scope, is_open: bool
) -> Select[*tuple[Any, ...]]:
    still_owed = and_(Due.paid_at.is_(None), Due.waived_at.is_(None))
    return (
        statement.select_from(Due)
        .join(Location, Location.id == Due.location_id)
        .where(in_scope(scope), still_owed if is_open else ~still_owed)
    )
