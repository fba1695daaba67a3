"""How much of the time on offer was booked."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking, MaintenanceBlock
from evcharge.bookings.rules import BookingPayment, BookingStatus, slot_start
from evcharge.reports.queries.scope import Instant, epoch, is_in_service
from evcharge.reports.rules import (
    QUARTER_SECONDS,
    Stretch,
    StretchKind,
    Usage,
    usage_of,
)
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.queries import Scope

# Bookings that fill a charger. A driver who did not come kept others out, too.
FILLING = (BookingStatus.ACTIVE, BookingStatus.COMPLETED, BookingStatus.NO_SHOW)
_EVER_AFTER = 2**40


def usage(session: Session, scope: Scope, *, first: int, end: int) -> Usage:
    """Return how many EVSEs were booked, and how many could have been, in each quarter
    hour of `[first, end)`. Those in service today count, since their charger came."""
    parts = (
        _booked(scope, first, end),
        _blocked(scope, first, end),
        _offered(scope, first),
    )
    rows = session.execute(union_all(*parts))
    stretches = (
        Stretch(StretchKind(kind), int(start), int(stop), int(count))
        for kind, start, stop, count in rows
    )
    return usage_of(stretches, first=first, end=end)


def _booked(scope: Scope, first: int, end: int) -> Select[*tuple[Any, ...]]:
    start, stop = _quarter(Booking.starts_at), _quarter(Booking.ends_at)
    return (
        _counted(StretchKind.BOOKED, start, stop)
        .select_from(Booking)
        .join(Evse, Evse.id == Booking.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .where(
            is_in_service(scope),
            Booking.status.in_(FILLING),
            Booking.payment_status == BookingPayment.PAID,
            Booking.starts_at < slot_start(end),
            Booking.ends_at > slot_start(first),
        )
        .group_by(start, stop)
    )


def _blocked(scope: Scope, first: int, end: int) -> Select[*tuple[Any, ...]]:
    is_lifted = and_(
        MaintenanceBlock.lifted_at.is_not(None),
        MaintenanceBlock.lifted_at < MaintenanceBlock.ends_at,
    )
    start = _quarter(MaintenanceBlock.starts_at)
    stop = case(
        (is_lifted, _quarter(MaintenanceBlock.lifted_at)),
        else_=_quarter(MaintenanceBlock.ends_at),
    )
    return (
        _counted(StretchKind.BLOCKED, start, stop)
        .select_from(MaintenanceBlock)
        .join(Evse, Evse.id == MaintenanceBlock.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .where(
            is_in_service(scope),
            MaintenanceBlock.starts_at < slot_start(end),
            MaintenanceBlock.ends_at > slot_start(first),
        )
        .group_by(start, stop)
    )


def _offered(scope: Scope, first: int) -> Select[*tuple[Any, ...]]:
    # Whatever stood there before the stretch begins is one row.
    is_old = Charger.created_at <= slot_start(first)
    start = case((is_old, 0), else_=_quarter(Charger.created_at))
    return (
        _counted(StretchKind.OFFERED, start, literal(_EVER_AFTER))
        .select_from(Evse)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .where(is_in_service(scope))
        .group_by(start)
    )


def _counted(
    kind: StretchKind, start: ColumnElement[Any], stop: ColumnElement[Any]
) -> Select[*tuple[Any, ...]]:
    return select(literal(kind.value), start, stop, func.count())


def _quarter(at: Instant) -> ColumnElement[Any]:
    return func.floor(epoch(at) / QUARTER_SECONDS)
