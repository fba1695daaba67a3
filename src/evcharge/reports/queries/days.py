"""What happened on which day: accounts, bookings, money."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Subquery,
    and_,
    case,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from evcharge.accounts.models import User
from evcharge.accounts.rules import UserStatus
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.payments.models import CheckoutItem, Payment, Refund
from evcharge.payments.rules import COLLECTED
from evcharge.reports.queries.scope import Instant, epoch, is_theirs
from evcharge.reports.rules import DAY_SECONDS, SECONDS_EAST, PerDay, second_of_day
from evcharge.stations.queries import Scope


def users_per_day(session: Session, *, since: datetime, now: datetime) -> PerDay:
    """Count accounts by the day they were opened; those from before `since` are day 0,
    so that all together are everybody."""
    happened = (
        select(
            case((User.created_at >= since, _local(User.created_at)), else_=0).label(
                "local"
            ),
            literal(1).label("value"),
        )
        .where(User.status != UserStatus.DELETED)
        .subquery()
    )
    return _per_day(session, happened, now=now)


def bookings_per_day(
    session: Session, scope: Scope, *, since: datetime, now: datetime
) -> PerDay:
    """Count bookings by the day they were made; holds nobody paid for do not count."""
    happened = (
        select(_local(Booking.created_at).label("local"), literal(1).label("value"))
        .where(Booking.created_at >= since, is_counted(), is_theirs(Booking.id, scope))
        .subquery()
    )
    return _per_day(session, happened, now=now)


def is_counted() -> ColumnElement[bool]:
    """Whether this was a booking, and not a hold only."""
    return and_(
        Booking.hold_expires_at.is_(None), Booking.status != BookingStatus.EXPIRED
    )


def revenue_per_day(
    session: Session, scope: Scope, *, since: datetime, now: datetime
) -> PerDay:
    """Add up what came in less what was promised back, in paise, by day."""
    came_in = select(
        _local(Payment.paid_at).label("local"),
        CheckoutItem.amount_paise.label("value"),
    ).where(*_came_in(scope, since=since))
    went_back = select(
        _local(Refund.created_at).label("local"), (-Refund.amount_paise).label("value")
    ).where(*_went_back(scope, since=since))
    happened = union_all(
        came_in.join(CheckoutItem, CheckoutItem.checkout_id == Payment.checkout_id),
        went_back,
    ).subquery()
    return _per_day(session, happened, now=now)


def _per_day(session: Session, happened: Subquery, *, now: datetime) -> PerDay:
    """Sum values by local day; `early` up to and with the present second of the day."""
    local, value = happened.c.local, happened.c.value
    day = func.floor(local / DAY_SECONDS)
    is_early = local % DAY_SECONDS <= second_of_day(now)
    early = func.sum(case((is_early, value), else_=0))
    rows = session.execute(select(day, func.sum(value), early).group_by(day)).all()
    return PerDay(
        whole={int(row[0]): int(row[1]) for row in rows},
        early={int(row[0]): int(row[2]) for row in rows},
    )


def _local(at: Instant) -> ColumnElement[Any]:
    return epoch(at) + SECONDS_EAST


# ── people and bookings of any stretch ─────────────────────────────────────────


@dataclass(frozen=True)
class UserCount:
    """Everybody by now, and those of them whose account is from the stretch."""

    total: int
    new: int


@dataclass(frozen=True)
class BookingCount:
    """Bookings made in a stretch by what became of them, and holds nobody paid for."""

    by_status: dict[BookingStatus, int]
    unpaid_holds: int

    @property
    def total(self) -> int:
        return sum(self.by_status.values())


def users_between(session: Session, *, since: datetime, until: datetime) -> UserCount:
    is_new = and_(User.created_at >= since, User.created_at < until)
    new = func.coalesce(func.sum(case((is_new, 1), else_=0)), 0)
    row = session.execute(
        select(func.count(), new).where(User.status != UserStatus.DELETED)
    ).one()
    return UserCount(int(row[0]), int(row[1]))


def bookings_between(
    session: Session, scope: Scope, *, since: datetime, until: datetime
) -> BookingCount:
    counted = case((is_counted(), 1), else_=0)
    rows = session.execute(
        select(Booking.status, func.sum(counted), func.count())
        .where(
            Booking.created_at >= since,
            Booking.created_at < until,
            is_theirs(Booking.id, scope),
        )
        .group_by(Booking.status)
    ).all()
    return BookingCount(
        by_status={status: int(number) for status, number, _ in rows if number},
        unpaid_holds=sum(int(every) - int(number) for _, number, every in rows),
    )


# ── money ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Revenue:
    came_in_paise: int
    went_back_paise: int

    @property
    def collected_paise(self) -> int:
        return self.came_in_paise - self.went_back_paise


def revenue_between(
    session: Session, scope: Scope, *, since: datetime | None, until: datetime | None
) -> Revenue:
    came_in = (
        select(func.coalesce(func.sum(CheckoutItem.amount_paise), 0))
        .join(Payment, Payment.checkout_id == CheckoutItem.checkout_id)
        .where(*_came_in(scope, since=since, until=until))
        .scalar_subquery()
    )
    went_back = (
        select(func.coalesce(func.sum(Refund.amount_paise), 0))
        .where(*_went_back(scope, since=since, until=until))
        .scalar_subquery()
    )
    row = session.execute(select(came_in, went_back)).one()
    return Revenue(int(row[0]), int(row[1]))


def _came_in(
    scope: Scope, *, since: datetime | None, until: datetime | None = None
) -> Iterable[ColumnElement[bool]]:
    yield Payment.status.in_(COLLECTED)
    yield is_theirs(CheckoutItem.item_id, scope)
    if since is not None:
        yield Payment.paid_at >= since
    if until is not None:
        yield Payment.paid_at < until


def _went_back(
    scope: Scope, *, since: datetime | None, until: datetime | None = None
) -> Iterable[ColumnElement[bool]]:
    """A refund counts from when it is promised: from then on the money is not ours."""
    yield is_theirs(Refund.item_id, scope)
    if since is not None:
        yield Refund.created_at >= since
    if until is not None:
        yield Refund.created_at < until
