"""Whether anybody came, as far as the charger can tell.

Only a charger that speaks to us tells of charging. Of the others nothing is known, and
nothing is concluded.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, extract, or_

from evcharge.bookings.models import Booking
from evcharge.bookings.rules import NO_SHOW_GRACE, BookingPayment, BookingStatus
from evcharge.control.models import ChargerConnection
from evcharge.stations.models import Charger, Evse, Outage
from evcharge.stations.queries import is_heard_of
from evcharge.stations.rules import OutageKind


def is_missed(now: datetime) -> ColumnElement[bool]:
    """Nobody came in time, though the charger was there and is there still."""
    return and_(
        _is_unused(now - NO_SHOW_GRACE),
        _has_charger(Charger.last_seen_at >= Booking.starts_at, is_heard_of(now)),
        ~_was_down(*OutageKind),
    )


def is_let_down(now: datetime) -> ColumnElement[bool]:
    """The driver could not have charged: out of order, or out of reach to the end."""
    was_broken = _was_down(OutageKind.FAULTED, OutageKind.UNAVAILABLE)
    was_unheard = or_(
        _has_charger(
            or_(
                Charger.last_seen_at.is_(None),
                Charger.last_seen_at < Booking.starts_at,
            )
        ),
        _was_down(OutageKind.SILENT),
    )
    return and_(
        _is_unused(now - NO_SHOW_GRACE),
        _has_charger(),
        # Until the end it may yet tell what it did while nobody heard it.
        or_(was_broken, and_(Booking.ends_at <= now, was_unheard)),
    )


def is_over(now: datetime) -> ColumnElement[bool]:
    """Its time has been used, or nothing speaks against that."""
    return and_(
        Booking.status == BookingStatus.ACTIVE,
        Booking.hold_expires_at.is_(None),
        Booking.ends_at <= now,
        ~is_missed(now),
        ~is_let_down(now),
    )


def _is_unused(begun_by: datetime) -> ColumnElement[bool]:
    return and_(
        Booking.status == BookingStatus.ACTIVE,
        Booking.payment_status == BookingPayment.PAID,
        Booking.session_started_at.is_(None),
        Booking.starts_at <= begun_by,
    )


def _has_charger(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether its charger speaks to us, and is as asked. Never NULL."""
    return exists().where(
        Evse.id == Booking.evse_id,
        Charger.id == Evse.charger_id,
        ChargerConnection.charger_id == Charger.id,
        *conditions,
    )


def _was_down(*kinds: OutageKind) -> ColumnElement[bool]:
    """From the start on, for as long as a driver has to come."""
    grace = NO_SHOW_GRACE // timedelta(seconds=1)
    came_back = extract("epoch", Outage.ended_at) - extract("epoch", Booking.starts_at)
    return exists().where(
        Outage.evse_id == Booking.evse_id,
        Outage.kind.in_(kinds),
        Outage.began_at <= Booking.starts_at,
        or_(Outage.ended_at.is_(None), came_back >= grace),
    )
