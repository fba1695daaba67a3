"""Improved security for OCPP 1.6-J, edition 3: kept for operators to read."""

from evcharge.control.rules import NoticeKind
from evcharge.gateway.actions import Actions
from evcharge.gateway.records import noticed

ACTIONS = Actions(
    SecurityEventNotification=noticed(
        NoticeKind.SECURITY, lambda payload: payload["type"]
    ),
    LogStatusNotification=noticed(
        NoticeKind.LOG, lambda payload: f"Log: {payload['status']}"
    ),
    SignedFirmwareStatusNotification=noticed(
        NoticeKind.FIRMWARE, lambda payload: f"Firmware: {payload['status']}"
    ),
    # Certificates of chargers are not ours to sign: a proxy speaks TLS for us.
    SignCertificate=noticed(
        NoticeKind.SECURITY,
        lambda payload: "Wants a certificate signed",
        {"status": "Rejected"},
    ),
)
