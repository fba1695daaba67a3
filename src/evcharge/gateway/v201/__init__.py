"""OCPP 2.0.1 edition 3: a module for each functional block."""

from evcharge.gateway.actions import Actions
from evcharge.gateway.v201 import (
    authorization,
    availability,
    data_transfer,
    notifications,
    provisioning,
    reservation,
    security,
    transactions,
)
from evcharge.gateway.v201.commands import CALLS, READ

ACTIONS = Actions(
    security.ACTIONS
    | provisioning.ACTIONS
    | authorization.ACTIONS
    | transactions.ACTIONS
    | availability.ACTIONS
    | reservation.ACTIONS
    | notifications.ACTIONS
    | data_transfer.ACTIONS
)

__all__ = ["ACTIONS", "CALLS", "READ"]
