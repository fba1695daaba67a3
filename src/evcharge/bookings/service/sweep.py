"""Tidying up. Nothing waits for it: whoever needs a slot reaps it themself."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.accounts.queries import lock_users
from evcharge.bookings.models import Booking, MaintenanceBlock
from evcharge.bookings.queries import (
    ended_bookings,
    is_unpaid_at_start,
    overdue_holds,
)
from evcharge.bookings.rules import SYSTEM, BookingEventKind, BookingStatus
from evcharge.bookings.service.alter import cancel_booking
from evcharge.bookings.service.changes import end, expire
from evcharge.bookings.service.claims import release_block

BATCH = 200
UNPAID = "Not all of it was paid before it began"


def expire_holds(session: Session, *, now: datetime) -> int:
    """Close holds whose time is up, at most a batch. Return how many."""
    holds = overdue_holds(session, now=now, limit=BATCH)
    return sum(expire(session, hold, now=now) for hold in holds)


def cancel_unpaid(session: Session, *, now: datetime) -> int:
    """End bookings that begin with money still due, at most a batch, and return what
    was paid: else whoever moves to a dearer slot has it for the price of a cheap one.
    """
    unpaid = select(Booking.user_id, Booking.id).where(is_unpaid_at_start(now))
    found = session.execute(unpaid.order_by(Booking.id).limit(BATCH)).all()
    lock_users(session, {row.user_id for row in found})
    # Whose money came in while we waited is not among them any more.
    ids = [row.id for row in found]
    for row in session.execute(unpaid.where(Booking.id.in_(ids))).all():
        cancel_booking(session, booking_id=row.id, actor=SYSTEM, reason=UNPAID, now=now)
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
        for booking in ended_bookings(session, now=now, limit=BATCH)
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
