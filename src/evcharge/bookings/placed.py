"""Bookings with their places, in one statement: what the REST API answers with."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, or_, select, tuple_
from sqlalchemy.orm import Session, raiseload

from evcharge.bookings.models import Booking
from evcharge.bookings.queries import is_expired_hold
from evcharge.bookings.rules import BookingNotFound, BookingStatus
from evcharge.stations.models import Charger, Evse, Location


@dataclass(frozen=True)
class Placed:
    """A booking and where it is."""

    booking: Booking
    charger: str
    evse_number: int
    location_id: int
    location_name: str
    address: str
    city: str
    timezone: str
    lat: float
    lon: float


@dataclass(frozen=True)
class BookingPosition:
    """Where a list of bookings goes on: after this one.

    It may come back from outside: what no list ever ended at is a ValueError.
    """

    starts_at: datetime
    id: UUID

    def __post_init__(self) -> None:
        if self.starts_at.utcoffset() != timedelta():
            raise ValueError("not in UTC")


_PLACED: Select[*tuple[Any, ...]] = (
    select(
        Booking,
        Charger.identity,
        Evse.number,
        Location.id,
        Location.name,
        Location.address,
        Location.city,
        Location.timezone,
        Location.lat,
        Location.lon,
    )
    .join(Evse, Evse.id == Booking.evse_id)
    .join(Charger, Charger.id == Evse.charger_id)
    .join(Location, Location.id == Charger.location_id)
    .options(raiseload("*"))
)


_PLACED_OF_USER = _PLACED.where(
    Booking.id == bindparam("booking_id"), Booking.user_id == bindparam("user_id")
)


def placed_booking(session: Session, booking_id: UUID, user_id: int) -> Placed:
    """Raises: BookingNotFound, also when the booking is someone else's."""
    row = session.execute(
        _PLACED_OF_USER, {"booking_id": booking_id, "user_id": user_id}
    ).one_or_none()
    if row is None:
        raise BookingNotFound(booking_id=booking_id)
    return Placed(*row)


def placed_bookings(
    session: Session,
    user_id: int,
    *,
    statuses: Collection[BookingStatus],
    after: BookingPosition | None,
    limit: int,
    now: datetime,
) -> tuple[list[Placed], BookingPosition | None]:
    """Return a driver's bookings, the latest start first, and where they go on."""
    rows = session.execute(
        _PLACED.where(
            Booking.user_id == user_id,
            *has_status(statuses, now=now),
            *follows(after),
        )
        .order_by(Booking.starts_at.desc(), Booking.id.desc())
        .limit(limit + 1)
    ).all()
    found = [Placed(*row) for row in rows[:limit]]
    last = found[-1].booking if len(rows) > limit else None
    return found, BookingPosition(last.starts_at, last.id) if last else None


def has_status(
    statuses: Collection[BookingStatus], *, now: datetime
) -> Iterator[ColumnElement[bool]]:
    """A hold whose time is up counts as EXPIRED; no `statuses` means all."""
    if not statuses:
        return
    # Not NULL for what has no deadline, or both this and its opposite would be.
    lapsed = and_(Booking.hold_expires_at.is_not(None), is_expired_hold(now))
    stored = and_(Booking.status.in_(statuses), ~lapsed)
    yield or_(stored, lapsed) if BookingStatus.EXPIRED in statuses else stored


def follows(after: BookingPosition | None) -> Iterator[ColumnElement[bool]]:
    if after is not None:
        place = tuple_(Booking.starts_at, Booking.id)
        yield place < (after.starts_at, after.id)
