"""Locations in the order a search shows them, batch by batch, out of the index.

The index alone knows kinds, powers and places. What it does not know (`sieve`) is
looked up for a batch at a time: so no statement looks at more than a batch of
locations closely, however many there are.
"""

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import Session

from evcharge.network.rules import EARTH_RADIUS_M, Box, Point, Position, Search, around
from evcharge.stations.models import Location, LocationCell, LocationConnector
from evcharge.stations.rules.finding import (
    ANY_KIND,
    CELLS_PER_DEGREE,
    cell_at,
    on_globe,
)

Found = Row[*tuple[Any, ...]]

SITE_COLUMNS = (
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
# Where less than all is wanted, how many to look at more closely: first, and at most.
FIRST_BATCH = 60
LARGEST_BATCH = 2000
AFTER_ALL_IDS = 2**31 - 1
# Angles: as far as one can get on a globe; and from where on a ring is most of India.
HALF_TURN = math.pi
FAR = math.radians(8)
# How many cells to each side are counted, until there are enough; and how many more
# locations than wanted are reached for, as they do not lie evenly.
CLOSE_BY, FAR_OFF = (0, 1, 4), (16, 64)
SPARE = 2


def in_order(
    session: Session,
    search: Search,
    *,
    sieve: ColumnElement[bool] | None,
    after: Position | None,
    at_least: int,
) -> Iterator[Found]:
    """Yield the locations after `after` that the index knows to match, in order.

    Each row is SITE_COLUMNS, and says in `fits` whether `sieve` holds too; without one
    all fit. `at_least` is how many will be wanted, should they all fit.
    """
    size = at_least if sieve is None else max(FIRST_BATCH, at_least)
    if search.outward_from is None:
        yield from _listed(session, search, sieve, after, size)
    else:
        yield from _outward(session, search, search.outward_from, sieve, after, size)


def position_at(row: Found, search: Search) -> Position:
    if search.outward_from is not None:
        return Position(row.id, away=row.away)
    return Position(row.id, rank=row.rank, name=row.name)


def says(text: str) -> ColumnElement[bool]:
    return Location.search_text.contains(text, autoescape=True)


def _kinds(search: Search) -> list[str]:
    return sorted(search.kinds) or [ANY_KIND]


# ── the nearest first ────────────────────────────────────────────────────────────


def _outward(
    session: Session,
    search: Search,
    here: Point,
    sieve: ColumnElement[bool] | None,
    after: Position | None,
    size: int,
) -> Iterator[Found]:
    """Look in a ring around `here`, then in the one around that, twice as wide."""
    statement = _nearest(search, here, sieve)
    last = after or Position(0, away=-1.0)
    farthest = _farthest(search)
    reach = _first_reach(session, _kinds(search), here, size)
    reach = min(farthest, math.hypot(reach, _angle(last.away)))
    while True:
        looked_at = around(here, reach)
        if search.box is not None and looked_at.holds(search.box):
            reach = farthest
        edge = _squared_chord(reach)
        rows = session.execute(
            statement, _ring(search, looked_at, last, edge) | {"size": size}
        ).all()
        yield from rows
        if len(rows) == size:
            last = position_at(rows[-1], search)
        elif reach >= farthest:
            return
        else:
            last = Position(AFTER_ALL_IDS, away=edge)
            reach = farthest if reach > FAR else min(farthest, 2 * reach)
        size = min(LARGEST_BATCH, 2 * size)


def _nearest(
    search: Search, here: Point, sieve: ColumnElement[bool] | None
) -> Select[*tuple[Any, ...]]:
    each = LocationConnector
    x, y, z = on_globe(here.lat, here.lon)
    away = (
        (each.x - x) * (each.x - x)
        + (each.y - y) * (each.y - y)
        + (each.z - z) * (each.z - z)
    )
    found = (
        select(each.location_id, away.label("away"))
        .where(
            each.kind.in_(_kinds(search)),
            each.lat.between(bindparam("south"), bindparam("north")),
            each.lon.between(bindparam("west"), bindparam("east")),
            each.max_power_w >= search.min_power_w,
            away <= bindparam("edge"),
            tuple_(away, each.location_id)
            > tuple_(bindparam("last_away"), bindparam("last_id")),
        )
        .order_by("away", each.location_id)
        .limit(bindparam("size"))
    )
    if len(search.kinds) > 1:
        found = found.distinct()
    near = found.subquery()
    return (
        select(*SITE_COLUMNS, near.c.away, _fits(sieve))
        .join(near, near.c.location_id == Location.id)
        .order_by(near.c.away, near.c.location_id)
    )


def _ring(
    search: Search, looked_at: Box, last: Position, edge: float
) -> dict[str, object]:
    part = looked_at if search.box is None else looked_at.part_in(search.box)
    return {
        "south": part.south,
        "north": part.north,
        "west": part.west,
        "east": part.east,
        "last_away": last.away,
        "last_id": last.location_id,
        "edge": edge,
    }


def _farthest(search: Search) -> float:
    if search.near is None or search.radius_m is None:
        return HALF_TURN
    return min(HALF_TURN, search.radius_m / EARTH_RADIUS_M)


def _first_reach(
    session: Session, kinds: Sequence[str], here: Point, wanted: int
) -> float:
    """Return an angle around `here` that probably holds as many, and not many more.

    A guess: when it was too small, the next ring has the rest.
    """
    north, east = cell_at(here.lat, here.lon)
    place = {"kinds": kinds, "north": north, "east": east}
    for widths in (CLOSE_BY, FAR_OFF):
        counts = session.execute(_counts(widths), place).one()
        for cells, found in zip(widths, counts, strict=True):
            if found and found >= wanted:
                side = math.radians((2 * cells + 1) / CELLS_PER_DEGREE)
                area = side * side * math.cos(math.radians(here.lat))
                return math.sqrt(SPARE * wanted / found * area / math.pi)
    return HALF_TURN


@cache
def _counts(widths: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """Count locations in squares of cells around a cell, all in one reading."""
    each = LocationCell

    def is_within(cells: int) -> ColumnElement[bool]:
        north, east = (
            bindparam("north", type_=Integer),
            bindparam("east", type_=Integer),
        )
        return and_(
            each.north.between(north - cells, north + cells),
            each.east.between(east - cells, east + cells),
        )

    counted = func.sum(each.locations)
    return select(*(counted.filter(is_within(cells)) for cells in widths)).where(
        each.kind.in_(bindparam("kinds", expanding=True)), is_within(max(widths))
    )


def _squared_chord(angle: float) -> float:
    """Return the square of the straight line between places so far apart."""
    return (2 * math.sin(angle / 2)) ** 2


def _angle(squared_chord: float | None) -> float:
    return 2 * math.asin(min(1.0, math.sqrt(max(0.0, squared_chord or 0.0)) / 2))


# ── best match, then by name ─────────────────────────────────────────────────────


def _listed(
    session: Session,
    search: Search,
    sieve: ColumnElement[bool] | None,
    after: Position | None,
    size: int,
) -> Iterator[Found]:
    while True:
        rows = session.execute(_named(search, sieve, after, size)).all()
        yield from rows
        if len(rows) < size:
            return
        after = position_at(rows[-1], search)
        size = min(LARGEST_BATCH, 2 * size)


def _named(
    search: Search, sieve: ColumnElement[bool] | None, after: Position | None, size: int
) -> Select[*tuple[Any, ...]]:
    rank = _rank(search)
    key = [*([rank] if search.words else []), Location.name, Location.id]
    matching = (
        select(Location.id, rank.label("rank"))
        .where(*(says(word) for word in search.words), _is_indexed(search))
        .order_by(*key)
        .limit(size)
    )
    if after is not None:
        last = [after.rank] if search.words else []
        seen = tuple_(*map(literal, [*last, after.name, after.location_id]))
        matching = matching.where(tuple_(*key) > seen)
    found = matching.subquery()
    return (
        select(*SITE_COLUMNS, found.c.rank, _fits(sieve))
        .join(found, found.c.id == Location.id)
        .order_by(found.c.rank, Location.name, Location.id)
    )


def _rank(search: Search) -> ColumnElement[int]:
    if not search.words:
        return literal(0)
    phrase = "\n" + " ".join(search.words)
    name_begins = Location.search_text.startswith(phrase, autoescape=True)
    return case((name_begins, 0), (says(phrase), 1), else_=2)


def _is_indexed(search: Search) -> ColumnElement[bool]:
    each = LocationConnector
    return (
        select(each.location_id)
        .where(
            each.location_id == Location.id,
            each.kind.in_(_kinds(search)),
            each.max_power_w >= search.min_power_w,
        )
        .correlate(Location)
        .exists()
    )


def _fits(sieve: ColumnElement[bool] | None) -> ColumnElement[bool]:
    return (true() if sieve is None else sieve).label("fits")
