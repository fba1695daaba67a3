"""Running stations by programs: what `admin/` does for people."""

from evcharge.network.admin_api import (
    chargers,
    connectors,
    evses,
    locations,
    maintenance,
)
from evcharge.network.admin_api.acting import api

__all__ = ["api", "chargers", "connectors", "evses", "locations", "maintenance"]
