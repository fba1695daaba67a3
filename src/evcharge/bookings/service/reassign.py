"""Giving a booking another EVSE, because a vehicle does not leave its own."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking
from evcharge.bookings.queries import bookable_evses
from evcharge.bookings.rules import SYSTEM, BookingEventKind
from evcharge.bookings.service.alter import check_live, locked_booking, move_claims
from evcharge.bookings.service.book import check_open
from evcharge.bookings.service.changes import must_change, record, tell
from evcharge.stations.models import Charger, Evse


def reassign_booking(
    session: Session, *, booking_id: UUID, evse_id: int, now: datetime
) -> Booking:
    """Keep a promise at another EVSE: the same time, price and terms.

    Raises: BookingNotFound, BookingNotActive, EvseNotFound, EvseNotBookable,
    SlotTaken. Leave the transaction.
    """
    booking = locked_booking(session, booking_id)
    check_live(booking, now=now)
    evse = bookable_evses(session, [evse_id])[evse_id]
    check_open(evse, booking.slot)
    left = booking.evse_id
    move_claims(session, booking, evse_id, booking.slot, now=now)
    tell(session, booking, evse.location_id)
    must_change(session, booking, evse_id=evse_id, sequence=booking.sequence + 1)
    record(
        session,
        booking,
        BookingEventKind.REASSIGNED,
        actor=SYSTEM,
        now=now,
        before=booking.status,
        old_point=_point(session, left),
        point=_point(session, evse_id),
    )
    tell(session, booking, evse.location_id)
    return booking


def _point(session: Session, evse_id: int) -> str:
    """Return an EVSE as drivers read it: `BLR-01, point 2`."""
    identity, number = session.execute(
        select(Charger.identity, Evse.number)
        .join(Evse, Evse.charger_id == Charger.id)
        .where(Evse.id == evse_id)
    ).one()
    return f"{identity}, point {number}"
