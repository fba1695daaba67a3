"""A charging point to somebody who stands before it: can it start, and for whom?"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload, raiseload, selectinload

from evcharge.bookings.models import Booking
from evcharge.bookings.queries import Claimed, claims_between
from evcharge.bookings.rules import BookingStatus, slot_no, slot_start
from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import EARLY_START
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.rules import (
    ClaimedBy,
    EvseNotFound,
    EvseStatus,
    Lifecycle,
)
from evcharge.stations.rules.codes import evse_code

LOOK_AHEAD = timedelta(hours=12)  # Nobody charges for longer.
MOST_OTHERS = 3


class Standing(StrEnum):
    """What a person may do here now. CLOSED: the site is not open."""

    CHARGING = "charging"  # Their own session.
    BOOKED = "booked"
    HELD = "held"  # Theirs, once it is paid.
    FREE = "free"
    TAKEN = "taken"  # Somebody else's time.
    BUSY = "busy"
    BROKEN = "broken"
    SILENT = "silent"
    CLOSED = "closed"


@dataclass(frozen=True)
class Point:
    """An EVSE now. `claims`: whose its quarter hours are, from this one on."""

    evse: Evse
    status: EvseStatus
    claims: Mapping[int, Claimed]
    now: datetime

    @property
    def code(self) -> str:
        return evse_code(self.evse.id)

    @property
    def location(self) -> Location:
        return self.evse.charger.location

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.location.timezone)

    @property
    def is_startable(self) -> bool:
        """Whether anybody who comes now may charge here."""
        return (
            self.status in (EvseStatus.AVAILABLE, EvseStatus.BLOCKED)
            and slot_no(self.now) not in self.claims
            and self.location.is_active
            and self.location.hours.is_open(self.now)
        )

    def free_until(self, user_id: int | None = None) -> datetime | None:
        """Return when the next of the others has it; None: not for half a day."""
        return next_claim_at(self.claims, user_id=user_id, now=self.now)

    @property
    def taken_until(self) -> datetime | None:
        """Return the end of the stretch of claims that is under way."""
        number = slot_no(self.now)
        if number not in self.claims:
            return None
        while number in self.claims:
            number += 1
        return slot_start(number)


def next_claim_at(
    claims: Mapping[int, Claimed], *, user_id: int | None, now: datetime
) -> datetime | None:
    """Return the first quarter hour that is neither theirs nor of a walk-in."""
    for number in sorted(claims):
        claim = claims[number]
        is_own = user_id is not None and claim.user_id == user_id
        if claim.kind != ClaimedBy.SESSION and not is_own:
            return max(slot_start(number), now)
    return None


def claims_ahead(
    session: Session, evse_ids: Collection[int], *, now: datetime
) -> dict[int, dict[int, Claimed]]:
    """Return for each EVSE whose its next quarter hours are."""
    found: dict[int, dict[int, Claimed]] = {each: {} for each in evse_ids}
    first, end = slot_no(now), slot_no(now + LOOK_AHEAD)
    for claim in claims_between(session, evse_ids, first, end, now=now):
        found[claim.evse_id][claim.slot_no] = claim
    return found


def site_of_evse(
    session: Session, evse_id: int, *, now: datetime
) -> tuple[Point, list[Point]]:
    """Return the EVSE, and the others at its site that can be had now, alike first.

    Raises: EvseNotFound, also for one that was removed.
    """
    site = (
        select(Charger.location_id)
        .join(Evse, Evse.charger_id == Charger.id)
        .where(Evse.id == evse_id)
        .scalar_subquery()
    )
    evses = session.scalars(
        select(Evse)
        .join(Evse.charger)
        .where(Charger.location_id == site, Evse.lifecycle != Lifecycle.REMOVED)
        .order_by(Charger.identity, Evse.number)
        .options(
            joinedload(Evse.charger)
            .joinedload(Charger.location)
            .joinedload(Location.operator),
            selectinload(Evse.connectors),
            raiseload("*"),
        )
    ).all()
    points = _points(session, evses, now=now)
    this = next((each for each in points if each.evse.id == evse_id), None)
    if this is None:
        raise EvseNotFound(evse_id=evse_id)
    return _as_whoever_plugged_in(session, this), _others(points, this)


def _as_whoever_plugged_in(session: Session, point: Point) -> Point:
    """A 2.0.1 charger may begin with the plug, before anybody said who they are: to
    whoever stands there, a vehicle is plugged in, and it may be theirs."""
    is_busy = point.status == EvseStatus.CHARGING
    if not is_busy or point.evse.open_session_id is None:
        return point
    charge = session.get_one(
        ChargingSession, point.evse.open_session_id, options=[raiseload("*")]
    )
    if charge.tag is not None or not charge.is_of_nobody:
        return point
    others = {
        number: claim
        for number, claim in point.claims.items()
        if claim.kind != ClaimedBy.SESSION
    }
    return replace(point, status=EvseStatus.BLOCKED, claims=others)


def _points(session: Session, evses: Sequence[Evse], *, now: datetime) -> list[Point]:
    claims = claims_ahead(session, [each.id for each in evses], now=now)
    return [
        Point(each, _status(each, claims[each.id], now=now), claims[each.id], now)
        for each in evses
    ]


def _status(evse: Evse, claims: Mapping[int, Claimed], *, now: datetime) -> EvseStatus:
    claim = claims.get(slot_no(now))
    return evse.status(evse.charger, None if claim is None else claim.kind, now=now)


def _others(points: Sequence[Point], this: Point) -> list[Point]:
    kinds = _kinds(this)
    free = [
        each
        for each in points
        if each is not this
        and each.status == EvseStatus.AVAILABLE
        and each.is_startable
    ]
    return sorted(free, key=lambda each: not kinds & _kinds(each))[:MOST_OTHERS]


def _kinds(point: Point) -> set[str]:
    return {each.kind for each in point.evse.connectors}


def booking_near(
    session: Session, user_id: int, evse_id: int, *, now: datetime
) -> Booking | None:
    """Return a driver's booking of this EVSE for now or in a moment, paid or not."""
    return session.scalar(
        select(Booking)
        .where(
            Booking.user_id == user_id,
            Booking.evse_id == evse_id,
            Booking.status == BookingStatus.ACTIVE,
            Booking.starts_at <= now + EARLY_START,
            Booking.ends_at > now,
            or_(Booking.hold_expires_at.is_(None), Booking.hold_expires_at > now),
        )
        .order_by(Booking.starts_at)
        .limit(1)
        .options(raiseload("*"))
    )


_BY_STATUS = {
    EvseStatus.CHARGING: Standing.BUSY,
    EvseStatus.OUT_OF_ORDER: Standing.BROKEN,
    EvseStatus.INOPERATIVE: Standing.BROKEN,
    EvseStatus.PLANNED: Standing.BROKEN,
    EvseStatus.UNKNOWN: Standing.SILENT,
}


def standing_of(
    point: Point, *, booking: Booking | None, own_session_id: UUID | None
) -> Standing:
    """Say what somebody may do here now; what they own comes first."""
    if own_session_id is not None and point.evse.open_session_id == own_session_id:
        return Standing.CHARGING
    if point.status in _BY_STATUS:
        return _BY_STATUS[point.status]
    if booking is not None:
        return _by_booking(point, booking)
    if slot_no(point.now) in point.claims or point.status == EvseStatus.RESERVED:
        return Standing.TAKEN
    return Standing.FREE if point.is_startable else Standing.CLOSED


def _by_booking(point: Point, booking: Booking) -> Standing:
    if booking.due_paise > 0:
        return Standing.HELD
    claim = point.claims.get(slot_no(point.now))
    is_anothers = claim is not None and claim.user_id != booking.user_id
    return Standing.TAKEN if is_anothers else Standing.BOOKED
