"""A line of history with every change of a session, and who is told to look again."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking
from evcharge.bookings.rules import SYSTEM, Actor
from evcharge.charging.models import ChargingSession, SessionEvent
from evcharge.charging.queries import place_of_evse
from evcharge.charging.rules import Flag, SessionEventKind
from evcharge.kernel.live import announce


def record(
    session: Session,
    charge: ChargingSession,
    kind: SessionEventKind,
    *,
    actor: Actor = SYSTEM,
    now: datetime,
    **details: Any,
) -> None:
    """Write down what happened to a session."""
    event = {
        "session_id": charge.id,
        "at": now,
        "kind": kind,
        "actor": actor.kind,
        "actor_user_id": actor.user_id,
        "details": details,
    }
    session.execute(_RECORD, event)


_RECORD = insert(cast(Table, SessionEvent.__table__))


def flag(charge: ChargingSession, flags: Iterable[Flag]) -> None:
    """Say what is odd about a session; saying it twice changes nothing."""
    charge.flags = sorted({*charge.flags, *(each.value for each in flags)})


def unflag(charge: ChargingSession, *flags: Flag) -> None:
    charge.flags = sorted(set(charge.flags) - {each.value for each in flags})


def tell(session: Session, charge: ChargingSession) -> None:
    """Wake every page on which this session can be seen."""
    place = place_of_evse(session, charge.evse_id)
    announce(session, f"session:{charge.id}")
    if charge.booking_id is not None:
        announce(session, f"booking:{charge.booking_id}")
    announce(session, f"evse:{charge.evse_id}")
    announce(session, f"location:{place.location_id}")
    announce(session, f"charger:{place.charger_id}")
    announce(session, "dashboard")


def put_under(charge: ChargingSession, booking: Booking) -> None:
    """Let a booking pay for a session, at what was agreed when it was made."""
    charge.booking_id = booking.id
    charge.price_paise_per_hour = 0
    charge.tariff = booking.tariff
