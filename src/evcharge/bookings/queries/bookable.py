"""What a booking depends on: the EVSE, and what its driver holds already."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Row,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking
from evcharge.bookings.rules import (
    BookingStatus,
)
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.rules import EvseNotFound, Lifecycle
from evcharge.stations.rules.opening import OpeningHours


@dataclass(frozen=True)
class BookableEvse:
    """What booking an EVSE depends on, as of now."""

    evse_id: int
    location_id: int
    price_paise_per_hour: int
    is_open: bool
    hours: OpeningHours


def bookable_evses(
    session: Session, evse_ids: Collection[int]
) -> dict[int, BookableEvse]:
    """Return what booking these EVSEs depends on, and keep it so until the end.

    The shared lock makes an operator who closes an EVSE, or its location, wait for
    the bookings being made, so that the list of those to cancel is complete; and
    who waits here for an operator sees the place closed.

    Raises: EvseNotFound.
    """
    rows = session.execute(_BOOKABLE_KEPT, {"evse_ids": list(evse_ids)})
    found = {row.id: _bookable(row) for row in rows}
    if missing := set(evse_ids) - set(found):
        raise EvseNotFound(evse_id=min(missing))
    return found


def bookable_evse(session: Session, evse_id: int) -> BookableEvse:
    """Return what booking this EVSE depends on, as of now. Raises: EvseNotFound."""
    row = session.execute(_BOOKABLE, {"evse_ids": [evse_id]}).one_or_none()
    if row is None:
        raise EvseNotFound(evse_id=evse_id)
    return _bookable(row)


def _bookable(row: Row[*tuple[Any, ...]]) -> BookableEvse:
    return BookableEvse(
        row.id,
        row.location_id,
        row.booking_price_paise,
        row.is_active and row.lifecycle == Lifecycle.ACTIVE,
        OpeningHours(row.opening_hours, row.timezone),
    )


_BOOKABLE = (
    select(
        Evse.id,
        Charger.location_id,
        Evse.booking_price_paise,
        Evse.lifecycle,
        Location.is_active,
        Location.opening_hours,
        Location.timezone,
    )
    .join(Charger, Charger.id == Evse.charger_id)
    .join(Location, Location.id == Charger.location_id)
    .where(
        Evse.id.in_(bindparam("evse_ids", expanding=True)),
        Evse.lifecycle != Lifecycle.REMOVED,
    )
    .order_by(Evse.id)
)
_BOOKABLE_KEPT = _BOOKABLE.with_for_update(read=True, of=(Evse, Location))


def counted_bookings(
    session: Session, user_id: int, *, now: datetime
) -> tuple[int, int]:
    """Return how many live holds and how many upcoming bookings a driver has."""
    row = session.execute(_COUNTED, {"user_id": user_id, "now": now}).one()
    return row[0], row[1]


_IS_HOLD = Booking.hold_expires_at.is_not(None)
_COUNTED = select(func.count().filter(_IS_HOLD), func.count()).where(
    Booking.user_id == bindparam("user_id"),
    Booking.status == BookingStatus.ACTIVE,
    Booking.ends_at > bindparam("now"),
    or_(~_IS_HOLD, Booking.hold_expires_at > bindparam("now")),
)
