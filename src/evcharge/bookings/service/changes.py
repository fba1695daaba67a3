"""How a booking changes: compare-and-set, and a line of history with every change."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, insert, update
from sqlalchemy.orm import Session, raiseload

from evcharge.bookings.models import Booking, BookingEvent
from evcharge.bookings.rules import (
    SYSTEM,
    Actor,
    BookingChanged,
    BookingEventKind,
    BookingStatus,
)
from evcharge.bookings.service.claims import release
from evcharge.kernel.jobs import enqueue
from evcharge.kernel.live import announce
from evcharge.payments.rules import ItemKind
from evcharge.stations.queries import location_of_evse


def change(
    session: Session,
    booking: Booking,
    *conditions: ColumnElement[bool],
    **values: object,
) -> bool:
    """Change a booking if it is still as we saw it. Return False if it is not.

    `booking` then holds what is stored: the new values.
    """
    statement = (
        update(Booking)
        .where(
            Booking.id == booking.id,
            Booking.status == booking.status,
            Booking.version == booking.version,
            *conditions,
        )
        .values(version=booking.version + 1, **values)
        .returning(Booking)
        .options(raiseload("*"))
        .execution_options(populate_existing=True, synchronize_session=False)
    )
    return session.scalar(statement) is not None


def must_change(session: Session, booking: Booking, **values: object) -> None:
    """Raises: BookingChanged, when someone else was quicker."""
    if not change(session, booking, **values):
        raise BookingChanged(booking_id=booking.id)


def end(
    session: Session,
    booking: Booking,
    status: BookingStatus,
    kind: BookingEventKind,
    *conditions: ColumnElement[bool],
    actor: Actor = SYSTEM,
    now: datetime,
    reason: str | None = None,
    **details: object,
) -> bool:
    """Leave ACTIVE for good and free the slot. Return False if it had already."""
    before = booking.status
    sequence = booking.sequence + 1
    if not change(session, booking, *conditions, status=status, sequence=sequence):
        return False
    release(session, booking.id)
    record(
        session,
        booking,
        kind,
        actor=actor,
        now=now,
        before=before,
        reason=reason,
        **details,
    )
    # What it finally comes to is worked out once, by whoever knows what was charged.
    if status != BookingStatus.EXPIRED and (booking.paid_paise or booking.tariff):
        enqueue(
            session,
            "charging.settle",
            now=now,
            kind=ItemKind.BOOKING,
            item_id=str(booking.id),
        )
    tell(session, booking)
    return True


def expire(session: Session, booking: Booking, *, now: datetime) -> bool:
    """Close a hold whose time is up; no money has come in."""
    return end(
        session,
        booking,
        BookingStatus.EXPIRED,
        BookingEventKind.EXPIRED,
        Booking.hold_expires_at <= now,
        now=now,
    )


def record(
    session: Session,
    booking: Booking,
    kind: BookingEventKind,
    *,
    actor: Actor,
    now: datetime,
    before: BookingStatus | None,
    reason: str | None = None,
    **details: Any,
) -> None:
    """Write down what happened. `before` is the status it had; None: it is new."""
    event = {
        "booking_id": booking.id,
        "at": now,
        "kind": kind,
        "actor": actor.kind,
        "actor_user_id": actor.user_id,
        "from_status": before,
        "to_status": booking.status,
        "reason": reason,
        "details": details,
    }
    session.execute(_RECORD, event)


_RECORD = insert(cast(Table, BookingEvent.__table__))


def tell(session: Session, booking: Booking, location_id: int | None = None) -> None:
    """Wake every page on which this booking, or its slot, can be seen."""
    place = location_id or location_of_evse(session, booking.evse_id)
    announce(session, f"location:{place}")
    announce(session, f"evse:{booking.evse_id}")
    announce(session, f"booking:{booking.id}")
    announce(session, "dashboard")
