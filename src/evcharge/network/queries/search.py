"""Which locations people look for, and what is told of one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, select
from sqlalchemy.orm import Session

from evcharge.accounts.models import Operator
from evcharge.bookings.rules import Slot
from evcharge.kernel.geo import Point, distance_m
from evcharge.network.queries.search_evses import has_evse
from evcharge.network.queries.search_found import (
    PLACE_COLUMNS,
    SITE_COLUMNS,
    Found,
    PlugOffer,
    offers_in,
    position_at,
    says,
)
from evcharge.network.queries.search_order import in_order
from evcharge.network.rules import (
    PER_PAGE,
    BadPosition,
    Order,
    Position,
    Search,
)
from evcharge.stations.models import Location
from evcharge.stations.rules import Access, LocationNotFound
from evcharge.stations.rules.opening import OpeningHours


@dataclass(frozen=True)
class Site:
    """A location in a list; `distance_m` where people said where they are."""

    id: int
    name: str
    address: str
    city: str
    state: str
    pincode: str
    lat: float
    lon: float
    timezone: str
    opening_hours: str
    access: Access
    reliability_permille: int | None
    offers: tuple[PlugOffer, ...]
    distance_m: float | None


@dataclass(frozen=True)
class SitePage:
    """One location with what its own page tells about it."""

    id: int
    name: str
    address: str
    city: str
    state: str
    pincode: str
    lat: float
    lon: float
    timezone: str
    opening_hours: str
    access: Access
    reliability_permille: int | None
    amenities: Sequence[str]
    is_active: bool
    operator_id: int
    operator_name: str
    operator_phone: str | None

    @property
    def hours(self) -> OpeningHours:
        return OpeningHours(self.opening_hours, self.timezone)


# ── finding locations ────────────────────────────────────────────────────────────


def find_sites(
    session: Session,
    search: Search,
    *,
    now: datetime,
    limit: int = PER_PAGE,
    after: Position | None = None,
) -> tuple[list[Site], Position | None]:
    """Return the locations that match, and where they go on if more follow.

    Nearest first where they said where they are, or what part of the map they look
    at: then from its middle. Else best match, then by name. In another order, of
    equals the nearest comes first.

    Raises: BadPosition, for an `after` that no search in this order led to.
    """
    if after is not None and not after.belongs_to(search):
        raise BadPosition
    skipped = (search.page - 1) * limit
    rows = in_order(
        session,
        search,
        sieve=_sieve(search, now=now),
        after=after,
        at_least=skipped + limit + 1,
    )
    is_open = _opening(search, now=now)
    found = (row for row in rows if row.fits and is_open(row))
    page = list(islice(found, skipped, skipped + limit + 1))
    sites = [_site(row, search.near) for row in page[:limit]]
    return sites, position_at(page[limit - 1], search) if page[limit:] else None


def sites_by_id(
    session: Session, location_ids: Sequence[int], *, near: Point | None
) -> list[Site]:
    """Return those of the locations that drivers may see, in the order given."""
    rows = session.execute(
        select(*SITE_COLUMNS).where(Location.id.in_(location_ids), Location.is_active)
    )
    found = {row.id: _site(row, near) for row in rows}
    return [found[each] for each in dict.fromkeys(location_ids) if each in found]


def _site(row: Found, near: Point | None) -> Site:
    distance = None if near is None else distance_m(near, Point(row.lat, row.lon))
    columns: list[Any] = [*row[: len(PLACE_COLUMNS)], offers_in(row.offers), distance]
    return Site(*columns)


def _sieve(search: Search, *, now: datetime) -> ColumnElement[bool] | None:
    """Return what the index does not know of; None when it knows all they ask."""
    wanted = []
    if search.outward_from is not None or search.order != Order.DISTANCE:
        wanted += [says(word) for word in search.words]
    if not search.is_for_index:
        wanted.append(has_evse(search, now=now))
    return and_(*wanted) if wanted else None


def _opening(search: Search, *, now: datetime) -> Callable[[Found], bool]:
    """Whether it is open for the slot they ask for, or now if it is to be free now.

    There are few different opening hours: each is judged in Python, as booking does,
    and once.
    """
    if not (search.is_free_now or search.slot):
        return lambda row: True
    slot = search.slot or Slot(now, now + timedelta(minutes=1))

    @cache
    def covers(text: str, zone: str) -> bool:
        return OpeningHours(text, zone).covers(slot.starts_at, slot.ends_at)

    return lambda row: covers(row.opening_hours, row.timezone)


# ── one location ─────────────────────────────────────────────────────────────────


def site_page(session: Session, location_id: int) -> SitePage:
    """Raises: LocationNotFound."""
    row = session.execute(_SITE_PAGE, {"location_id": location_id}).one_or_none()
    if row is None:
        raise LocationNotFound(location_id=location_id)
    return SitePage(**row._mapping)


_SITE_PAGE = (
    select(
        *PLACE_COLUMNS,
        Location.amenities,
        Location.is_active,
        Location.operator_id,
        Operator.name.label("operator_name"),
        Operator.support_phone.label("operator_phone"),
    )
    .join(Operator, Operator.id == Location.operator_id)
    .where(Location.id == bindparam("location_id"))
)
