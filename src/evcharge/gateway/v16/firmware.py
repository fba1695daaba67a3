"""OCPP 1.6, profile Firmware Management: kept for operators to read."""

from evcharge.control.rules import NoticeKind
from evcharge.gateway.actions import Actions
from evcharge.gateway.records import noticed

ACTIONS = Actions(
    FirmwareStatusNotification=noticed(
        NoticeKind.FIRMWARE, lambda payload: f"Firmware: {payload['status']}"
    ),
    DiagnosticsStatusNotification=noticed(
        NoticeKind.DIAGNOSTICS, lambda payload: f"Diagnostics: {payload['status']}"
    ),
)
