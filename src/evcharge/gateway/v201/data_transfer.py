"""OCPP 2.0.1, functional block P, Data Transfer: no vendor's own words are known."""

from evcharge.control.rules import NoticeKind
from evcharge.gateway.actions import Actions
from evcharge.gateway.records import noticed

ACTIONS = Actions(
    DataTransfer=noticed(
        NoticeKind.DATA_TRANSFER,
        lambda payload: payload["vendorId"],
        {"status": "UnknownVendorId"},
    )
)
