"""Telling chargers who is expected, so that they let nobody else begin.

A charger that cannot be told is protected by the rule at the start alone.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, extract, or_, select, update
from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingPayment, BookingStatus
from evcharge.charging.models import OcppReservation
from evcharge.control.models import ChargerCommand, ChargerConnection
from evcharge.control.rules import CommandKind, CommandState
from evcharge.control.service import queue_command
from evcharge.kernel.db import changed
from evcharge.stations.models import Evse

BATCH = 200
SOON = timedelta(minutes=10)


def reserve_soon(session: Session, *, now: datetime) -> int:
    """Announce bookings that begin soon to their chargers, once, at most a batch.

    Not while somebody charges there: the charger could only say no. Return how many.
    """
    coming = session.execute(
        select(Booking, Evse.charger_id, Evse.number)
        .join(Evse, Evse.id == Booking.evse_id)
        .join(
            ChargerConnection,
            and_(
                ChargerConnection.charger_id == Evse.charger_id,
                ChargerConnection.closed_at.is_(None),
            ),
        )
        .where(
            Booking.status == BookingStatus.ACTIVE,
            Booking.payment_status == BookingPayment.PAID,
            Booking.session_started_at.is_(None),
            Booking.starts_at <= now + SOON,
            Booking.ends_at > now,
            Evse.open_session_id.is_(None),
            ~_is_announced(),
        )
        .order_by(Booking.id)
        .limit(BATCH)
        # Nobody else announces it, nor cancels it before that has been written.
        .with_for_update(of=Booking, skip_locked=True)
    ).all()
    for booking, charger_id, number in coming:
        _reserve(session, booking, charger_id, number, now=now)
    return len(coming)


def _is_announced() -> ColumnElement[bool]:
    """Once for this EVSE and start, whatever the charger made of it."""
    ahead = extract("epoch", Booking.starts_at) - extract(
        "epoch", OcppReservation.created_at
    )
    return exists().where(
        OcppReservation.booking_id == Booking.id,
        OcppReservation.evse_id == Booking.evse_id,
        ahead <= SOON // timedelta(seconds=1),
    )


def _reserve(
    session: Session, booking: Booking, charger_id: int, number: int, *, now: datetime
) -> None:
    reservation = OcppReservation(
        booking_id=booking.id,
        charger_id=charger_id,
        evse_id=booking.evse_id,
        created_at=now,
    )
    session.add(reservation)
    session.flush()
    queue_command(
        session,
        charger_id=charger_id,
        kind=CommandKind.RESERVE,
        arguments={
            "number": reservation.number,
            "evse": number,
            "connector": None,
            "tag": booking.reference,
            "expires_at": _rfc3339(booking.ends_at),
        },
        by=None,
        now=now,
        booking_id=booking.id,
    )


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def cancel_over(session: Session, *, now: datetime) -> int:
    """Take back what was announced and is not to come, at most a batch.

    A charger forgets by itself what was used, and what has expired.
    """
    over = session.execute(
        select(OcppReservation, Booking.session_started_at, Booking.ends_at)
        .join(Booking, Booking.id == OcppReservation.booking_id)
        .where(
            OcppReservation.ended_at.is_(None),
            or_(
                Booking.status != BookingStatus.ACTIVE,
                Booking.session_started_at.is_not(None),
                Booking.evse_id != OcppReservation.evse_id,
                Booking.starts_at > now + SOON,
            ),
        )
        .order_by(OcppReservation.number)
        .limit(BATCH)
        .with_for_update(of=OcppReservation, skip_locked=True)
    ).all()
    for reservation, session_started_at, ends_at in over:
        reservation.ended_at = now
        if session_started_at is None and ends_at > now:
            _take_back(session, reservation, now=now)
    session.flush()
    return len(over)


def _take_back(
    session: Session, reservation: OcppReservation, *, now: datetime
) -> None:
    queue_command(
        session,
        charger_id=reservation.charger_id,
        kind=CommandKind.CANCEL_RESERVATION,
        arguments={"number": reservation.number},
        by=None,
        now=now,
        booking_id=reservation.booking_id,
    )


def reservation_ended(
    session: Session, charger_id: int, number: int, *, reason: str, at: datetime
) -> None:
    """Note that a charger gave a reservation up, as it says; unknown ones are let pass.

    `reason`: "expired" or "removed" (OCPP 2.0.1 part 2, section 3.63
    ReservationUpdateStatusEnumType). The booking stays: here the slot is promised.
    """
    _end(session, charger_id, number, at=at)


def on_reserve_answered(
    session: Session, command: ChargerCommand, *, at: datetime
) -> None:
    """Forget a reservation its charger did not take: there is nothing to take back."""
    refused = (CommandState.REJECTED, CommandState.TIMED_OUT)
    if command.kind == CommandKind.RESERVE and command.state in refused:
        number = command.arguments.get("number")
        if isinstance(number, int):
            _end(session, command.charger_id, number, at=at)


def _end(session: Session, charger_id: int, number: int, *, at: datetime) -> None:
    changed(
        session,
        update(OcppReservation)
        .where(
            OcppReservation.number == number,
            OcppReservation.charger_id == charger_id,
            OcppReservation.ended_at.is_(None),
        )
        .values(ended_at=at),
    )
