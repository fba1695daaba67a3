"""Keeps the search index what the stations are.

Whatever changes which plugs people can find, or where, calls `refresh_search_rows` in
the same transaction. The index is derived: losing it loses nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, insert, select, tuple_
from sqlalchemy.orm import Session

from evcharge.kernel.db import insert_into
from evcharge.stations.models import (
    Charger,
    Connector,
    Evse,
    Location,
    LocationCell,
    LocationConnector,
    MapCell,
)
from evcharge.stations.rules import ConnectorKind, Lifecycle
from evcharge.stations.rules.finding import (
    LEVELS,
    UNKNOWN_PRICE,
    UNKNOWN_RELIABILITY,
    Ground,
    Offer,
    SearchRow,
    Spot,
    search_rows,
    traits_of,
)

Cell = tuple[str, int, int]
_MapKey = tuple[int, str, int, int]

AT_ONCE = 1000
# The first of the two numbers an advisory lock has; nothing else takes any.
LOCK_SPACE = 7


def refresh_search_rows(session: Session, location_ids: Collection[int]) -> None:
    """Make the index say of these locations what is so now."""
    for ids in _chunks(sorted(set(location_ids))):
        _take_turns(session, ids)
        known, wanted = _known(session, ids), _wanted(session, ids)
        stale = {row.location_id for row in known ^ wanted}
        _replace(session, stale, [row for row in wanted if row.location_id in stale])
        counts = Counter(row.cell for row in wanted)
        counts.subtract(row.cell for row in known)
        _count(session, {cell: n for cell, n in counts.items() if n})
        spots = Counter(row.spot for row in wanted)
        spots.subtract(row.spot for row in known)
        _draw(session, {spot: n for spot, n in spots.items() if n})


def rebuild_search_rows(session: Session) -> int:
    """Write the whole index anew, after a bulk load; return how many rows it has.

    Nobody may edit meanwhile.
    """
    session.execute(delete(LocationConnector))
    session.execute(delete(LocationCell))
    session.execute(delete(MapCell))
    written = 0
    counts: Counter[Cell] = Counter()
    spots: Counter[Spot] = Counter()
    for ids in _chunks(session.scalars(select(Location.id)).all()):
        rows = _wanted(session, ids)
        _insert(session, rows)
        written += len(rows)
        counts.update(row.cell for row in rows)
        spots.update(row.spot for row in rows)
    _count(session, counts)
    _draw(session, spots)
    return written


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def _take_turns(session: Session, location_ids: Sequence[int]) -> None:
    """Let nobody else refresh these until the end; SQLite has one writer anyway.

    Two who add a plug each would not see the other's, and the later would write an
    index without the earlier. Bookings share a lock on the location's row and could
    get in the way of a lock there, so it is one that nobody else takes.
    """
    if session.get_bind().dialect.name == "postgresql":
        for location_id in location_ids:
            session.execute(select(func.pg_advisory_xact_lock(LOCK_SPACE, location_id)))


_ROW_COLUMNS = [getattr(LocationConnector, each.name) for each in fields(SearchRow)]


def _known(session: Session, location_ids: Sequence[int]) -> set[SearchRow]:
    rows = session.execute(
        select(*_ROW_COLUMNS).where(LocationConnector.location_id.in_(location_ids))
    )
    return {SearchRow(*row) for row in rows}


def _wanted(session: Session, location_ids: Sequence[int]) -> set[SearchRow]:
    rows = session.execute(_OFFERED, {"location_ids": list(location_ids)})
    found: dict[int, tuple[Ground, dict[ConnectorKind | None, Offer]]] = {}
    for row in rows:
        _, offers = found.setdefault(row.id, (_ground(row), {}))
        offers[row.kind] = Offer(row.power_w, row.paise_per_kwh)
    return {row for each in found.values() for row in search_rows(*each)}


_OFFERED: Select[*tuple[Any, ...]] = (
    select(
        Location.id,
        Location.lat,
        Location.lon,
        Location.operator_id,
        Location.access,
        Location.amenities,
        Location.reliability_permille,
        Connector.kind,
        func.coalesce(func.max(Connector.power_w), 0).label("power_w"),
        func.coalesce(func.min(Evse.paise_per_kwh), UNKNOWN_PRICE).label(
            "paise_per_kwh"
        ),
    )
    .join(Charger, Charger.location_id == Location.id)
    .join(Evse, Evse.charger_id == Charger.id)
    .outerjoin(Connector, Connector.evse_id == Evse.id)
    .where(
        Location.id.in_(bindparam("location_ids", expanding=True)),
        Location.is_active,
        Evse.lifecycle != Lifecycle.REMOVED,
    )
    .group_by(Location.id, Connector.kind)
)


def _ground(row: Row[*tuple[Any, ...]]) -> Ground:
    known = row.reliability_permille
    return Ground(
        row.id,
        row.lat,
        row.lon,
        row.operator_id,
        traits_of(row.access, row.amenities),
        UNKNOWN_RELIABILITY if known is None else known,
    )


def _replace(
    session: Session, location_ids: Collection[int], rows: Collection[SearchRow]
) -> None:
    mine = LocationConnector.location_id.in_(location_ids)
    session.execute(
        delete(LocationConnector).where(mine),
        execution_options={"synchronize_session": False},
    )
    _insert(session, rows)


def _insert(session: Session, rows: Iterable[SearchRow]) -> None:
    values = [vars(row) for row in rows]
    if values:
        session.execute(insert(LocationConnector), values)


def _count(session: Session, changes: dict[Cell, int]) -> None:
    """Add to the counts of cells, always in the same order: two may meet there."""
    if not changes:
        return
    values = [
        {"kind": kind, "north": north, "east": east, "locations": changes[cell]}
        for cell in sorted(changes)
        for kind, north, east in [cell]
    ]
    statement = insert_into(session, LocationCell)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "north", "east"],
            set_={
                "locations": LocationCell.locations + statement.excluded["locations"]
            },
        ),
        values,
    )
    key = tuple_(LocationCell.kind, LocationCell.north, LocationCell.east)
    fallen = [cell for cell, n in changes.items() if n < 0]
    session.execute(
        delete(LocationCell).where(LocationCell.locations == 0, key.in_(fallen)),
        execution_options={"synchronize_session": False},
    )


def _draw(session: Session, changes: Mapping[Spot, int]) -> None:
    """Add to the cells of every level of the map, in the same order for all."""
    if not changes:
        return
    statement = insert_into(session, MapCell)
    cells = sorted(_drawn(changes).items())
    session.execute(
        statement.on_conflict_do_update(
            index_elements=_KEY,
            set_={
                name: getattr(MapCell, name) + statement.excluded[name]
                for name in _SUMS
            },
        ),
        [dict(zip(_KEY + _SUMS, (*cell, *sums), strict=True)) for cell, sums in cells],
    )
    fallen = [dict(zip(_KEY, cell, strict=True)) for cell, sums in cells if sums[0] < 1]
    if fallen:
        session.connection().execute(_EMPTIED, fallen)


_KEY = ["level", "kind", "north", "east"]
_SUMS = ["locations", "sum_lat_e6", "sum_lon_e6"]
_EMPTIED = delete(MapCell.__table__).where(  # type: ignore[arg-type]
    MapCell.locations == 0,
    *(getattr(MapCell, name) == bindparam(name) for name in _KEY),
)


def _drawn(changes: Mapping[Spot, int]) -> dict[_MapKey, list[int]]:
    cells: defaultdict[_MapKey, list[int]] = defaultdict(lambda: [0, 0, 0])
    for spot, n in changes.items():
        for level in LEVELS:
            sums = cells[level, spot.kind, *spot.cell(level)]
            sums[0] += n
            sums[1] += n * spot.lat_e6
            sums[2] += n * spot.lon_e6
    return cells
