"""Questions about stations. Nothing here changes anything."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, extract, or_, select, true
from sqlalchemy.orm import Session, joinedload, raiseload, selectinload

from evcharge.stations.models import Charger, Connector, Evse, Location, Outage
from evcharge.stations.rules import (
    ChargerNotFound,
    EvseNotFound,
    Lifecycle,
    LocationNotFound,
    Plug,
    ReportedStatus,
    covered,
    silence_allowed,
)

# The operators whose network somebody may see; None: everybody's.
Scope = frozenset[int] | None


def in_scope(scope: Scope) -> ColumnElement[bool]:
    """Whether the Location of the statement is one that they may see."""
    return true() if scope is None else Location.operator_id.in_(scope)


@dataclass(frozen=True)
class ConnectorPlace:
    """A connector as it was last heard of, and where it is."""

    plug: Plug
    connector_id: int
    evse_id: int
    charger_id: int
    location_id: int
    reported_status: ReportedStatus | None
    error_code: str
    vendor_error_code: str
    error_info: str
    has_session: bool
    last_seen_at: datetime | None
    heartbeat_seconds: int

    @property
    def heartbeat(self) -> timedelta:
        return timedelta(seconds=self.heartbeat_seconds)


def location_with_evses(session: Session, location_id: int) -> Location:
    """Return the location with its operator, chargers, EVSEs and connectors loaded.

    Raises: LocationNotFound.
    """
    location = session.scalar(
        select(Location)
        .where(Location.id == location_id)
        .options(
            joinedload(Location.operator),
            selectinload(Location.chargers)
            .selectinload(Charger.evses)
            .selectinload(Evse.connectors),
            raiseload("*"),
        )
    )
    if location is None:
        raise LocationNotFound(location_id=location_id)
    return location


def charger_by_identity(session: Session, identity: str) -> Charger:
    """Raises: ChargerNotFound."""
    charger = session.scalar(
        select(Charger).where(Charger.identity == identity).options(raiseload("*"))
    )
    if charger is None:
        raise ChargerNotFound(identity=identity)
    return charger


def charger_with_evses(session: Session, charger_id: int) -> Charger:
    """Return the charger with its location, EVSEs and connectors loaded.

    Raises: ChargerNotFound.
    """
    charger = session.scalar(
        select(Charger)
        .where(Charger.id == charger_id)
        .options(
            joinedload(Charger.location),
            selectinload(Charger.evses).selectinload(Evse.connectors),
            raiseload("*"),
        )
    )
    if charger is None:
        raise ChargerNotFound(charger_id=charger_id)
    return charger


def evse_with_place(session: Session, evse_id: int) -> Evse:
    """Return the EVSE with its connectors, charger and location loaded.

    Raises: EvseNotFound.
    """
    evse = session.scalar(
        select(Evse)
        .where(Evse.id == evse_id)
        .options(
            joinedload(Evse.charger)
            .joinedload(Charger.location)
            .joinedload(Location.operator),
            selectinload(Evse.connectors),
            raiseload("*"),
        )
    )
    if evse is None:
        raise EvseNotFound(evse_id=evse_id)
    return evse


def location_of_evse(session: Session, evse_id: int) -> int:
    """Return the id of the location the EVSE is at. Raises: EvseNotFound."""
    location_id = session.scalar(
        select(Charger.location_id).join(Charger.evses).where(Evse.id == evse_id)
    )
    if location_id is None:
        raise EvseNotFound(evse_id=evse_id)
    return location_id


def connectors_of(
    session: Session, identities: Collection[str]
) -> dict[Plug, ConnectorPlace]:
    """Return the connectors of these chargers, by where they are."""
    rows = session.execute(_CONNECTORS, {"identities": list(identities)})
    return {
        plug: ConnectorPlace(plug, *place)
        for identity, evse, connector, *place in rows
        for plug in (Plug(identity, evse, connector),)
    }


_CONNECTORS: Select[*tuple[Any, ...]] = (
    select(
        Charger.identity,
        Evse.number,
        Connector.number,
        Connector.id,
        Evse.id,
        Charger.id,
        Charger.location_id,
        Connector.reported_status,
        Connector.error_code,
        Connector.vendor_error_code,
        Connector.error_info,
        Evse.open_session_id.is_not(None),
        Charger.last_seen_at,
        Charger.heartbeat_seconds,
    )
    .join(Evse, Evse.id == Connector.evse_id)
    .join(Charger, Charger.id == Evse.charger_id)
    .where(Charger.identity.in_(bindparam("identities", expanding=True)))
)


def plugs_of(session: Session, charger_id: int) -> list[Plug]:
    """Return the plugs of a charger in the order in which OCPP 1.6 counts them.

    Its connector 1 is the first of them (OCPP 1.6 edition 2, section 3.1: connectors
    are numbered from 1 without a gap).
    """
    return plugs_of_chargers(session, [charger_id]).get(charger_id, [])


def plugs_of_chargers(
    session: Session, charger_ids: Collection[int]
) -> dict[int, list[Plug]]:
    """Return `plugs_of` for each of these chargers that has any."""
    rows = session.execute(_PLUGS, {"charger_ids": list(charger_ids)})
    found: dict[int, list[Plug]] = {}
    for charger_id, *place in rows:
        found.setdefault(charger_id, []).append(Plug(*place))
    return found


_PLUGS: Select[*tuple[Any, ...]] = (
    select(Charger.id, Charger.identity, Evse.number, Connector.number)
    .join(Evse, Evse.charger_id == Charger.id)
    .join(Connector, Connector.evse_id == Evse.id)
    .where(
        Charger.id.in_(bindparam("charger_ids", expanding=True)),
        Evse.lifecycle != Lifecycle.REMOVED,
    )
    .order_by(Charger.id, Evse.number, Connector.number)
)


def evse_ids_of(session: Session, charger_ids: Collection[int]) -> dict[int, list[int]]:
    """Return the EVSEs of each of these chargers that has any."""
    found: dict[int, list[int]] = {}
    rows = session.execute(
        select(Evse.charger_id, Evse.id)
        .where(Evse.charger_id.in_(charger_ids))
        .order_by(Evse.charger_id, Evse.number)
    )
    for charger_id, evse_id in rows:
        found.setdefault(charger_id, []).append(evse_id)
    return found


def evses_of_location(session: Session, location_id: int) -> list[int]:
    return list(
        session.scalars(
            select(Evse.id)
            .join(Evse.charger)
            .where(Charger.location_id == location_id)
            .order_by(Evse.id)
        )
    )


def chargers_by_identity(session: Session, *, limit: int) -> Sequence[Charger]:
    """Return chargers with their locations and EVSEs, in order of identity."""
    return session.scalars(
        select(Charger)
        .order_by(Charger.identity)
        .limit(limit)
        .options(
            joinedload(Charger.location), selectinload(Charger.evses), raiseload("*")
        )
    ).all()


def is_heard_of(now: datetime) -> ColumnElement[bool]:
    """`not is_silent(…)` in SQL; NULL for a charger that was never heard of."""
    # Whole seconds: SQLite's clock functions count no smaller ones.
    second = timedelta(seconds=1)
    fixed = silence_allowed(timedelta(0)) // second
    per_heartbeat = silence_allowed(second) // second - fixed
    silent_at = (
        extract("epoch", Charger.last_seen_at)
        + Charger.heartbeat_seconds * per_heartbeat
        + fixed
    )
    return silent_at >= int(now.timestamp())


def uptime(
    session: Session, evse_ids: Collection[int], since: datetime, now: datetime
) -> dict[int, float]:
    """Return for which part of the time each EVSE could have charged, from 0 to 1.

    Counted from when its charger was added, if that was later than `since`; one added
    just now has no answer.
    """
    added = session.execute(
        select(Evse.id, Charger.created_at)
        .join(Charger, Charger.id == Evse.charger_id)
        .where(Evse.id.in_(evse_ids))
    )
    outages = session.execute(
        select(Outage.evse_id, Outage.began_at, Outage.ended_at)
        .where(
            Outage.evse_id.in_(evse_ids),
            Outage.began_at < now,
            or_(Outage.ended_at.is_(None), Outage.ended_at > since),
        )
        .order_by(Outage.began_at)
    )
    down: dict[int, list[tuple[datetime, datetime]]] = {}
    for evse_id, began_at, ended_at in outages:
        down.setdefault(evse_id, []).append((began_at, ended_at or now))
    return {
        evse_id: 1 - covered(down.get(evse_id, []), begin, now) / (now - begin)
        for evse_id, created_at in added
        if (begin := max(since, created_at)) < now
    }
