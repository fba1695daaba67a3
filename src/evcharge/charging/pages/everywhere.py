"""What pages of other features say of a driver's charging: a banner, a button."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import request

from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingPayment, BookingStatus
from evcharge.charging.models import ChargingSession
from evcharge.charging.pages.blueprint import pages
from evcharge.charging.queries import (
    UNDER_WAY,
    UnderWay,
    session_of_booking,
    under_way,
)
from evcharge.charging.rules import EARLY_START, SessionStatus
from evcharge.stations.rules.codes import evse_code
from evcharge.web.context import current_user_or_none, reading


@dataclass(frozen=True)
class BookingCharge:
    """What a booking's page says of charging. `starts_at`: from when it may start."""

    charge: ChargingSession | None
    can_start: bool
    starts_at: datetime

    @property
    def session_id(self) -> UUID | None:
        return self.charge.id if self.charge else None

    @property
    def is_under_way(self) -> bool:
        return self.charge is not None and self.charge.status in UNDER_WAY

    @property
    def is_over(self) -> bool:
        return self.charge is not None and self.charge.status == SessionStatus.COMPLETED


def charge_of_booking(booking: Booking, now: datetime) -> BookingCharge:
    starts_at = booking.starts_at - EARLY_START
    is_paid = booking.payment_status == BookingPayment.PAID
    may_have_begun = is_paid and now >= starts_at
    charge = session_of_booking(reading(), booking.id) if may_have_begun else None
    is_over = charge is not None and charge.status == SessionStatus.COMPLETED
    can_start = (
        may_have_begun
        and booking.status == BookingStatus.ACTIVE
        and now < booking.ends_at
        and (charge is None or is_over)
    )
    return BookingCharge(charge, can_start, starts_at)


def charging_now() -> UnderWay | None:
    """Return what the banner of all other pages says: what this person charges."""
    user = current_user_or_none()
    if user is None or request.blueprint == pages.name:
        return None
    return under_way(reading(), user.id)


@pages.app_context_processor
def _words_for_templates() -> dict[str, Any]:
    return {
        "charge_of_booking": charge_of_booking,
        "charging_now": charging_now,
        "code_of_evse": evse_code,
    }
