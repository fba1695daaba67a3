"""What of the network the one who asks may see and change: theirs, an admin all."""

from uuid import UUID

from evcharge.bookings.models import MaintenanceBlock
from evcharge.bookings.rules import BlockNotFound
from evcharge.network.fleet import location_with_operator
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.queries import charger_with_evses, evse_with_place
from evcharge.stations.rules import ChargerNotFound, EvseNotFound, LocationNotFound
from evcharge.web.context import check_in_scope, reading


def own_location(location_id: int) -> Location:
    """Raises: LocationNotFound, also for somebody else's."""
    location = location_with_operator(reading(), location_id)
    check_in_scope(location.operator_id, LocationNotFound())
    return location


def own_charger(charger_id: int) -> Charger:
    """Raises: ChargerNotFound, also for somebody else's."""
    charger = charger_with_evses(reading(), charger_id)
    check_in_scope(charger.location.operator_id, ChargerNotFound())
    return charger


def own_evse(evse_id: int) -> Evse:
    """Raises: EvseNotFound, also for somebody else's."""
    evse = evse_with_place(reading(), evse_id)
    check_in_scope(evse.charger.location.operator_id, EvseNotFound())
    return evse


def own_block(block_id: UUID) -> tuple[MaintenanceBlock, Evse]:
    """Raises: BlockNotFound, also for somebody else's."""
    block = reading().get(MaintenanceBlock, block_id)
    if block is None:
        raise BlockNotFound(block_id=block_id)
    evse = evse_with_place(reading(), block.evse_id)
    check_in_scope(evse.charger.location.operator_id, BlockNotFound())
    return block, evse
