"""Locations in the order a search shows them, batch by batch, out of the index.

The index alone knows kinds, powers and places. What it does not know (`sieve`) is
looked up for a small batch first: that is nearly always enough. Where little fits, the
rest is sieved by the database as it goes, and each location is looked at once.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    bindparam,
    case,
    literal,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from evcharge.kernel.geo import EARTH_RADIUS_M, Box, Point, around
from evcharge.network.queries.reach import first_reach
from evcharge.network.queries.search_found import (
    BATCHES,
    SITE_COLUMNS,
    Found,
    batches,
    fits,
    position_at,
    rows_of,
    says,
)
from evcharge.network.queries.search_index import (
    CONDITIONS,
    HIGHEST_ID,
    WITHIN,
    asked_of_index,
    asked_place,
    kinds_of,
)
from evcharge.network.queries.search_ranked import ranked
from evcharge.network.queries.straight import (
    angle_of,
    away_from_here,
    here_as_asked,
    squared_chord,
)
from evcharge.network.rules import Order, Position, Search
from evcharge.stations.models import Location, LocationConnector

# Angles: from where on a ring is most of India, and as far as one can get on a globe.
FAR, HALF_TURN = 0.14, math.pi


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
    if search.order != Order.DISTANCE:
        yield from ranked(session, search, sieve, after, at_least)
    elif search.outward_from is None:
        yield from _listed(session, search, sieve, after, at_least)
    else:
        yield from _outward(
            session, search, search.outward_from, sieve, after, at_least
        )


# ── the nearest first ────────────────────────────────────────────────────────────


def _outward(
    session: Session,
    search: Search,
    here: Point,
    sieve: ColumnElement[bool] | None,
    after: Position | None,
    at_least: int,
) -> Iterator[Found]:
    """Look in a ring around `here`, then in wider and wider ones around that."""
    asked = asked_of_index(search) | here_as_asked(here)
    last = after or Position(0, away=-1.0)
    farthest = _farthest(search)
    wanted = at_least if sieve is None else max(BATCHES[0], at_least)
    reach = first_reach(session, kinds_of(search), here, wanted)
    reach = min(farthest, math.hypot(reach, angle_of(last.away)))
    for size, is_strict in batches(sieve, at_least):
        looked_at = around(here, reach)
        if search.box is not None and looked_at.holds(search.box):
            reach = farthest
        edge = squared_chord(reach)
        rows = rows_of(
            session,
            _nearest(search, sieve, is_strict),
            asked | _ring(search, looked_at, last, edge) | {"size": size},
        )
        yield from rows
        if len(rows) == size:
            last = position_at(rows[-1], search)
        elif reach >= farthest:
            return
        else:
            last = Position(HIGHEST_ID, away=edge)
            wider = (2 if rows else 4) * reach
            reach = farthest if reach > FAR else min(farthest, wider)


def _nearest(
    search: Search, sieve: ColumnElement[bool] | None, is_strict: bool
) -> Select[*tuple[Any, ...]]:
    is_distinct = len(search.kinds) > 1
    if sieve is None:
        return _unsieved(is_distinct)
    if is_strict:
        location = Location.id == LocationConnector.location_id
        found = _in_ring(is_distinct).join(Location, location).where(sieve)
        return _sites(found.subquery())
    return _sites(_some_in_ring(is_distinct), sieve)


# Statements that are the same each time are put together once.
@cache
def _unsieved(is_distinct: bool) -> Select[*tuple[Any, ...]]:
    return _sites(_some_in_ring(is_distinct))


@cache
def _some_in_ring(is_distinct: bool) -> Subquery:
    return _in_ring(is_distinct).subquery()


@cache
def _in_ring(is_distinct: bool) -> Select[int, float]:
    each, away = LocationConnector, away_from_here()
    found = (
        select(each.location_id, away.label("away"))
        .where(
            *CONDITIONS,
            *WITHIN,
            away <= bindparam("edge"),
            tuple_(away, each.location_id)
            > tuple_(bindparam("last_away"), bindparam("last_id")),
        )
        .order_by("away", each.location_id)
        .limit(bindparam("size"))
    )
    return found.distinct() if is_distinct else found


def _sites(
    near: Subquery, sieve: ColumnElement[bool] | None = None
) -> Select[*tuple[Any, ...]]:
    return (
        select(*SITE_COLUMNS, near.c.away, fits(sieve))
        .join(near, near.c.location_id == Location.id)
        .order_by(near.c.away, near.c.location_id)
    )


def _ring(
    search: Search, looked_at: Box, last: Position, edge: float
) -> dict[str, object]:
    part = looked_at if search.box is None else looked_at.part_in(search.box)
    return asked_place(part) | {
        "last_away": last.away,
        "last_id": last.location_id,
        "edge": edge,
    }


def _farthest(search: Search) -> float:
    if search.near is None or search.radius_m is None:
        return HALF_TURN
    return min(HALF_TURN, search.radius_m / EARTH_RADIUS_M)


# ── best match, then by name ─────────────────────────────────────────────────────


def _listed(
    session: Session,
    search: Search,
    sieve: ColumnElement[bool] | None,
    after: Position | None,
    at_least: int,
) -> Iterator[Found]:
    asked = asked_of_index(search)
    for size, is_strict in batches(sieve, at_least):
        found = _named(search, after).limit(size)
        if is_strict and sieve is not None:
            found = found.where(sieve)
        rows = rows_of(session, _with_rank(found, None if is_strict else sieve), asked)
        yield from rows
        if len(rows) < size:
            return
        after = position_at(rows[-1], search)


def _named(search: Search, after: Position | None) -> Select[int, int]:
    rank = _rank(search)
    key = [*([rank] if search.words else []), Location.name, Location.id]
    found = (
        select(Location.id, rank.label("rank"))
        .where(*(says(word) for word in search.words), _is_indexed())
        .order_by(*key)
    )
    if after is None:
        return found
    last = [after.rank] if search.words else []
    seen = tuple_(*map(literal, [*last, after.name, after.location_id]))
    return found.where(tuple_(*key) > seen)


def _with_rank(
    found: Select[int, int], sieve: ColumnElement[bool] | None
) -> Select[*tuple[Any, ...]]:
    named = found.subquery()
    return (
        select(*SITE_COLUMNS, named.c.rank, fits(sieve))
        .join(named, named.c.id == Location.id)
        .order_by(named.c.rank, Location.name, Location.id)
    )


def _rank(search: Search) -> ColumnElement[int]:
    if not search.words:
        return literal(0)
    phrase = "\n" + " ".join(search.words)
    name_begins = Location.search_text.startswith(phrase, autoescape=True)
    return case((name_begins, 0), (says(phrase), 1), else_=2)


def _is_indexed() -> ColumnElement[bool]:
    each = LocationConnector
    known = select(each.location_id).where(each.location_id == Location.id, *CONDITIONS)
    return known.correlate(Location).exists()
