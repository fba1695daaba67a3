"""What the questions of reports have in common: whose network, and whole seconds."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, extract, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from evcharge.bookings.models import Booking
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.queries import Scope, in_scope
from evcharge.stations.rules import Lifecycle

Instant = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]


def epoch(at: Instant) -> ColumnElement[Any]:
    # Whole seconds on both databases: SQLite knows no others.
    return func.floor(extract("epoch", at))


def bookings_of(scope: frozenset[int]) -> Select[UUID]:
    """A SELECT of the ids of all bookings on these operators' networks."""
    return (
        select(Booking.id)
        .join(Evse, Evse.id == Booking.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .where(in_scope(scope))
    )


def is_theirs(
    booking_id: InstrumentedAttribute[UUID], scope: Scope
) -> ColumnElement[bool]:
    return true() if scope is None else booking_id.in_(bookings_of(scope))


def is_in_service(scope: Scope) -> ColumnElement[bool]:
    """Whether drivers can book the EVSE of the statement."""
    return and_(in_scope(scope), Location.is_active, Evse.lifecycle == Lifecycle.ACTIVE)
