"""Pages of the console on which money is settled and compared."""

from evcharge.finance.admin import reconciliation, settlement
from evcharge.finance.admin.blueprint import admin

__all__ = ["admin", "reconciliation", "settlement"]
