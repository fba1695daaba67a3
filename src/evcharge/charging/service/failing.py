"""A start that came to nothing: what its driver is told, and who pays for it."""

from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.bookings.rules import SYSTEM, BookingStatus
from evcharge.bookings.service import cancel_booking
from evcharge.bookings.service.alter import locked_booking
from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import SessionEventKind, SessionStatus
from evcharge.charging.service.changes import record, tell
from evcharge.charging.service.claims import release_claims
from evcharge.charging.service.ending import ask_to_settle, leave_evse, locked_session

CHARGERS_FAULT = "The charger did not start"


def fail_start(
    session: Session,
    charge: ChargingSession,
    *,
    why: str,
    is_chargers_fault: bool,
    now: datetime,
) -> None:
    """Give up a session that was asked for and never began; else do nothing.

    Where the charger is to blame, its booking ends with all money returned: the slot
    is worth nothing to its driver. Otherwise they keep it and may try again. A guest,
    who has paid for this one start, gets all of it back whoever is to blame.
    """
    charge = locked_session(session, charge.id)
    if charge.status != SessionStatus.PENDING:
        return
    charge.status = SessionStatus.INVALID
    charge.failure = why[:200]
    charge.version += 1
    session.flush()
    leave_evse(session, charge)
    release_claims(session, charge.id)
    refund = _return_booking(session, charge, now=now) if is_chargers_fault else None
    if charge.guest_id is not None:
        refund = charge.prepaid_paise
        ask_to_settle(session, charge, now=now)
    record(
        session,
        charge,
        SessionEventKind.FAILED,
        now=now,
        why=charge.failure,
        is_chargers_fault=is_chargers_fault,
        refund_paise=refund,
    )
    tell(session, charge)


def _return_booking(
    session: Session, charge: ChargingSession, *, now: datetime
) -> int | None:
    """Cancel the booking of a session. Return what goes back; None: it stays."""
    if charge.booking_id is None:
        return None
    booking = locked_booking(session, charge.booking_id)
    # Who has charged already had something of it, and may go on or not.
    has_charged = booking.session_started_at is not None
    if booking.status != BookingStatus.ACTIVE or has_charged:
        return None
    paid = booking.paid_paise
    cancel_booking(
        session,
        booking_id=booking.id,
        actor=SYSTEM,
        reason=CHARGERS_FAULT,
        now=now,
    )
    return paid
