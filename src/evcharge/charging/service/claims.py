"""A session takes the quarter hours it stands in, as long as nobody else has them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session, raiseload

from evcharge.bookings.models import Booking, SlotClaim
from evcharge.bookings.rules import BookingStatus, slot_no
from evcharge.bookings.service.claims import release_session, try_claim
from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import SessionStatus
from evcharge.stations.models import Evse
from evcharge.stations.rules import ClaimedBy

BATCH = 200


def roll_claims(session: Session, charge: ChargingSession, *, now: datetime) -> bool:
    """Take this quarter hour and the next for a session, where they are free.

    Return whether this one is its own. Nothing is taken from anybody, and nobody is
    refused: that a charger charges is a fact, with or without a claim.
    """
    _take(session, [charge], now=now)
    owner = select(SlotClaim.session_id).where(
        SlotClaim.evse_id == charge.evse_id, SlotClaim.slot_no == slot_no(now)
    )
    return session.scalar(owner) == charge.id


def roll_all_claims(session: Session, *, now: datetime) -> int:
    """Roll on what charges without a booking for now, at most a batch; return how many.

    The lock keeps a session from ending meanwhile, or its claims would outlive it.
    One that changes at this very moment is left for the next round.
    """
    this = slot_no(now)
    rolling = session.scalars(
        select(ChargingSession)
        .join(Evse, Evse.id == ChargingSession.evse_id)
        .where(
            ChargingSession.status == SessionStatus.ACTIVE,
            Evse.open_session_id == ChargingSession.id,
            ~_is_booked(now),
            or_(_is_free(this), _is_free(this + 1)),
        )
        .order_by(ChargingSession.id)
        .limit(BATCH)
        .with_for_update(of=ChargingSession, skip_locked=True)
        .options(raiseload("*"))
    ).all()
    _take(session, rolling, now=now)
    return len(rolling)


def release_claims(session: Session, session_id: UUID) -> None:
    """Give back all that a session took.

    Its end is written first: whoever rolls it on at this moment waits, and sees that.
    """
    session.flush()
    release_session(session, session_id)


def _take(
    session: Session, charging: Sequence[ChargingSession], *, now: datetime
) -> None:
    wanted = [
        (charge.evse_id, number, charge.id)
        for charge in charging
        for number in (slot_no(now), slot_no(now) + 1)
    ]
    try_claim(session, wanted, kind=ClaimedBy.SESSION)


def _is_booked(now: datetime) -> ColumnElement[bool]:
    """Whether the session has this time by its booking."""
    return exists().where(
        Booking.id == ChargingSession.booking_id,
        Booking.status == BookingStatus.ACTIVE,
        Booking.starts_at <= now,
        Booking.ends_at > now,
    )


def _is_free(number: int) -> ColumnElement[bool]:
    return ~exists().where(
        SlotClaim.evse_id == ChargingSession.evse_id, SlotClaim.slot_no == number
    )
