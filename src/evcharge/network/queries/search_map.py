"""What a map shows of a search: the locations themselves, or how many are where."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Float, Select, bindparam, func, select
from sqlalchemy.orm import Session

from evcharge.kernel.geo import Box
from evcharge.network.queries.search import Site, find_sites
from evcharge.network.queries.search_index import (
    CONDITIONS,
    WITHIN,
    asked_of_index,
    asked_place,
    kinds_of,
)
from evcharge.network.rules import Search
from evcharge.stations.models import LocationConnector, MapCell
from evcharge.stations.rules.finding import LEVELS, MICRO

# More marks than that nobody tells apart, and each has a status to be worked out.
MOST_SITES = 150
# At this zoom a cell of level 0 is 91 pixels wide: room for a number.
ZOOM_OF_LEVEL_0 = 7
MOST_ROWS, MOST_COLUMNS = 24, 32
# So many cells lie above each other at the coarsest level, all over the globe.
ALL_ROWS = 48


@dataclass(frozen=True)
class Cluster:
    """Some locations close together: their middle, and the cell that they are in."""

    lat: float
    lon: float
    locations: int
    cell: Box


@dataclass(frozen=True)
class MapView:
    """`is_whole`: nothing is left out. There are sites or clusters, never both."""

    sites: Sequence[Site]
    clusters: Sequence[Cluster]
    is_whole: bool


def map_view(
    session: Session, search: Search, box: Box, *, zoom: int | None, now: datetime
) -> MapView:
    """Return what to draw of a search in a part of the map.

    Few locations are shown one by one. Of many that are free then and there, or have
    certain words, only those around the middle: the index cannot count them.
    """
    search = Search(**vars(search) | {"near": None, "box": box, "page": 1})
    if search.is_for_index and not search.words:
        found = clusters(session, search, box, zoom=zoom)
        if sum(each.locations for each in found) > MOST_SITES:
            return MapView((), found, is_whole=True)
    sites, more = find_sites(session, search, now=now, limit=MOST_SITES)
    return MapView(sites, (), is_whole=more is None)


def clusters(
    session: Session, search: Search, box: Box, *, zoom: int | None
) -> list[Cluster]:
    """Count the locations in each cell that touches the box, by what the index knows.

    Up to one kind of plug is read from counts that every write keeps. Anything else is
    counted then and there, and only within the box.
    """
    level = level_for(box, zoom)
    if _is_counted(search):
        rows = session.execute(_COUNTED, _asked_cells(search, box, level))
    else:
        asked = asked_of_index(search) | asked_place(box)
        rows = session.execute(_uncounted(), asked | {"per_degree": 2.0**level})
    side = 2.0**-level
    return [
        Cluster(
            lat=float(row.lat),
            lon=float(row.lon),
            locations=row.locations,
            cell=Box(
                west=row.east * side - 180,
                south=row.north * side - 90,
                east=(row.east + 1) * side - 180,
                north=(row.north + 1) * side - 90,
            ),
        )
        for row in rows
    ]


def level_for(box: Box, zoom: int | None) -> int:
    """Return how fine the cells are: as the zoom says, and not too many in the box."""
    wanted = LEVELS[-1] if zoom is None else zoom - ZOOM_OF_LEVEL_0
    height, width = max(box.north - box.south, 1e-9), max(box.east - box.west, 1e-9)
    fitting = math.floor(math.log2(min(MOST_ROWS / height, MOST_COLUMNS / width)))
    return max(LEVELS[0], min(LEVELS[-1], wanted, fitting))


def _is_counted(search: Search) -> bool:
    is_by_plug_alone = search == Search(
        kinds=search.kinds, box=search.box, order=search.order
    )
    return is_by_plug_alone and len(search.kinds) <= 1


def _asked_cells(search: Search, box: Box, level: int) -> dict[str, object]:
    per_degree = 2.0**level
    south = math.floor((box.south + 90) * per_degree)
    north = math.floor((box.north + 90) * per_degree)
    rows = list(range(south, north + 1))
    return {
        "level": level,
        "kind": kinds_of(search)[0],
        # Always as many, so that it is always the same statement.
        "rows": rows + rows[-1:] * (ALL_ROWS - len(rows)),
        "west": math.floor((box.west + 180) * per_degree),
        "east": math.floor((box.east + 180) * per_degree),
    }


_COUNTED = select(
    MapCell.north,
    MapCell.east,
    MapCell.locations,
    (MapCell.sum_lat_e6 / (MapCell.locations * float(MICRO))).label("lat"),
    (MapCell.sum_lon_e6 / (MapCell.locations * float(MICRO))).label("lon"),
).where(
    MapCell.level == bindparam("level"),
    MapCell.kind == bindparam("kind"),
    MapCell.north.in_(bindparam("rows", expanding=True)),
    MapCell.east.between(bindparam("west"), bindparam("east")),
)


@cache
def _uncounted() -> Select[*tuple[Any, ...]]:
    """A location counts once, however many of the plugs it has."""
    each = LocationConnector
    per_degree = bindparam("per_degree", type_=Float)
    found = (
        select(
            each.location_id,
            each.lat,
            each.lon,
            # Rounding and not flooring: not every SQLite knows the other.
            func.round((each.lat + 90) * per_degree - 0.5).label("north"),
            func.round((each.lon + 180) * per_degree - 0.5).label("east"),
        )
        .where(*CONDITIONS, *WITHIN)
        .distinct()
        .subquery()
    )
    return select(
        found.c.north,
        found.c.east,
        func.count().label("locations"),
        func.avg(found.c.lat).label("lat"),
        func.avg(found.c.lon).label("lon"),
    ).group_by(found.c.north, found.c.east)
