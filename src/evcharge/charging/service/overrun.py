"""A vehicle that stays while the next driver's time comes: who gives way?

First the next booking moves to an equal EVSE beside it. Where there is none, whoever
stays is warned, and at the booking's start the location's policy decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking
from evcharge.bookings.queries import claimed_now, claims_between
from evcharge.bookings.rules import BookingPayment, BookingStatus
from evcharge.bookings.service import note_session, reassign_booking
from evcharge.bookings.service.alter import locked_booking
from evcharge.charging.models import ChargingSession, SessionEvent
from evcharge.charging.queries import transaction_of_session
from evcharge.charging.rules import SessionEventKind, SessionStatus
from evcharge.charging.service.changes import record, tell
from evcharge.charging.service.ending import locked_session
from evcharge.charging.service.judging import ask_charger_to_stop
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.queries import location_of_evse, location_with_evses
from evcharge.stations.rules import (
    ConnectorKind,
    EvseStatus,
    OverrunPolicy,
)

SOON = timedelta(minutes=10)


@dataclass(frozen=True)
class Overrun:
    """A session in the way of a booking that begins soon, or has begun."""

    session_id: UUID
    booking_id: UUID


def overruns(session: Session, *, now: datetime) -> list[Overrun]:
    rows = session.execute(
        select(ChargingSession.id, Booking.id)
        .join(Evse, Evse.id == ChargingSession.evse_id)
        .join(Booking, Booking.evse_id == Evse.id)
        .where(
            ChargingSession.status == SessionStatus.ACTIVE,
            Evse.open_session_id == ChargingSession.id,
            Booking.status == BookingStatus.ACTIVE,
            Booking.payment_status == BookingPayment.PAID,
            Booking.session_started_at.is_(None),
            Booking.starts_at <= now + SOON,
            Booking.ends_at > now,
            or_(
                ChargingSession.booking_id.is_(None),
                ChargingSession.booking_id != Booking.id,
            ),
        )
        .order_by(Booking.starts_at, Booking.id)
    )
    return [Overrun(*row) for row in rows]


def settle(session: Session, overrun: Overrun, *, now: datetime) -> None:
    """Do what can be done for the next driver. Doing it again does nothing new.

    Raises: SlotTaken and other refusals, when the EVSE beside it went to somebody else
    just now. Leave the transaction, and settle it anew.
    """
    booking = locked_booking(session, overrun.booking_id)
    charge = locked_session(session, overrun.session_id)
    if overrun not in overruns(session, now=now):
        return
    if booking.user_id == charge.user_id:
        if booking.starts_at <= now:  # They go on in the next slot they have.
            note_session(session, booking.id, at=now, now=now)
        return
    beside = equal_evses(session, booking, now=now)
    if beside:
        reassign_booking(session, booking_id=booking.id, evse_id=beside[0], now=now)
    elif booking.starts_at <= now:
        _overstay(session, charge, booking, now=now)
    else:
        _once(session, charge, booking, SessionEventKind.WARNED, now=now)


def _overstay(
    session: Session, charge: ChargingSession, booking: Booking, *, now: datetime
) -> None:
    if not _once(session, charge, booking, SessionEventKind.OVERSTAYED, now=now):
        return
    transaction = transaction_of_session(session, charge.id)
    policy = session.scalar(
        select(Location.overrun)
        .join(Charger, Charger.location_id == Location.id)
        .join(Evse, Evse.charger_id == Charger.id)
        .where(Evse.id == charge.evse_id)
    )
    if policy == OverrunPolicy.STOP and transaction is not None:
        ask_charger_to_stop(session, charge, transaction, by=None, now=now)


def _once(
    session: Session,
    charge: ChargingSession,
    booking: Booking,
    kind: SessionEventKind,
    *,
    now: datetime,
) -> bool:
    """Write down that whoever stays was told of this booking; False: they were."""
    told = session.scalars(
        select(SessionEvent.details).where(
            SessionEvent.session_id == charge.id, SessionEvent.kind == kind
        )
    )
    if any(details.get("booking_id") == str(booking.id) for details in told):
        return False
    record(
        session,
        charge,
        kind,
        now=now,
        booking_id=str(booking.id),
        until=booking.starts_at.isoformat(),
    )
    tell(session, charge)
    return True


def equal_evses(session: Session, booking: Booking, *, now: datetime) -> Sequence[int]:
    """Return EVSEs at the site that are free now and for the whole slot.

    They have the plugs that the booked one has, each with at least its power.
    """
    site = location_with_evses(session, location_of_evse(session, booking.evse_id))
    evses = {evse.id: (evse, each) for each in site.chargers for evse in each.evses}
    wanted = _plugs(evses[booking.evse_id][0])
    ready = [
        id_
        for id_, (evse, charger) in evses.items()
        if id_ != booking.evse_id
        and all(_plugs(evse).get(kind, 0) >= power for kind, power in wanted.items())
        and _is_ready(evse, charger, now=now)
    ]
    quarters = booking.slot.quarters
    claims = claims_between(session, ready, quarters.start, quarters.stop, now=now)
    taken = {each.evse_id for each in claims} | set(
        claimed_now(session, ready, now=now)
    )
    return sorted(set(ready) - taken)


def _plugs(evse: Evse) -> dict[ConnectorKind, int]:
    """Return its kinds of plugs, each with the most power it gives there."""
    return {
        kind: max(each.power_w for each in evse.connectors if each.kind == kind)
        for kind in {each.kind for each in evse.connectors}
    }


def _is_ready(evse: Evse, charger: Charger, *, now: datetime) -> bool:
    return evse.status(charger, None, now=now) == EvseStatus.AVAILABLE
