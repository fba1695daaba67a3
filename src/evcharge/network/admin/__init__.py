"""Pages on which operators run their stations."""

from evcharge.network.admin import (
    chargers,
    closing,
    commands,
    keys,
    locations,
    maintenance,
    points,
)
from evcharge.network.admin.blueprint import admin

__all__ = [
    "admin",
    "chargers",
    "closing",
    "commands",
    "keys",
    "locations",
    "maintenance",
    "points",
]
