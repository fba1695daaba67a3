"""Stations as they are stored, in the API's words."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.bookings.models import MaintenanceBlock
from evcharge.bookings.queries import live_blocks_on
from evcharge.control.models import ChargerConnection
from evcharge.control.queries import connections_of
from evcharge.network.admin_api.shapes import (
    AdminCharger,
    AdminConnection,
    AdminConnector,
    AdminEvse,
    AdminLocation,
    BlockAnswer,
)
from evcharge.network.fleet import location_with_operator, statuses_of
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.queries import charger_with_evses, evse_with_place
from evcharge.stations.rules import EvseStatus, Lifecycle, is_silent
from evcharge.web.api import Money


def location_answer(session: Session, location_id: int) -> AdminLocation:
    return described_location(location_with_operator(session, location_id))


def described_location(location: Location) -> AdminLocation:
    return AdminLocation(
        id=location.id,
        version=location.version,
        operator_id=location.operator_id,
        operator=location.operator.name,
        name=location.name,
        address=location.address,
        city=location.city,
        state=location.state,
        pincode=location.pincode,
        lat=location.lat,
        lon=location.lon,
        timezone=location.timezone,
        opening_hours=location.opening_hours,
        amenities=location.amenities,
        overrun=location.overrun,
        access=location.access,
        is_active=location.is_active,
        created_at=location.created_at,
    )


def charger_answer(session: Session, charger_id: int, now: datetime) -> AdminCharger:
    box = charger_with_evses(session, charger_id)
    return described_chargers(session, [box], now)[0]


def described_chargers(
    session: Session, boxes: Sequence[Charger], now: datetime
) -> list[AdminCharger]:
    """Their EVSEs and connectors are loaded; few statements, however many there are."""
    kept = [
        (box, evse)
        for box in boxes
        for evse in box.evses
        if evse.lifecycle != Lifecycle.REMOVED
    ]
    evses = _described_evses(session, kept, now)
    connections = connections_of(session, [box.id for box in boxes])
    return [_charger(box, evses[box.id], connections.get(box.id), now) for box in boxes]


def evse_answer(session: Session, evse_id: int, now: datetime) -> AdminEvse:
    evse = evse_with_place(session, evse_id)
    described = _described_evses(session, [(evse.charger, evse)], now)
    return described[evse.charger_id][0]


def block_answer(block: MaintenanceBlock) -> BlockAnswer:
    return BlockAnswer(
        id=block.id,
        evse_id=block.evse_id,
        starts_at=block.starts_at,
        ends_at=block.ends_at,
        reason=block.reason,
        created_at=block.created_at,
        lifted_at=block.lifted_at,
    )


def _described_evses(
    session: Session, evses: Sequence[tuple[Charger, Evse]], now: datetime
) -> dict[int, list[AdminEvse]]:
    """Return them by charger."""
    statuses = statuses_of(session, evses, now=now)
    blocks = defaultdict(list)
    for block in live_blocks_on(session, list(statuses), now=now):
        blocks[block.evse_id].append(block_answer(block))
    found = defaultdict(list)
    for box, evse in evses:
        found[box.id].append(_evse(box, evse, statuses[evse.id], blocks[evse.id]))
    return found


def _charger(
    box: Charger,
    evses: list[AdminEvse],
    connection: ChargerConnection | None,
    now: datetime,
) -> AdminCharger:
    return AdminCharger(
        id=box.id,
        version=box.version,
        location_id=box.location_id,
        identity=box.identity,
        vendor=box.vendor,
        model=box.model,
        heartbeat_seconds=box.heartbeat_seconds,
        last_seen_at=box.last_seen_at,
        is_silent=is_silent(box.last_seen_at, box.heartbeat, now=now),
        created_at=box.created_at,
        connection=_connection(connection) if connection else None,
        evses=evses,
    )


def _connection(connection: ChargerConnection) -> AdminConnection:
    return AdminConnection(
        protocol=connection.protocol,
        address=connection.address,
        opened_at=connection.opened_at,
        closed_at=connection.closed_at,
        booted_at=connection.booted_at,
        firmware_version=connection.firmware_version,
        serial_number=connection.serial_number,
    )


def _evse(
    box: Charger, evse: Evse, status: EvseStatus, blocks: list[BlockAnswer]
) -> AdminEvse:
    return AdminEvse(
        id=evse.id,
        version=evse.version,
        charger_id=box.id,
        charger=box.identity,
        location_id=box.location_id,
        number=evse.number,
        lifecycle=evse.lifecycle,
        status=status,
        price_per_hour=Money.of(evse.booking_price_paise),
        connectors=[_connector(each) for each in evse.connectors],
        blocks=blocks,
    )


def _connector(connector: Connector) -> AdminConnector:
    return AdminConnector(
        id=connector.id,
        number=connector.number,
        kind=connector.kind,
        power_w=connector.power_w,
        reported_status=connector.reported_status,
        reported_at=connector.reported_at,
        error_code=connector.error_code,
        vendor_error_code=connector.vendor_error_code,
        error_info=connector.error_info,
    )
