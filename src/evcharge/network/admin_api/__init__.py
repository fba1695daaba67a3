"""Running stations by programs: what `admin/` does for people."""

from evcharge.network.admin_api import (
    chargers,
    commands,
    connectors,
    evses,
    keys,
    locations,
    maintenance,
)
from evcharge.network.admin_api.acting import api

__all__ = [
    "api",
    "chargers",
    "commands",
    "connectors",
    "evses",
    "keys",
    "locations",
    "maintenance",
]
