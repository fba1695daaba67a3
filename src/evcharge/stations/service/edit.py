"""What operators do to their stations.

An edit names the version it was made from; if that is no longer the present one, it
is refused rather than overwrite what somebody else has done. A connector counts as
part of its EVSE and has no version of its own.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evcharge.kernel.db import changed, insert_missing
from evcharge.kernel.errors import Conflict, NotFound
from evcharge.kernel.live import announce
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.queries import charger_by_identity, location_of_evse
from evcharge.stations.rules import (
    BadStation,
    ChargerNotFound,
    ConnectorNotFound,
    EditedMeanwhile,
    EvseNotFound,
    IdentityTaken,
    LastConnector,
    Lifecycle,
    LocationNotFound,
    NumberTaken,
)
from evcharge.stations.rules.entries import (
    ChargerDetails,
    ConnectorDetails,
    EvseDetails,
    LocationDetails,
    check_charger,
    check_connector,
    check_evse,
    check_location,
    search_text,
)
from evcharge.stations.service.search_rows import refresh_search_rows

# What a kWh comes to depends on price and power: a job works it out anew, soon.
NO_PRICE_YET: dict[str, Any] = {"paise_per_kwh": None}

# ── locations ────────────────────────────────────────────────────────────────────


def create_location(
    session: Session, *, operator_id: int, details: LocationDetails, now: datetime
) -> Location:
    """Raises: BadStation."""
    check_location(details)
    location = Location(
        operator_id=operator_id, created_at=now, **_location_columns(details)
    )
    session.add(location)
    session.flush()
    return location


def edit_location(
    session: Session, *, location_id: int, details: LocationDetails, version: int
) -> None:
    """Raises: BadStation, LocationNotFound, EditedMeanwhile."""
    check_location(details)
    columns = _location_columns(details)
    _edit(session, Location, location_id, version, columns, LocationNotFound())
    refresh_search_rows(session, [location_id])
    announce(session, f"location:{location_id}")


def set_location_active(
    session: Session, *, location_id: int, is_active: bool, version: int
) -> None:
    """Show a location to drivers, or hide it; its bookings are the caller's care.

    Raises: LocationNotFound, EditedMeanwhile.
    """
    # Bookings being made hold a shared lock on their EVSE: let them finish first.
    session.execute(
        select(Evse.id)
        .join(Evse.charger)
        .where(Charger.location_id == location_id)
        .order_by(Evse.id)
        .with_for_update(of=Evse)
    ).all()
    columns = {"is_active": is_active}
    _edit(session, Location, location_id, version, columns, LocationNotFound())
    refresh_search_rows(session, [location_id])
    announce(session, f"location:{location_id}")


def _location_columns(details: LocationDetails) -> dict[str, Any]:
    return asdict(details) | {
        "amenities": list(details.amenities),
        "search_text": search_text(
            name=details.name,
            city=details.city,
            state=details.state,
            pincode=details.pincode,
            address=details.address,
        ),
    }


# ── chargers ─────────────────────────────────────────────────────────────────────


def create_charger(
    session: Session, *, location_id: int, details: ChargerDetails, now: datetime
) -> Charger:
    """Raises: BadStation, IdentityTaken, LocationNotFound."""
    check_charger(details)
    if session.get(Location, location_id) is None:
        raise LocationNotFound(location_id=location_id)
    row = asdict(details) | {"location_id": location_id, "created_at": now}
    if not insert_missing(session, Charger, [row]):
        raise IdentityTaken(identity=details.identity)
    announce(session, f"location:{location_id}")
    return charger_by_identity(session, details.identity)


def edit_charger(
    session: Session, *, charger_id: int, details: ChargerDetails, version: int
) -> None:
    """Raises: BadStation, ChargerNotFound, EditedMeanwhile, IdentityTaken."""
    check_charger(details)
    columns = asdict(details)
    _edit(
        session,
        Charger,
        charger_id,
        version,
        columns,
        ChargerNotFound(),
        clash=IdentityTaken(identity=details.identity),
    )


# ── EVSEs ────────────────────────────────────────────────────────────────────────


def add_evse(
    session: Session,
    *,
    charger_id: int,
    details: EvseDetails,
    connectors: Sequence[ConnectorDetails],
) -> Evse:
    """Raises: BadStation, ChargerNotFound, NumberTaken."""
    check_evse(details)
    for connector in connectors:
        check_connector(connector)
    if not connectors:
        raise BadStation({"connectors": "Add at least one plug."})
    if len({connector.number for connector in connectors}) < len(connectors):
        raise NumberTaken(charger_id=charger_id)
    if session.get(Charger, charger_id) is None:
        raise ChargerNotFound(charger_id=charger_id)

    row = asdict(details) | {"charger_id": charger_id}
    if not insert_missing(session, Evse, [row]):
        raise NumberTaken(charger_id=charger_id, number=details.number)
    evse = session.scalars(
        select(Evse).where(Evse.charger_id == charger_id, Evse.number == details.number)
    ).one()
    session.add_all(
        Connector(evse_id=evse.id, **asdict(connector)) for connector in connectors
    )
    session.flush()
    _plugs_changed(session, evse.id)
    return evse


def edit_evse(
    session: Session, *, evse_id: int, details: EvseDetails, version: int
) -> None:
    """Bookings keep the price they were made at.

    Raises: BadStation, EvseNotFound, EditedMeanwhile, NumberTaken.
    """
    check_evse(details)
    columns = asdict(details) | NO_PRICE_YET
    clash = NumberTaken(evse_id=evse_id, number=details.number)
    _edit(session, Evse, evse_id, version, columns, EvseNotFound(), clash=clash)
    _plugs_changed(session, evse_id)


def set_lifecycle(session: Session, *, evse_id: int, lifecycle: Lifecycle) -> None:
    """Say whether an EVSE is in use; its bookings are the caller's care.

    Whoever is booking it meanwhile holds a shared lock, and is waited for.

    Raises: EvseNotFound.
    """
    # An UPDATE alone would not wait: it leaves the key as it is.
    session.execute(select(Evse.id).where(Evse.id == evse_id).with_for_update())
    moved = (
        update(Evse)
        .where(Evse.id == evse_id)
        .values(lifecycle=lifecycle, version=Evse.version + 1)
    )
    if not changed(session, moved):
        raise EvseNotFound(evse_id=evse_id)
    _plugs_changed(session, evse_id)


# ── connectors ───────────────────────────────────────────────────────────────────


def add_connector(
    session: Session, *, evse_id: int, details: ConnectorDetails, version: int
) -> None:
    """Raises: BadStation, EvseNotFound, EditedMeanwhile, NumberTaken."""
    check_connector(details)
    _touch(session, evse_id, version)
    row = asdict(details) | {"evse_id": evse_id}
    if not insert_missing(session, Connector, [row]):
        raise NumberTaken(evse_id=evse_id, number=details.number)
    _plugs_changed(session, evse_id)


def edit_connector(
    session: Session,
    *,
    evse_id: int,
    connector_id: int,
    details: ConnectorDetails,
    version: int,
) -> None:
    """Raises: BadStation, EvseNotFound, ConnectorNotFound, EditedMeanwhile,
    NumberTaken.
    """
    check_connector(details)
    _touch(session, evse_id, version)
    edited = (
        update(Connector)
        .where(Connector.id == connector_id, Connector.evse_id == evse_id)
        .values(asdict(details))
    )
    try:
        if not changed(session, edited):
            raise ConnectorNotFound(connector_id=connector_id)
    except IntegrityError as error:
        raise NumberTaken(evse_id=evse_id, number=details.number) from error
    _plugs_changed(session, evse_id)


def remove_connector(
    session: Session, *, evse_id: int, connector_id: int, version: int
) -> None:
    """Raises: EvseNotFound, ConnectorNotFound, EditedMeanwhile, LastConnector."""
    _touch(session, evse_id, version)
    mine = Connector.evse_id == evse_id
    removed = delete(Connector).where(mine, Connector.id == connector_id)
    if not changed(session, removed):
        raise ConnectorNotFound(connector_id=connector_id)
    if not session.scalar(select(func.count()).where(mine)):
        raise LastConnector(evse_id=evse_id)
    _plugs_changed(session, evse_id)


def _touch(session: Session, evse_id: int, version: int) -> None:
    """Count an edit of the EVSE; from here on nobody else edits it with us."""
    _edit(session, Evse, evse_id, version, NO_PRICE_YET, EvseNotFound())


# ── what every edit does ─────────────────────────────────────────────────────────


def _edit(
    session: Session,
    table: type[Location | Charger | Evse],
    row_id: int,
    version: int,
    columns: dict[str, Any],
    not_found: NotFound,
    *,
    clash: Conflict | None = None,
) -> None:
    """Change a row that is still as it was seen. A refusal must leave the transaction.

    Raises: EditedMeanwhile, `not_found`; `clash` when a unique key is in the way.
    """
    edited = (
        update(table)
        .where(table.id == row_id, table.version == version)
        .values(version=version + 1, **columns)
    )
    try:
        if changed(session, edited):
            return
    except IntegrityError as error:
        if clash is None:
            raise
        raise clash from error
    if session.scalar(select(table.id).where(table.id == row_id)) is None:
        raise not_found
    raise EditedMeanwhile


def _plugs_changed(session: Session, evse_id: int) -> None:
    """Say so to the search, and to those who watch."""
    location_id = location_of_evse(session, evse_id)
    refresh_search_rows(session, [location_id])
    _tell(session, evse_id, location_id)


def _tell(session: Session, evse_id: int, location_id: int) -> None:
    announce(session, f"location:{location_id}")
    announce(session, f"evse:{evse_id}")
