"""What operators do to the calendar: maintenance, and closing an EVSE."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from evcharge.accounts.queries import lock_users
from evcharge.bookings.models import Booking, MaintenanceBlock
from evcharge.bookings.queries import active_bookings_on, bookable_evses
from evcharge.bookings.rules import (
    Actor,
    BlockNotFound,
    BookingChanged,
    BookingsInTheWay,
    Slot,
    check_block,
)
from evcharge.bookings.service.alter import cancel_booking
from evcharge.bookings.service.book import reap
from evcharge.bookings.service.claims import claim, release_block
from evcharge.kernel.db import changed
from evcharge.kernel.ids import new_id
from evcharge.kernel.live import announce
from evcharge.stations.queries import evses_of_location
from evcharge.stations.rules import ClaimedBy, Lifecycle
from evcharge.stations.service import set_lifecycle, set_location_active


def block_evse(
    session: Session,
    *,
    evse_id: int,
    slot: Slot,
    reason: str,
    actor: Actor,
    cancel_bookings: bool,
    now: datetime,
) -> MaintenanceBlock:
    """Keep an EVSE out of use for a while.

    Raises: EvseNotFound, SlotNotBookable; BookingsInTheWay, unless they are to be
    cancelled with full refund; SlotTaken when another block is in the way.
    """
    check_block(slot, now=now)
    _clear(
        session,
        [evse_id],
        slot=slot,
        actor=actor,
        cancel_bookings=cancel_bookings,
        reason=reason,
        now=now,
    )
    evse = bookable_evses(session, [evse_id])[evse_id]
    reap(session, [(evse_id, slot)], now=now)
    block = MaintenanceBlock(
        id=new_id(),
        evse_id=evse_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        reason=reason,
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(block)
    session.flush()
    wanted = [(evse_id, number, block.id) for number in slot.quarters]
    claim(session, wanted, kind=ClaimedBy.BLOCK)
    _tell(session, evse_id, evse.location_id)
    return block


def lift_block(session: Session, *, block_id: UUID, now: datetime) -> None:
    """Give the EVSE back; lifting a block twice is success. Raises: BlockNotFound."""
    block = session.get(MaintenanceBlock, block_id)
    if block is None:
        raise BlockNotFound(block_id=block_id)
    lifted = (
        update(MaintenanceBlock)
        .where(MaintenanceBlock.id == block_id, MaintenanceBlock.lifted_at.is_(None))
        .values(lifted_at=now)
    )
    if changed(session, lifted):
        release_block(session, block_id)
        evse = bookable_evses(session, [block.evse_id])[block.evse_id]
        _tell(session, block.evse_id, evse.location_id)


def close_evses(
    session: Session,
    *,
    evse_ids: Collection[int],
    lifecycle: Lifecycle,
    actor: Actor,
    cancel_bookings: bool,
    reason: str,
    now: datetime,
) -> None:
    """Take EVSEs out of service until they are opened again.

    Raises: EvseNotFound; BookingsInTheWay, unless they are to be cancelled with
    full refund; BookingChanged when someone booked at the same moment.
    """
    _clear(
        session,
        evse_ids,
        slot=None,
        actor=actor,
        cancel_bookings=cancel_bookings,
        reason=reason,
        now=now,
    )
    for evse_id in sorted(evse_ids):
        set_lifecycle(session, evse_id=evse_id, lifecycle=lifecycle)
    # Whoever was booking while we closed has committed by now, or will be refused.
    if active_bookings_on(session, evse_ids, now=now):
        raise BookingChanged("Someone has just booked here. Look again, then close it.")


def close_location(
    session: Session,
    *,
    location_id: int,
    version: int,
    actor: Actor,
    cancel_bookings: bool,
    reason: str,
    now: datetime,
) -> None:
    """Hide a location from drivers; its EVSEs stay as they are.

    Raises: LocationNotFound, EditedMeanwhile; BookingsInTheWay, unless they are to
    be cancelled with full refund; BookingChanged when someone booked meanwhile.
    """
    evse_ids = evses_of_location(session, location_id)
    _clear(
        session,
        evse_ids,
        slot=None,
        actor=actor,
        cancel_bookings=cancel_bookings,
        reason=reason,
        now=now,
    )
    set_location_active(
        session, location_id=location_id, is_active=False, version=version
    )
    if active_bookings_on(session, evse_ids, now=now):
        raise BookingChanged("Someone has just booked here. Look again, then close it.")


def _clear(
    session: Session,
    evse_ids: Collection[int],
    *,
    slot: Slot | None,
    actor: Actor,
    cancel_bookings: bool,
    reason: str,
    now: datetime,
) -> None:
    bookings = active_bookings_on(session, evse_ids, slot=slot, now=now)
    if bookings and not cancel_bookings:
        raise BookingsInTheWay(booking_ids=[booking.id for booking in bookings])
    lock_users(session, _drivers(bookings))
    for booking in sorted(bookings, key=lambda each: each.id):
        cancel_booking(
            session, booking_id=booking.id, actor=actor, reason=reason, now=now
        )


def _drivers(bookings: Sequence[Booking]) -> list[int]:
    return sorted({booking.user_id for booking in bookings})


def _tell(session: Session, evse_id: int, location_id: int) -> None:
    announce(session, f"location:{location_id}")
    announce(session, f"evse:{evse_id}")
