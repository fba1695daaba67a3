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
)
from sqlalchemy.orm import Session

from evcharge.accounts.models import User
from evcharge.accounts.rules import UserStatus
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.ledger.models import LedgerEntry
from evcharge.ledger.rules import EntryKind
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
    happened = (
        select(_local(LedgerEntry.at).label("local"), _COLLECTED.label("value"))
        .where(*_moved(scope, since=since))
        .subquery()
    )
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


# A refund counts from when it is promised: from then on the money is not ours.
_CAME_IN = (EntryKind.PAYMENT,)
_WENT_BACK = (EntryKind.REFUND, EntryKind.RETURN)
_COLLECTED = case(
    (LedgerEntry.kind.in_(_CAME_IN), LedgerEntry.amount_paise),
    else_=-LedgerEntry.amount_paise,
)


def revenue_between(
    session: Session, scope: Scope, *, since: datetime | None, until: datetime | None
) -> Revenue:
    rows = session.execute(
        select(LedgerEntry.kind, func.sum(LedgerEntry.amount_paise))
        .where(*_moved(scope, since=since, until=until))
        .group_by(LedgerEntry.kind)
    )
    sums = {kind: int(paise) for kind, paise in rows}
    return Revenue(
        came_in_paise=sum(sums.get(kind, 0) for kind in _CAME_IN),
        went_back_paise=sum(sums.get(kind, 0) for kind in _WENT_BACK),
    )


def _moved(
    scope: Scope, *, since: datetime | None, until: datetime | None = None
) -> Iterable[ColumnElement[bool]]:
    yield LedgerEntry.kind.in_([*_CAME_IN, *_WENT_BACK])
    if scope is not None:
        yield LedgerEntry.operator_id.in_(scope)
    if since is not None:
        yield LedgerEntry.at >= since
    if until is not None:
        yield LedgerEntry.at < until
