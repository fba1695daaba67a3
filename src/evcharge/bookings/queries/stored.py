"""The bookings themselves, and the maintenance beside them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, joinedload, raiseload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from evcharge.bookings.models import Booking, MaintenanceBlock
from evcharge.bookings.queries.taken import is_expired_hold
from evcharge.bookings.rules import (
    BookingNotFound,
    BookingPayment,
    BookingStatus,
    Slot,
)
from evcharge.stations.models import Charger, Evse, Location


def bookings_where(
    session: Session, wanted: ColumnElement[bool], *, limit: int
) -> Sequence[Booking]:
    """Return some of the bookings this is true of, by id."""
    return session.scalars(
        select(Booking)
        .where(wanted)
        .order_by(Booking.id)
        .limit(limit)
        .options(raiseload("*"))
    ).all()


def is_unpaid_at_start(now: datetime) -> ColumnElement[bool]:
    """Moved to a dearer slot, which has begun, and the rest was never paid."""
    return and_(
        Booking.status == BookingStatus.ACTIVE,
        Booking.payment_status == BookingPayment.PENDING,
        Booking.hold_expires_at.is_(None),
        Booking.starts_at <= now,
    )


def booking_by_id(session: Session, booking_id: UUID, *, lock: bool = False) -> Booking:
    """Return a booking as it is now, whatever this session saw before.

    With `lock` it stays so: its driver's lock does not keep out others, who may be
    reaping an expired hold at this very moment.

    Raises: BookingNotFound.
    """
    question = select(Booking).where(Booking.id == booking_id)
    booking = session.scalar(
        (question.with_for_update() if lock else question)
        .options(raiseload("*"))
        .execution_options(populate_existing=True)
    )
    if booking is None:
        raise BookingNotFound(booking_id=booking_id)
    return booking


def booking_of_user(session: Session, booking_id: UUID, user_id: int) -> Booking:
    """Return the driver's own booking with its place loaded.

    Raises: BookingNotFound, also when the booking is someone else's.
    """
    booking = session.scalar(
        select(Booking)
        .where(Booking.id == booking_id, Booking.user_id == user_id)
        .options(*_place(), selectinload(Booking.events), raiseload("*"))
    )
    if booking is None:
        raise BookingNotFound(booking_id=booking_id)
    return booking


When = Literal["upcoming", "past", "cancelled"]


def bookings_of_user(
    session: Session,
    user_id: int,
    *,
    when: When,
    now: datetime,
    limit: int,
    offset: int,
) -> Sequence[Booking]:
    """Return a driver's bookings with their places: the next, or the latest, first."""
    order = (
        (Booking.starts_at, Booking.id)
        if when == "upcoming"
        else (Booking.starts_at.desc(), Booking.id)
    )
    return session.scalars(
        select(Booking)
        .where(Booking.user_id == user_id, _is_listed(when, now))
        .order_by(*order)
        .limit(limit)
        .offset(offset)
        .options(*_place(), raiseload("*"))
    ).all()


def booking_counts(session: Session, user_id: int, *, now: datetime) -> dict[When, int]:
    """Return how many bookings a driver has in each of the lists above."""
    lists: tuple[When, ...] = ("upcoming", "past", "cancelled")
    row = session.execute(
        select(*(func.count().filter(_is_listed(when, now)) for when in lists)).where(
            Booking.user_id == user_id
        )
    ).one()
    return dict(zip(lists, row, strict=True))


def _is_listed(when: When, now: datetime) -> ColumnElement[bool]:
    gone = or_(
        Booking.status.in_([BookingStatus.CANCELLED, BookingStatus.EXPIRED]),
        is_expired_hold(now),
    )
    if when == "cancelled":
        return gone
    upcoming = and_(Booking.status == BookingStatus.ACTIVE, Booking.ends_at > now)
    return and_(~gone, upcoming) if when == "upcoming" else and_(~gone, ~upcoming)


def _place() -> tuple[ExecutableOption, ...]:
    site = (
        joinedload(Booking.evse).joinedload(Evse.charger).joinedload(Charger.location)
    )
    return (
        site.joinedload(Location.operator),
        joinedload(Booking.evse).selectinload(Evse.connectors),
    )


def active_bookings_on(
    session: Session,
    evse_ids: Collection[int],
    *,
    now: datetime,
    slot: Slot | None = None,
) -> Sequence[Booking]:
    """Return the promises still to be kept on these EVSEs (within `slot`), by start."""
    within: list[ColumnElement[bool]] = [Booking.ends_at > now]
    if slot is not None:
        within = [Booking.ends_at > slot.starts_at, Booking.starts_at < slot.ends_at]
    return session.scalars(
        select(Booking)
        .where(
            Booking.evse_id.in_(evse_ids),
            Booking.status == BookingStatus.ACTIVE,
            or_(Booking.hold_expires_at.is_(None), Booking.hold_expires_at > now),
            *within,
        )
        .order_by(Booking.starts_at, Booking.id)
        .options(*_place(), raiseload("*"))
    ).all()


def live_blocks_on(
    session: Session, evse_ids: Collection[int], *, now: datetime
) -> Sequence[MaintenanceBlock]:
    """Return the maintenance blocks that stand or are still to come, by start."""
    return session.scalars(
        select(MaintenanceBlock)
        .where(
            MaintenanceBlock.evse_id.in_(evse_ids),
            MaintenanceBlock.lifted_at.is_(None),
            MaintenanceBlock.ends_at > now,
        )
        .order_by(MaintenanceBlock.starts_at)
    ).all()
