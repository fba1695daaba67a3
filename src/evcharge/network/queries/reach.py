"""How far a search looks at first: as far as there probably is enough."""

import math
from collections.abc import Sequence
from functools import cache
from time import monotonic
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from evcharge.kernel.geo import Point
from evcharge.stations.models import LocationCell
from evcharge.stations.rules.finding import CELLS_PER_DEGREE, cell_at

# Angles: some 60 m, where every search may begin, and as far as one can get.
CLOSE, HALF_TURN = 1e-5, math.pi
# How many cells to each side are counted, until there are enough; and how many more
# locations than wanted are reached for, as they do not lie evenly.
CLOSE_BY, FAR_OFF = (0, 1, 4), (16, 64)
SPARE = 2
# Towns stay as dense as they are: what was guessed is good for a while, and where it
# no longer is, a search only looks twice.
KEPT_SECONDS = 60.0
MOST_KEPT = 20_000

_Area = tuple[tuple[str, ...], int, int, int]
_kept: dict[_Area, tuple[float, float]] = {}


def first_reach(
    session: Session, kinds: Sequence[str], here: Point, wanted: int
) -> float:
    """Return an angle around `here` that probably holds as many, and not many more.

    A guess: when it was too small, the next ring has the rest.
    """
    area = (tuple(kinds), *cell_at(here.lat, here.lon), wanted)
    now = monotonic()
    reach, ends_at = _kept.get(area, (0.0, 0.0))
    if ends_at > now:
        return reach
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    reach = _guess(session, area, math.cos(math.radians(here.lat)))
    _kept[area] = (reach, now + KEPT_SECONDS)
    return reach


def forget() -> None:
    """Guess anew: everything is another network's."""
    _kept.clear()


def _guess(session: Session, area: _Area, narrowing: float) -> float:
    kinds, north, east, wanted = area
    place = {"kinds": kinds, "north": north, "east": east}
    for widths in (CLOSE_BY, FAR_OFF):
        counts = session.execute(_counts(widths), place).one()
        for cells, found in zip(widths, counts, strict=True):
            if found and found >= wanted:
                side = math.radians((2 * cells + 1) / CELLS_PER_DEGREE)
                around = side * side * narrowing
                return max(CLOSE, math.sqrt(SPARE * wanted / found * around / math.pi))
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
