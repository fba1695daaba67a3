"""What every start from a phone needs: a place that can serve it, and the command."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking
from evcharge.bookings.rules import Actor, ActorKind
from evcharge.charging.models import ChargingSession
from evcharge.charging.queries import EvsePlace, owner_of_quarter, place_of_evse
from evcharge.charging.rules import (
    CannotStartHere,
    NotYourTime,
    SessionEventKind,
    SessionUnderWay,
)
from evcharge.charging.service.changes import record, tell
from evcharge.charging.service.ending import locked_session
from evcharge.charging.service.tags import has_session_under_way
from evcharge.control.queries import is_connected
from evcharge.control.rules import ChargerNotConnected, CommandKind
from evcharge.control.service import queue_command
from evcharge.stations.models import Evse
from evcharge.stations.rules import ClaimedBy, Lifecycle

START_WAITS = timedelta(seconds=20)


def locked_place(session: Session, evse_id: int) -> EvsePlace:
    """One start at a time: what is not claimed yet has no key that would decide."""
    locked = select(Evse.id).where(Evse.id == evse_id).with_for_update(key_share=True)
    session.execute(locked)
    return place_of_evse(session, evse_id)


def check_place(
    session: Session,
    place: EvsePlace,
    booking: Booking | None,
    user_id: int | None,
    *,
    now: datetime,
) -> None:
    """Refuse a start where the place cannot serve it; `user_id` is None for a guest.

    Raises: CannotStartHere, ChargerNotConnected, NotYourTime, SessionUnderWay.
    """
    if place.lifecycle != Lifecycle.ACTIVE:
        raise CannotStartHere(evse_id=place.evse_id)
    if not is_connected(session, place.charger_id):
        raise ChargerNotConnected(evse_id=place.evse_id)
    anonymous = plugged_in(session, place)
    mine = None if anonymous is None else anonymous.id
    if has_session_under_way(session, place.evse_id, but=mine):
        raise SessionUnderWay(evse_id=place.evse_id)
    owner = owner_of_quarter(session, place.evse_id, at=now)
    if owner is None or (owner.kind == ClaimedBy.SESSION and owner.session_id == mine):
        return
    if owner.kind != ClaimedBy.BOOKING or owner.user_id != user_id:
        raise NotYourTime(evse_id=place.evse_id)
    if booking is None:  # A hold of theirs that is not paid yet.
        raise NotYourTime("Pay for your booking first, then start.")


def plugged_in(session: Session, place: EvsePlace) -> ChargingSession | None:
    """Return the session of a 2.0.1 charger where somebody plugged in, not saying who.

    Whoever then starts from their phone goes on with it.
    """
    if place.open_session_id is None:
        return None
    charge = locked_session(session, place.open_session_id)
    return charge if charge.tag is None and charge.is_of_nobody else None


def send_start(
    session: Session,
    place: EvsePlace,
    charge: ChargingSession,
    user_id: int | None,
    *,
    now: datetime,
) -> None:
    queue_start(session, place, charge, user_id, now=now)
    driver = Actor(ActorKind.DRIVER, user_id)
    record(session, charge, SessionEventKind.REQUESTED, actor=driver, now=now)
    tell(session, charge)


def queue_start(
    session: Session,
    place: EvsePlace,
    charge: ChargingSession,
    user_id: int | None,
    *,
    now: datetime,
) -> None:
    queue_command(
        session,
        charger_id=place.charger_id,
        kind=CommandKind.START,
        arguments={
            "evse": place.number,
            "connector": charge.connector_number,
            "tag": charge.tag,
            "remote_start_id": secrets.randbelow(2**31 - 1) + 1,
        },
        by=user_id,
        now=now,
        session_id=charge.id,
        booking_id=charge.booking_id,
        waits=START_WAITS,
    )
