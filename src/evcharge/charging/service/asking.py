"""What drivers ask of chargers from their phones, and what becomes of it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.accounts.queries import lock_users
from evcharge.bookings.models import Booking
from evcharge.bookings.queries import booking_of_user
from evcharge.bookings.rules import (
    Actor,
    BookingNotActive,
    BookingPayment,
    BookingStatus,
)
from evcharge.charging.models import ChargingSession
from evcharge.charging.queries import (
    EvsePlace,
    first_connector,
    place_of_evse,
    session_of_booking,
    transaction_of_session,
)
from evcharge.charging.rules import (
    EARLY_START,
    NotYourTime,
    SessionEventKind,
    SessionNotActive,
    SessionStatus,
    StartedBy,
    TooEarlyToStart,
)
from evcharge.charging.service.changes import put_under, record, tell
from evcharge.charging.service.claims import release_claims, roll_claims
from evcharge.charging.service.ending import ask_to_settle, locked_session
from evcharge.charging.service.failing import fail_start
from evcharge.charging.service.judging import ask_charger_to_stop
from evcharge.charging.service.reservations import on_reserve_answered
from evcharge.charging.service.starting import (
    check_place,
    locked_place,
    plugged_in,
    send_start,
)
from evcharge.charging.service.tags import booking_here
from evcharge.charging.service.transactions import new_session
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import CommandKind, CommandState
from evcharge.control.service import queue_command

UNLOCKING = timedelta(minutes=30)  # After the end, while the plug may still be stuck.
ASKED = (CommandState.QUEUED, CommandState.SENT)
NOT_BEGUN = (SessionStatus.UNPAID, SessionStatus.PENDING)


def ask_to_start(
    session: Session,
    *,
    user_id: int,
    now: datetime,
    evse_id: int | None = None,
    booking_id: UUID | None = None,
) -> ChargingSession:
    """Ask a charger to start for a driver: under a booking, or at an EVSE, walking in.

    Asking again while the first is under way gives the same session.

    Raises: BookingNotFound, BookingNotActive, TooEarlyToStart, EvseNotFound,
    CannotStartHere, ChargerNotConnected, NotYourTime, SessionUnderWay.
    """
    lock_users(session, [user_id])
    booking = _booking(session, booking_id, evse_id, user_id, now=now)
    place = locked_place(session, booking.evse_id if booking else evse_id or 0)
    asked = _asked_before(session, place, booking, user_id)
    if asked is not None:
        return asked
    check_place(session, place, booking, user_id, now=now)
    charge = plugged_in(session, place) or new_session(session, place, now=now)
    charge.user_id = user_id
    charge.started_by = StartedBy.APP
    charge.tag = booking.reference if booking else charge.reference
    if booking is not None:
        put_under(charge, booking)
    session.add(charge)
    session.flush()
    if booking is None and not roll_claims(session, charge, now=now):
        raise NotYourTime(evse_id=place.evse_id)
    send_start(session, place, charge, user_id, now=now)
    return charge


def _booking(
    session: Session,
    booking_id: UUID | None,
    evse_id: int | None,
    user_id: int,
    *,
    now: datetime,
) -> Booking | None:
    """Return the booking to charge under: the one they name, or theirs here and now."""
    if booking_id is None:
        return booking_here(session, user_id, evse_id or 0, at=now)
    booking = booking_of_user(session, booking_id, user_id)
    is_paid = booking.payment_status == BookingPayment.PAID
    is_over = booking.ends_at <= now
    if booking.status != BookingStatus.ACTIVE or is_over:
        raise BookingNotActive(booking_id=booking_id)
    if not is_paid:
        raise BookingNotActive("Pay for your booking first, then start.")
    if now < booking.starts_at - EARLY_START:
        raise TooEarlyToStart(booking_id=booking_id)
    return booking


def _asked_before(
    session: Session, place: EvsePlace, booking: Booking | None, user_id: int
) -> ChargingSession | None:
    if booking is not None:
        begun = session_of_booking(session, booking.id)
        is_over = begun is not None and begun.status == SessionStatus.COMPLETED
        return None if is_over else begun
    return session.scalar(
        select(ChargingSession)
        .where(
            ChargingSession.evse_id == place.evse_id,
            ChargingSession.user_id == user_id,
            ChargingSession.status.in_([SessionStatus.PENDING, SessionStatus.ACTIVE]),
        )
        .limit(1)
    )


def ask_to_stop(
    session: Session, *, session_id: UUID, actor: Actor, now: datetime
) -> ChargingSession:
    """Ask the charger to stop; a start that is not under way yet is called off.

    Raises: SessionNotActive.
    """
    charge = locked_session(session, session_id)
    if charge.status in NOT_BEGUN:
        _call_off(session, charge, actor=actor, now=now)
        return charge
    transaction = transaction_of_session(session, session_id)
    if charge.status != SessionStatus.ACTIVE or transaction is None:
        raise SessionNotActive(session_id=session_id)
    if not _is_asked(session, charge, CommandKind.STOP):
        ask_charger_to_stop(session, charge, transaction, by=actor.user_id, now=now)
        record(session, charge, SessionEventKind.STOP_REQUESTED, actor=actor, now=now)
        tell(session, charge)
    return charge


def _call_off(
    session: Session, charge: ChargingSession, *, actor: Actor, now: datetime
) -> None:
    charge.status = SessionStatus.INVALID
    charge.failure = "You called it off."
    charge.version += 1
    session.flush()
    release_claims(session, charge.id)
    record(session, charge, SessionEventKind.FAILED, actor=actor, now=now)
    if charge.guest_id is not None:  # What they paid goes back.
        ask_to_settle(session, charge, now=now)
    tell(session, charge)


def _is_asked(session: Session, charge: ChargingSession, kind: CommandKind) -> bool:
    return (
        session.scalar(
            select(ChargerCommand.id)
            .where(
                ChargerCommand.session_id == charge.id,
                ChargerCommand.kind == kind,
                ChargerCommand.state.in_(ASKED),
            )
            .limit(1)
        )
        is not None
    )


def ask_to_unlock(
    session: Session, *, session_id: UUID, actor: Actor, now: datetime
) -> ChargingSession:
    """Ask the charger to let go of the plug, while charging or shortly after.

    Raises: SessionNotActive.
    """
    charge = locked_session(session, session_id)
    place = place_of_evse(session, charge.evse_id)
    ended_at = charge.ended_at
    is_late = ended_at is not None and ended_at < now - UNLOCKING
    # By now the plug may be in the vehicle of whoever came next.
    is_anothers = ended_at is not None and place.open_session_id is not None
    if charge.started_at is None or is_late or is_anothers:
        raise SessionNotActive(session_id=session_id)
    if not _is_asked(session, charge, CommandKind.UNLOCK):
        queue_command(
            session,
            charger_id=place.charger_id,
            kind=CommandKind.UNLOCK,
            arguments={
                "evse": place.number,
                "connector": charge.connector_number
                or first_connector(session, place.evse_id),
            },
            by=actor.user_id,
            now=now,
            session_id=charge.id,
        )
        record(session, charge, SessionEventKind.UNLOCK_REQUESTED, actor=actor, now=now)
        tell(session, charge)
    return charge


def on_answered(session: Session, command: ChargerCommand, at: datetime) -> None:
    """What a charger said to a start: a no is told to the driver at once."""
    on_reserve_answered(session, command, at=at)
    if command.session_id is None:
        return
    charge = locked_session(session, command.session_id)
    is_refused = command.state in (CommandState.REJECTED, CommandState.TIMED_OUT)
    if command.kind == CommandKind.START and is_refused:
        _start_refused(session, charge, command, now=at)
    tell(session, charge)


def _start_refused(
    session: Session, charge: ChargingSession, command: ChargerCommand, *, now: datetime
) -> None:
    why = command.answer or "The charger said no."
    if charge.status == SessionStatus.PENDING:
        fail_start(session, charge, why=why, is_chargers_fault=True, now=now)
    elif _is_unrecognised(session, charge):
        # It goes on with its plug in, and nobody in particular charges.
        charge.tag = None
        charge.version += 1
        record(session, charge, SessionEventKind.FAILED, now=now, why=why)


def _is_unrecognised(session: Session, charge: ChargingSession) -> bool:
    """Whether its plug is in and its charger has not said yet who that is."""
    transaction = transaction_of_session(session, charge.id)
    is_active = charge.status == SessionStatus.ACTIVE
    return is_active and transaction is not None and transaction.tag is None
