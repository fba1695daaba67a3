"""Locations by price, power or reliability, batch by batch, out of the index."""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from evcharge.kernel.geo import EARTH_RADIUS_M, Box, around
from evcharge.network.queries.search_found import (
    SITE_COLUMNS,
    Found,
    batches,
    fits,
    position_at,
    rows_of,
)
from evcharge.network.queries.search_index import (
    CONDITIONS,
    WITHIN,
    asked_of_index,
    asked_place,
)
from evcharge.network.queries.straight import (
    away_from_here,
    here_as_asked,
    squared_chord,
)
from evcharge.network.rules import Order, Position, Search
from evcharge.stations.models import Location, LocationConnector

EVERYWHERE = Box(-180, -90, 180, 90)

# What comes first has least of it.
_WORTH: dict[Order, ColumnElement[int] | InstrumentedAttribute[int]] = {
    Order.PRICE: LocationConnector.paise_per_kwh,
    Order.POWER: -LocationConnector.max_power_w,
    Order.RELIABILITY: -LocationConnector.reliability_permille,
}


def ranked(
    session: Session,
    search: Search,
    sieve: ColumnElement[bool] | None,
    after: Position | None,
    at_least: int,
) -> Iterator[Found]:
    """Yield the best first; of equals the nearest, if there is a place."""
    asked = asked_of_index(search) | _asked_area(search)
    last = after or Position(0, away=-1.0, worth=1 - 2**31)
    for size, is_strict in batches(sieve, at_least):
        seen = {"last_worth": last.worth, "last_away": last.away, "size": size}
        rows = rows_of(
            session,
            _statement(search, sieve, is_strict),
            asked | seen | {"last_id": last.location_id},
        )
        yield from rows
        if len(rows) < size:
            return
        last = position_at(rows[-1], search)


def _asked_area(search: Search) -> dict[str, object]:
    here, area, edge = search.outward_from, search.box or EVERYWHERE, math.pi
    if here is None:
        return asked_place(area)
    if search.near is not None and search.radius_m is not None:
        edge = min(edge, search.radius_m / EARTH_RADIUS_M)
        area = area.part_in(around(here, edge))
    return asked_place(area) | here_as_asked(here) | {"edge": squared_chord(edge)}


def _statement(
    search: Search, sieve: ColumnElement[bool] | None, is_strict: bool
) -> Select[*tuple[Any, ...]]:
    is_outward = search.outward_from is not None
    found = _best(search.order, is_outward, len(search.kinds) > 1)
    if is_strict and sieve is not None:
        location = Location.id == found.selected_columns.location_id
        found = found.join(Location, location).where(sieve)
    best = found.subquery()
    return (
        select(
            *SITE_COLUMNS,
            best.c.worth,
            best.c.away,
            fits(None if is_strict else sieve),
        )
        .join(best, best.c.location_id == Location.id)
        .order_by(best.c.worth, best.c.away, best.c.location_id)
    )


@cache
def _best(order: Order, is_outward: bool, is_grouped: bool) -> Select[*tuple[Any, ...]]:
    away = away_from_here() if is_outward else literal(0.0)
    id_, worth = LocationConnector.location_id, _WORTH[order]
    each = select(id_, away.label("away"), worth.label("worth")).where(
        *CONDITIONS, *WITHIN, *([away <= bindparam("edge")] if is_outward else [])
    )
    if is_grouped:  # One row for each plug of a location that they asked for.
        best = func.min(worth).label("worth")
        each = each.with_only_columns(id_, away.label("away"), best).group_by(id_, away)
    rows = each.subquery()
    key = (rows.c.worth, rows.c.away, rows.c.location_id)
    return (
        select(rows.c.location_id, rows.c.away, rows.c.worth)
        .where(
            tuple_(*key)
            > tuple_(*map(bindparam, ("last_worth", "last_away", "last_id")))
        )
        .order_by(*key)
        .limit(bindparam("size"))
    )
