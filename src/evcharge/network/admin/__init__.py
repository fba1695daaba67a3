"""Pages on which operators run their stations."""

from evcharge.network.admin import (
    chargers,
    closing,
    codes,
    commands,
    keys,
    locations,
    maintenance,
    messages,
    parked,
    points,
)
from evcharge.network.admin.blueprint import admin

__all__ = [
    "admin",
    "chargers",
    "closing",
    "codes",
    "commands",
    "keys",
    "locations",
    "maintenance",
    "messages",
    "parked",
    "points",
]
