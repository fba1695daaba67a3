"""The bookings of a network as operators look through them.

A `scope` names the operators whose network is meant; None means every one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.orm import Session, joinedload, raiseload, selectinload

from evcharge.accounts.models import User
from evcharge.accounts.rules import email_key
from evcharge.bookings.models import Booking, BookingEvent
from evcharge.bookings.placed import BookingPosition, follows, has_status
from evcharge.bookings.rules import (
    BookingNotFound,
    BookingPayment,
    BookingStatus,
    status_at,
)
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.queries import Scope, in_scope

ROWS_AT_A_TIME = 500


@dataclass(frozen=True)
class BookingFilter:
    """Which bookings; `since` and `until` are about when they start.

    `text` is a reference, or a part of the driver's e-mail address. `now` says which
    holds have lapsed.
    """

    scope: Scope
    now: datetime
    id: UUID | None = None
    status: BookingStatus | None = None
    payment: BookingPayment | None = None
    since: datetime | None = None
    until: datetime | None = None
    location_id: int | None = None
    text: str = ""


@dataclass(frozen=True)
class BookingLine:
    """A booking as a table shows it."""

    id: UUID
    reference: str
    status: BookingStatus
    payment_status: BookingPayment
    hold_expires_at: datetime | None
    starts_at: datetime
    ends_at: datetime
    amount_paise: int
    paid_paise: int
    created_at: datetime
    driver_id: int
    driver_name: str
    driver_email: str
    location_id: int
    location_name: str
    zone: str
    charger: str
    evse_id: int
    evse_number: int

    def status_at(self, now: datetime) -> BookingStatus:
        return status_at(self.status, self.hold_expires_at, now=now)

    def is_held(self, now: datetime) -> bool:
        """Waits for its money, and loses its slot unless that comes."""
        return (
            self.status == BookingStatus.ACTIVE
            and self.hold_expires_at is not None
            and self.hold_expires_at > now
        )


_COLUMNS = (
    Booking.id,
    Booking.reference,
    Booking.status,
    Booking.payment_status,
    Booking.hold_expires_at,
    Booking.starts_at,
    Booking.ends_at,
    Booking.amount_paise,
    Booking.paid_paise,
    Booking.created_at,
    User.id.label("driver_id"),
    User.name.label("driver_name"),
    User.email.label("driver_email"),
    Charger.location_id,
    Location.name.label("location_name"),
    Location.timezone.label("zone"),
    Charger.identity.label("charger"),
    Booking.evse_id,
    Evse.number.label("evse_number"),
)


def count_bookings(session: Session, wanted: BookingFilter) -> int:
    return session.scalar(_joined(select(func.count()), wanted)) or 0


def bookings_matching(
    session: Session, wanted: BookingFilter, *, limit: int, offset: int
) -> Sequence[BookingLine]:
    """Return a page of bookings, the latest start first."""
    statement = _listed(wanted).limit(limit).offset(offset)
    return [_line(row) for row in session.execute(statement)]


def bookings_after(
    session: Session,
    wanted: BookingFilter,
    *,
    after: BookingPosition | None,
    limit: int,
) -> tuple[list[BookingLine], BookingPosition | None]:
    """Return the next of them, the latest start first, and where they go on."""
    statement = _listed(wanted).where(*follows(after)).limit(limit + 1)
    found = [_line(row) for row in session.execute(statement)]
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], BookingPosition(last.starts_at, last.id) if last else None


def booking_line(
    session: Session, booking_id: UUID, scope: Scope, *, now: datetime
) -> BookingLine:
    """Raises: BookingNotFound, also for one on somebody else's network."""
    row = session.execute(
        _listed(BookingFilter(scope, now, id=booking_id))
    ).one_or_none()
    if row is None:
        raise BookingNotFound(booking_id=booking_id)
    return _line(row)


def every_booking(session: Session, wanted: BookingFilter) -> Iterator[BookingLine]:
    """Yield all of them without holding them all."""
    rows = session.execute(
        _listed(wanted), execution_options={"yield_per": ROWS_AT_A_TIME}
    )
    return (_line(row) for row in rows)


def history_of(session: Session, booking_id: UUID) -> Sequence[BookingEvent]:
    """Return what happened to a booking, oldest first."""
    return session.scalars(
        select(BookingEvent)
        .where(BookingEvent.booking_id == booking_id)
        .order_by(BookingEvent.id)
    ).all()


def booking_in_scope(session: Session, booking_id: UUID, scope: Scope) -> Booking:
    """Return a booking with its place and its history.

    Raises: BookingNotFound, also for one on somebody else's network.
    """
    booking = session.scalar(
        select(Booking)
        .join(Booking.evse)
        .join(Evse.charger)
        .join(Charger.location)
        .where(Booking.id == booking_id, in_scope(scope))
        .options(
            joinedload(Booking.evse)
            .joinedload(Evse.charger)
            .joinedload(Charger.location)
            .joinedload(Location.operator),
            selectinload(Booking.events),
            raiseload("*"),
        )
    )
    if booking is None:
        raise BookingNotFound(booking_id=booking_id)
    return booking


def _line(row: Row[*tuple[Any, ...]]) -> BookingLine:
    return BookingLine(**row._mapping)


def _listed(wanted: BookingFilter) -> Select[*tuple[Any, ...]]:
    newest_first = (Booking.starts_at.desc(), Booking.id.desc())
    return _joined(select(*_COLUMNS), wanted).order_by(*newest_first)


def _joined(
    statement: Select[*tuple[Any, ...]], wanted: BookingFilter
) -> Select[*tuple[Any, ...]]:
    return (
        statement.select_from(Booking)
        .join(User, User.id == Booking.user_id)
        .join(Evse, Evse.id == Booking.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .where(in_scope(wanted.scope), *_fits(wanted))
    )


def _fits(wanted: BookingFilter) -> Iterable[ColumnElement[bool]]:
    if wanted.id is not None:
        yield Booking.id == wanted.id
    if wanted.status is not None:
        yield from has_status([wanted.status], now=wanted.now)
    if wanted.payment is not None:
        yield Booking.payment_status == wanted.payment
    if wanted.since is not None:
        yield Booking.starts_at >= wanted.since
    if wanted.until is not None:
        yield Booking.starts_at < wanted.until
    if wanted.location_id is not None:
        yield Charger.location_id == wanted.location_id
    if wanted.text:
        yield or_(
            Booking.reference.startswith(wanted.text.upper(), autoescape=True),
            User.email_key.contains(email_key(wanted.text), autoescape=True),
        )
