"""Keeps the search index what the stations are.

Whatever changes which plugs people can find, or where, calls `refresh_search_rows` in
the same transaction. The index is derived: losing it loses nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import fields

from sqlalchemy import delete, func, insert, select, tuple_
from sqlalchemy.orm import Session

from evcharge.kernel.db import insert_into
from evcharge.stations.models import (
    Charger,
    Connector,
    Evse,
    Location,
    LocationCell,
    LocationConnector,
)
from evcharge.stations.rules import ConnectorKind, Lifecycle
from evcharge.stations.rules.finding import SearchRow, search_rows

Cell = tuple[str, int, int]
_Place = tuple[int, float, float]

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


def rebuild_search_rows(session: Session) -> None:
    """Write the whole index anew, after a bulk load. Nobody may edit meanwhile."""
    session.execute(delete(LocationConnector))
    session.execute(delete(LocationCell))
    counts: Counter[Cell] = Counter()
    for ids in _chunks(session.scalars(select(Location.id)).all()):
        rows = _wanted(session, ids)
        _insert(session, rows)
        counts.update(row.cell for row in rows)
    _count(session, counts)


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
    rows = session.execute(
        select(
            Location.id,
            Location.lat,
            Location.lon,
            Connector.kind,
            func.coalesce(func.max(Connector.power_w), 0),
        )
        .join(Charger, Charger.location_id == Location.id)
        .join(Evse, Evse.charger_id == Charger.id)
        .outerjoin(Connector, Connector.evse_id == Evse.id)
        .where(
            Location.id.in_(location_ids),
            Location.is_active,
            Evse.lifecycle != Lifecycle.REMOVED,
        )
        .group_by(Location.id, Location.lat, Location.lon, Connector.kind)
    )
    places: defaultdict[_Place, dict[ConnectorKind | None, int]] = defaultdict(dict)
    for location_id, lat, lon, kind, power_w in rows:
        places[location_id, lat, lon][kind] = power_w
    return {
        row for place, powers in places.items() for row in search_rows(*place, powers)
    }


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
