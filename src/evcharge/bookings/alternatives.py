"""What to offer a driver whose slot has gone: near in time first, then in place."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from evcharge.bookings.pricing import Pricing
from evcharge.bookings.queries import claims_between
from evcharge.bookings.rules import (
    MOST_ALTERNATIVES,
    QUARTER,
    Limits,
    Slot,
    SlotNotBookable,
    check_slot,
)
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import EvseNotFound, Lifecycle
from evcharge.stations.rules.opening import OpeningHours
from evcharge.tariffs.queries import agreed_at

# Six hours either way; about fifteen kilometres; a bounded number of neighbours.
FARTHEST_QUARTERS = 24
NEARBY_DEGREES = 0.15
MOST_NEIGHBOURS = 60


@dataclass(frozen=True)
class Offer:
    """A slot that is free now; it may be gone when it is asked for."""

    evse_id: int
    location_id: int
    location_name: str
    slot: Slot
    amount_paise: int


@dataclass(frozen=True)
class _Place:
    evse_id: int
    location_id: int
    location_name: str
    pricing: Pricing
    hours: OpeningHours

    def offer(self, slot: Slot) -> Offer:
        amount = self.pricing.amount_paise(slot)
        return Offer(self.evse_id, self.location_id, self.location_name, slot, amount)


def alternatives(
    session: Session, *, evse_id: int, slot: Slot, limits: Limits, now: datetime
) -> list[Offer]:
    """Return up to three free slots of the same length for the same plug.

    At the same site first, nearest in time; then at the same time nearby.

    Raises: EvseNotFound.
    """
    here, nearby = _places(session, evse_id, now=now)
    offers = islice(_here(session, here, slot, limits, now), MOST_ALTERNATIVES)
    found = list(offers)
    if len(found) < MOST_ALTERNATIVES and nearby:
        taken = _taken(session, nearby, slot, now=now)
        free = (place for place in nearby if _is_free(taken, place, slot))
        found += [place.offer(slot) for place in _one_a_site(free)]
    return found[:MOST_ALTERNATIVES]


def _here(
    session: Session, places: list[_Place], slot: Slot, limits: Limits, now: datetime
) -> Iterator[Offer]:
    span = FARTHEST_QUARTERS * QUARTER
    around = Slot(slot.starts_at - span, slot.ends_at + span)
    taken = _taken(session, places, around, now=now)
    for shifted in _shifted(slot, limits, now):
        for place in places:
            if _is_free(taken, place, shifted):
                yield place.offer(shifted)
                break  # One for each time: three ways out, not three twins.


def _shifted(slot: Slot, limits: Limits, now: datetime) -> Iterator[Slot]:
    """The slot itself, then a quarter hour later, earlier, two later …"""
    for step in range(FARTHEST_QUARTERS + 1):
        for shift in (step * QUARTER, -step * QUARTER)[: step + 1]:
            moved = Slot(slot.starts_at + shift, slot.ends_at + shift)
            try:
                check_slot(moved, limits=limits, now=now)
            except SlotNotBookable:
                continue
            yield moved


def _taken(
    session: Session, places: Collection[_Place], slot: Slot, *, now: datetime
) -> set[tuple[int, int]]:
    claims = claims_between(
        session,
        [place.evse_id for place in places],
        slot.quarters.start,
        slot.quarters.stop,
        now=now,
    )
    return {(claim.evse_id, claim.slot_no) for claim in claims}


def _is_free(taken: set[tuple[int, int]], place: _Place, slot: Slot) -> bool:
    is_taken = any((place.evse_id, number) in taken for number in slot.quarters)
    return not is_taken and place.hours.covers(slot.starts_at, slot.ends_at)


def _one_a_site(places: Iterable[_Place]) -> list[_Place]:
    sites: dict[int, _Place] = {}
    for place in places:
        sites.setdefault(place.location_id, place)
    return list(sites.values())


def _places(
    session: Session, evse_id: int, *, now: datetime
) -> tuple[list[_Place], list[_Place]]:
    """Return EVSEs with a plug as good: at this site (this one first), and nearby."""
    site = session.execute(
        select(Location.id, Location.lat, Location.lon)
        .join(Charger, Charger.location_id == Location.id)
        .join(Evse, Evse.charger_id == Charger.id)
        .where(Evse.id == evse_id)
    ).one_or_none()
    if site is None:
        raise EvseNotFound(evse_id=evse_id)
    distance = func.abs(Location.lat - site.lat) + func.abs(Location.lon - site.lon)
    as_good = _as_good_as(evse_id)
    rows = session.execute(
        select(
            Evse.id,
            Location.id,
            Location.name,
            Evse.booking_price_paise,
            Location.opening_hours,
            Location.timezone,
        )
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .where(
            Location.lat.between(site.lat - NEARBY_DEGREES, site.lat + NEARBY_DEGREES),
            Location.lon.between(site.lon - NEARBY_DEGREES, site.lon + NEARBY_DEGREES),
            Location.is_active,
            Evse.lifecycle == Lifecycle.ACTIVE,
            as_good,
        )
        .order_by((Evse.id == evse_id).desc(), distance, Evse.id)
        .limit(MOST_NEIGHBOURS)
    ).all()
    agreed = agreed_at(session, [row[0] for row in rows], at=now)
    places = [
        _Place(
            *row[:3], Pricing(row[3], agreed.get(row[0])), hours=OpeningHours(*row[4:])
        )
        for row in rows
    ]
    here = [place for place in places if place.location_id == site.id]
    return here, [place for place in places if place.location_id != site.id]


def _as_good_as(evse_id: int) -> ColumnElement[bool]:
    """Has a connector of a kind that the given EVSE has, with at least its power."""
    mine = select(Connector.kind, Connector.power_w).where(Connector.evse_id == evse_id)
    wanted = mine.subquery()
    return (
        select(Connector.id)
        .join(
            wanted,
            (wanted.c.kind == Connector.kind) & (Connector.power_w >= wanted.c.power_w),
        )
        .where(Connector.evse_id == Evse.id)
        .correlate(Evse)
        .exists()
    )
