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
from evcharge.stations.service.figures import (
    record_prices,
    record_reliability,
)
from evcharge.stations.service.report import (
    record_connector_status,
    record_connector_statuses,
    record_seen,
)
from evcharge.stations.service.search_rows import (
    rebuild_search_rows,
    refresh_search_rows,
)

__all__ = [
    "add_connector",
    "add_evse",
    "create_charger",
    "create_location",
    "edit_charger",
    "edit_connector",
    "edit_evse",
    "edit_location",
    "rebuild_search_rows",
    "record_connector_status",
    "record_connector_statuses",
    "record_prices",
    "record_reliability",
    "record_seen",
    "refresh_search_rows",
    "remove_connector",
    "set_lifecycle",
    "set_location_active",
]
