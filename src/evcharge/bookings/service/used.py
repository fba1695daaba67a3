"""What charging tells bookings: that somebody came, and that they have charged."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking
from evcharge.bookings.queries import booking_by_id
from evcharge.bookings.rules import SYSTEM, BookingEventKind, BookingStatus
from evcharge.bookings.service.changes import end, must_change, record, tell


def note_session(
    session: Session, booking_id: UUID, *, at: datetime, now: datetime
) -> None:
    """Remember that charging under a booking began, so that it is no no-show.

    A no-show of which the charger tells late that the driver came is done after all.
    A second session changes nothing, nor does one of a booking that was cancelled.

    Raises: BookingNotFound.
    """
    booking = _locked(session, booking_id)
    if booking.status in (BookingStatus.CANCELLED, BookingStatus.EXPIRED):
        return
    if booking.session_started_at is None:
        must_change(session, booking, session_started_at=at)
        _record(session, booking, BookingEventKind.CHARGING, now=now, at=at)
    _set_right(session, booking, now=now, at=at)


def complete_by_session(
    session: Session, booking_id: UUID, *, at: datetime, now: datetime
) -> None:
    """End a booking whose driver has charged and gone; the rest of its time is free.

    A booking that is over already stays as it is, but for a no-show, which was none.

    Raises: BookingNotFound.
    """
    booking = _locked(session, booking_id)
    if booking.status == BookingStatus.ACTIVE:
        end(
            session,
            booking,
            BookingStatus.COMPLETED,
            BookingEventKind.COMPLETED,
            now=now,
            session_at=at.isoformat(),
        )
    _set_right(session, booking, now=now, at=at)


def _locked(session: Session, booking_id: UUID) -> Booking:
    # The driver's row is not locked: neither limits nor money change here, and one
    # transaction may keep the words of many chargers, whose drivers come in any order.
    return booking_by_id(session, booking_id, lock=True)


def _set_right(
    session: Session, booking: Booking, *, now: datetime, at: datetime
) -> None:
    """Turn a no-show into what it was. Its time was given away then and stays so."""
    if booking.status != BookingStatus.NO_SHOW:
        return
    must_change(
        session,
        booking,
        status=BookingStatus.COMPLETED,
        sequence=booking.sequence + 1,
    )
    _record(
        session,
        booking,
        BookingEventKind.COMPLETED,
        before=BookingStatus.NO_SHOW,
        now=now,
        at=at,
    )


def _record(
    session: Session,
    booking: Booking,
    kind: BookingEventKind,
    *,
    now: datetime,
    at: datetime,
    before: BookingStatus | None = None,
) -> None:
    record(
        session,
        booking,
        kind,
        actor=SYSTEM,
        now=now,
        before=before or booking.status,
        session_at=at.isoformat(),
    )
    tell(session, booking)
