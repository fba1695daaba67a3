"""Tidying up. Nothing waits for it: whoever needs a slot reaps it themself."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.bookings.models import MaintenanceBlock
from evcharge.bookings.queries import ended_bookings, overdue_holds
from evcharge.bookings.rules import BookingEventKind, BookingStatus
from evcharge.bookings.service.changes import end, expire
from evcharge.bookings.service.claims import release_block

BATCH = 200


def expire_holds(session: Session, *, now: datetime) -> int:
    """Close holds whose time is up, at most a batch. Return how many."""
    holds = overdue_holds(session, now=now, limit=BATCH)
    return sum(expire(session, hold, now=now) for hold in holds)


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
