"""Which locations people look for, and what is told of one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, pi, radians
from typing import Any

from sqlalchemy import (
    ColumnElement,
    SQLColumnExpression,
    and_,
    case,
    exists,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from evcharge.accounts.models import Operator
from evcharge.bookings.queries import is_taken
from evcharge.bookings.rules import QUARTER, Slot, slot_no, slot_start
from evcharge.network.queries.evses import is_heard_of
from evcharge.network.rules import PER_PAGE, Point, Position, Search, distance_m
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import (
    IN_USE,
    OCCUPIED,
    Lifecycle,
    LocationNotFound,
    ReportedStatus,
)
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
    amenities: Sequence[str]
    is_active: bool
    operator_name: str
    operator_phone: str | None

    @property
    def hours(self) -> OpeningHours:
        return OpeningHours(self.opening_hours, self.timezone)


# ── finding locations ────────────────────────────────────────────────────────────

_SITE_COLUMNS = (
    Location.id,
    Location.name,
    Location.address,
    Location.city,
    Location.state,
    Location.pincode,
    Location.lat,
    Location.lon,
    Location.timezone,
    Location.opening_hours,
)


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
    at: then from its middle. Else best match, then by name.
    """
    order = _order(search)
    rows = session.execute(
        select(*_SITE_COLUMNS, *(each.label(None) for each in order))
        .where(
            Location.is_active,
            *_is_within(search),
            *_is_open(session, search, now=now),
            *(_says(word) for word in search.words),
            _has_evse(search, now=now),
            *_is_after(search, after, order),
        )
        .order_by(*order)
        .limit(limit + 1)
        .offset((search.page - 1) * limit)
    ).all()
    sites = [_site(row[: len(_SITE_COLUMNS)], search.near) for row in rows[:limit]]
    if len(rows) <= limit:
        return sites, None
    return sites, _position(search, rows[limit - 1][len(_SITE_COLUMNS) :])


def _position(search: Search, key: Sequence[Any]) -> Position:
    if search.outward_from is not None:
        return Position(location_id=key[1], away=key[0])
    return Position(rank=key[0], name=key[1], location_id=key[2])


def _is_after(
    search: Search, after: Position | None, order: Sequence[SQLColumnExpression[Any]]
) -> Iterator[ColumnElement[bool]]:
    if after is not None:
        key = (after.away,) if search.outward_from else (after.rank, after.name)
        yield tuple_(*order) > tuple_(
            *(literal(each) for each in key), literal(after.location_id)
        )


def _is_within(search: Search) -> Iterator[ColumnElement[bool]]:
    if search.box is not None:
        yield Location.lat.between(search.box.south, search.box.north)
        yield Location.lon.between(search.box.west, search.box.east)
    if search.near is not None and search.radius_m is not None:
        yield _squared_distance(search.near) <= (search.radius_m / 111_195) ** 2


def sites_by_id(
    session: Session, location_ids: Sequence[int], *, near: Point | None
) -> list[Site]:
    """Return those of the locations that drivers may see, in the order given."""
    rows = session.execute(
        select(*_SITE_COLUMNS).where(Location.id.in_(location_ids), Location.is_active)
    )
    found = {row.id: _site(row, near) for row in rows}
    return [found[each] for each in dict.fromkeys(location_ids) if each in found]


def _site(row: Sequence[Any], near: Point | None) -> Site:
    columns = dict(zip((each.key for each in _SITE_COLUMNS), row, strict=True))
    here = Point(columns["lat"], columns["lon"])
    distance = None if near is None else distance_m(near, here)
    return Site(**columns, distance_m=distance)


def _is_open(
    session: Session, search: Search, *, now: datetime
) -> list[ColumnElement[bool]]:
    """Open for the slot they ask for, or now if it is to be free now.

    There are few different opening hours: each is judged in Python, as booking does.
    """
    if not (search.is_free_now or search.slot):
        return []
    hours = tuple_(Location.opening_hours, Location.timezone)
    known = session.execute(
        select(Location.opening_hours, Location.timezone).distinct()
    )
    slot = search.slot or Slot(now, now + timedelta(minutes=1))
    fitting = [
        (text, zone)
        for text, zone in known
        if OpeningHours(text, zone).covers(slot.starts_at, slot.ends_at)
    ]
    return [hours.in_(fitting)]


def _says(text: str) -> ColumnElement[bool]:
    return Location.search_text.contains(text, autoescape=True)


def _order(search: Search) -> Sequence[SQLColumnExpression[Any]]:
    if search.outward_from is not None:
        return [_squared_distance(search.outward_from), Location.id]
    if not search.words:
        return [literal(0), Location.name, Location.id]
    phrase = "\n" + " ".join(search.words)
    name_begins = Location.search_text.startswith(phrase, autoescape=True)
    rank = case((name_begins, 0), (_says(phrase), 1), else_=2)
    return [rank, Location.name, Location.id]


def _squared_distance(near: Point) -> ColumnElement[float]:
    """Order by this: not the distance, but larger where that is larger.

    Not every SQLite knows cosines, so that of the other latitude is a series:
    within India its error is below a millionth.
    """
    lat = Location.lat * (pi / 180)
    squared = lat * lat
    cosine = 1 - squared / 2 * (1 - squared / 12 * (1 - squared / 30))
    north, east = Location.lat - near.lat, Location.lon - near.lon
    return north * north + east * east * cos(radians(near.lat)) * cosine


def _has_evse(search: Search, *, now: datetime) -> ColumnElement[bool]:
    """Whether one EVSE of the location is all that they ask for."""
    evse = (
        select(Evse.id)
        .join(Charger, Charger.id == Evse.charger_id)
        .where(Charger.location_id == Location.id, *_evse_conditions(search, now=now))
    )
    return evse.correlate(Location).exists()


def _evse_conditions(search: Search, *, now: datetime) -> Iterable[ColumnElement[bool]]:
    wants_free = search.is_free_now or search.slot is not None
    if wants_free:
        yield Evse.lifecycle == Lifecycle.ACTIVE
    else:
        yield Evse.lifecycle != Lifecycle.REMOVED
    if search.kinds or search.min_power_w or search.is_free_now:
        yield _has_plug(search)
    if search.is_free_now:
        yield _is_available(now)
    if search.slot is not None:
        yield ~is_taken(Evse.id, search.slot, now=now)


def _has_plug(search: Search) -> ColumnElement[bool]:
    plug = aliased(Connector)
    wanted = [plug.evse_id == Evse.id]
    if search.kinds:
        wanted.append(plug.kind.in_(search.kinds))
    if search.min_power_w:
        wanted.append(plug.power_w >= search.min_power_w)
    if search.is_free_now:  # A broken plug beside a working one is of no use.
        wanted.append(plug.reported_status == ReportedStatus.AVAILABLE)
    return exists().where(*wanted)


def _is_available(now: datetime) -> ColumnElement[bool]:
    """`status_of(…) == AVAILABLE` in SQL, for an active EVSE with a working plug.

    The tests compare the two over random worlds.
    """
    plug = aliased(Connector)
    busy = exists().where(
        plug.evse_id == Evse.id,
        plug.reported_status.in_([*IN_USE, *OCCUPIED, ReportedStatus.RESERVED]),
    )
    quarter = slot_start(slot_no(now))
    claimed = is_taken(Evse.id, Slot(quarter, quarter + QUARTER), now=now)
    return and_(is_heard_of(now), ~busy, ~claimed)


# ── all of them in a line ────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Totals:
    """What there is to find, counted as the cards count."""

    locations: int
    points: int
    free: int


def totals(session: Session, *, now: datetime) -> Totals:
    is_counted = Evse.lifecycle != Lifecycle.PLANNED
    is_free = and_(*_evse_conditions(Search(is_free_now=True), now=now))
    row = session.execute(
        select(
            func.count(Location.id.distinct()),
            func.count().filter(is_counted),
            func.count().filter(is_free),
        )
        .select_from(Evse)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .where(Location.is_active, Evse.lifecycle != Lifecycle.REMOVED)
    ).one()
    return Totals(*row)


# ── one location ─────────────────────────────────────────────────────────────────


def site_page(session: Session, location_id: int) -> SitePage:
    """Raises: LocationNotFound."""
    row = session.execute(
        select(
            *_SITE_COLUMNS,
            Location.amenities,
            Location.is_active,
            Operator.name.label("operator_name"),
            Operator.support_phone.label("operator_phone"),
        )
        .join(Operator, Operator.id == Location.operator_id)
        .where(Location.id == location_id)
    ).one_or_none()
    if row is None:
        raise LocationNotFound(location_id=location_id)
    return SitePage(**row._mapping)
