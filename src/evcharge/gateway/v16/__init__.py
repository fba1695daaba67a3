"""OCPP 1.6 edition 2: a module for each profile."""

from evcharge.gateway.actions import Actions
from evcharge.gateway.v16 import core, firmware, security, transactions
from evcharge.gateway.v16.commands import CALLS, READ

ACTIONS = Actions(
    core.ACTIONS | transactions.ACTIONS | firmware.ACTIONS | security.ACTIONS
)

__all__ = ["ACTIONS", "CALLS", "READ"]
