"""Tidying up. Nothing waits for it: whoever needs a slot reaps it themself."""

from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from evcharge.accounts.queries import lock_users
from evcharge.bookings.models import Booking, MaintenanceBlock
from evcharge.bookings.queries import (
    bookings_where,
    is_expired_hold,
    is_let_down,
    is_missed,
    is_over,
    is_unpaid_at_start,
)
from evcharge.bookings.rules import SYSTEM, BookingEventKind, BookingStatus
from evcharge.bookings.service.alter import cancel_booking
from evcharge.bookings.service.changes import end, expire
from evcharge.bookings.service.claims import release_block

BATCH = 200
UNPAID = "Not all of it was paid before it began"
LET_DOWN = "The charger could not be used"


def expire_holds(session: Session, *, now: datetime) -> int:
    """Close holds whose time is up, at most a batch. Return how many."""
    holds = bookings_where(session, is_expired_hold(now), limit=BATCH)
    return sum(expire(session, hold, now=now) for hold in holds)


def cancel_unpaid(session: Session, *, now: datetime) -> int:
    """End bookings that begin with money still due, at most a batch, and return what
    was paid: else whoever moves to a dearer slot has it for the price of a cheap one.
    """
    return _cancel(session, is_unpaid_at_start(now), reason=UNPAID, now=now)


def mark_missed(session: Session, *, now: datetime) -> int:
    """Free the slots of drivers who did not come, at most a batch. Return how many.

    A charging that begins at this very moment wins, here or in `note_session`.
    """
    missed = bookings_where(session, is_missed(now), limit=BATCH)
    return sum(
        end(
            session,
            booking,
            BookingStatus.NO_SHOW,
            BookingEventKind.NO_SHOW,
            Booking.session_started_at.is_(None),
            now=now,
        )
        for booking in missed
    )


def return_let_down(session: Session, *, now: datetime) -> int:
    """End bookings that could not be used and return what was paid, at most a batch."""
    return _cancel(session, is_let_down(now), reason=LET_DOWN, now=now)


def _cancel(
    session: Session, wanted: ColumnElement[bool], *, reason: str, now: datetime
) -> int:
    """Cancel bookings that this is true of, at most a batch. Return how many it was."""
    query = select(Booking.user_id, Booking.id).where(wanted)
    found = session.execute(query.order_by(Booking.id).limit(BATCH)).all()
    lock_users(session, {row.user_id for row in found})
    # Whose money, or vehicle, came while we waited is not among them any more.
    still = query.where(Booking.id.in_([row.id for row in found]))
    locked = still.order_by(Booking.id).with_for_update(of=Booking)
    for row in session.execute(locked).all():
        cancel_booking(session, booking_id=row.id, actor=SYSTEM, reason=reason, now=now)
    return len(found)


def complete_bookings(session: Session, *, now: datetime) -> int:
    """Close bookings whose slot is over, at most a batch. Return how many."""
    return sum(
        end(
            session,
            booking,
            BookingStatus.COMPLETED,
            BookingEventKind.COMPLETED,
            now=now,
        )
        for booking in bookings_where(session, is_over(now), limit=BATCH)
    )


def finish_blocks(session: Session, *, now: datetime) -> int:
    """Lift maintenance blocks that are over, at most a batch. Return how many."""
    blocks = session.scalars(
        select(MaintenanceBlock)
        .where(MaintenanceBlock.lifted_at.is_(None), MaintenanceBlock.ends_at <= now)
        .order_by(MaintenanceBlock.id)
        .limit(BATCH)
    ).all()
    for block in blocks:
        block.lifted_at = block.ends_at
        release_block(session, block.id)
    return len(blocks)
