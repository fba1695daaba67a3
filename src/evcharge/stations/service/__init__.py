"""Things that happen to stations. Callers open the transaction."""

from evcharge.stations.service.edit import (
    add_connector,
    add_evse,
    create_charger,
    create_location,
    edit_charger,
    edit_connector,
    edit_evse,
    edit_location,
    remove_connector,
    set_lifecycle,
    set_location_active,
)
from evcharge.stations.service.report import record_connector_status, record_seen

__all__ = [
    "add_connector",
    "add_evse",
    "create_charger",
    "create_location",
    "edit_charger",
    "edit_connector",
    "edit_evse",
    "edit_location",
    "record_connector_status",
    "record_seen",
    "remove_connector",
    "set_lifecycle",
    "set_location_active",
]
