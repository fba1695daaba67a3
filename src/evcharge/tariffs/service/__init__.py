"""What can happen to tariffs. Callers open the transaction."""

from evcharge.tariffs.service.edit import (
    add_tariff,
    assign,
    change_tariff,
    end_assignment,
    set_active,
    set_ceiling,
)
from evcharge.tariffs.service.pricing import refresh_prices

__all__ = [
    "add_tariff",
    "assign",
    "change_tariff",
    "end_assignment",
    "refresh_prices",
    "set_active",
    "set_ceiling",
]
