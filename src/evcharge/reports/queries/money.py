"""Payments and refunds of a network, one line each, as tables and files show them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, SQLColumnExpression, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from evcharge.accounts.models import User
from evcharge.bookings.models import Booking
from evcharge.payments.models import CheckoutItem, Payment, Refund
from evcharge.payments.rules import PaymentStatus, RefundStatus
from evcharge.reports.queries.scope import is_theirs
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.queries import Scope, in_scope

ROWS_AT_A_TIME = 500


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
    """What one booking has of a payment, or a refund of it."""

    id: UUID
    at: datetime
    status: PaymentStatus | RefundStatus
    amount_paise: int
    note: str | None
    failure: str | None
    booking_id: UUID
    reference: str
    location_name: str
    driver_name: str
    driver_email: str


_PLACE = (
    Booking.id.label("booking_id"),
    Booking.reference,
    Location.name.label("location_name"),
    User.name.label("driver_name"),
    User.email.label("driver_email"),
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
    return session.scalar(
        select(Refund.id).where(
            Refund.id == refund_id, is_theirs(Refund.item_id, scope)
        )
    )


def _stream(
    session: Session, statement: Select[*tuple[Any, ...]]
) -> Iterator[MoneyLine]:
    """Yield all of them without holding them all."""
    rows = session.execute(statement, execution_options={"yield_per": ROWS_AT_A_TIME})
    return (_line(row) for row in rows)


def _line(row: Row[*tuple[Any, ...]]) -> MoneyLine:
    return MoneyLine(**row._mapping)


def _listed_payments(wanted: MoneyFilter) -> Select[*tuple[Any, ...]]:
    statement = _payments(select(*_PAYMENT, *_PLACE), wanted)
    return statement.order_by(_PAID_AT.desc(), Payment.id.desc(), Booking.id)


def _listed_refunds(wanted: MoneyFilter) -> Select[*tuple[Any, ...]]:
    statement = _refunds(select(*_REFUND, *_PLACE), wanted)
    return statement.order_by(Refund.created_at.desc(), Refund.id.desc())


def _payments(
    statement: Select[*tuple[Any, ...]], wanted: MoneyFilter
) -> Select[*tuple[Any, ...]]:
    lines = statement.select_from(Payment).join(
        CheckoutItem, CheckoutItem.checkout_id == Payment.checkout_id
    )
    return _placed(lines, CheckoutItem.item_id).where(
        *_within(wanted, _PAID_AT, Payment.status)
    )


def _refunds(
    statement: Select[*tuple[Any, ...]], wanted: MoneyFilter
) -> Select[*tuple[Any, ...]]:
    return _placed(statement.select_from(Refund), Refund.item_id).where(
        *_within(wanted, Refund.created_at, Refund.status)
    )


def _placed(
    statement: Select[*tuple[Any, ...]], booking_id: InstrumentedAttribute[UUID]
) -> Select[*tuple[Any, ...]]:
    return (
        statement.join(Booking, Booking.id == booking_id)
        .join(User, User.id == Booking.user_id)
        .join(Evse, Evse.id == Booking.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
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
