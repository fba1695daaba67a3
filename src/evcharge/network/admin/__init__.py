"""Pages on which operators run their stations."""

from evcharge.network.admin import chargers, closing, locations, maintenance, points
from evcharge.network.admin.blueprint import admin

__all__ = ["admin", "chargers", "closing", "locations", "maintenance", "points"]
