"""OCPP 1.6, profile Core: what a charger says of itself."""

from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.control.rules import Boot, NoticeKind, Protocol
from evcharge.control.service import record_boot
from evcharge.gateway.actions import Actions, Payload
from evcharge.gateway.charger_clock import wire_time
from evcharge.gateway.configuration import ask_what_is_set
from evcharge.gateway.records import keep_notice, write_statuses
from evcharge.gateway.socket import Connected
from evcharge.gateway.v16.words import (
    REPORTED,
    WHOLE_CHARGER,
    error_code,
    plug_or_none,
)
from evcharge.kernel.clock import utc_now
from evcharge.stations.rules import ConnectorReport

ACTIONS = Actions()


@ACTIONS.action("BootNotification")
async def boot_notification(charger: Connected, payload: Payload) -> Payload:
    boot = Boot(
        vendor=payload["chargePointVendor"],
        model=payload["chargePointModel"],
        serial_number=payload.get("chargePointSerialNumber")
        or payload.get("chargeBoxSerialNumber", ""),
        firmware_version=payload.get("firmwareVersion", ""),
    )
    await charger.do(
        _booted, charger_id=charger.charger_id, boot=boot, at=charger.received_at
    )
    return {
        "status": "Accepted",
        "currentTime": wire_time(utc_now()),
        "interval": charger.heartbeat_seconds,
    }


def _booted(session: Session, *, charger_id: int, boot: Boot, at: datetime) -> None:
    record_boot(session, charger_id, boot, at=at)
    ask_what_is_set(session, charger_id, Protocol.OCPP16, now=at)


@ACTIONS.action("Heartbeat")
async def heartbeat(charger: Connected, payload: Payload) -> Payload:
    return {"currentTime": wire_time(utc_now())}


@ACTIONS.action("StatusNotification")
async def status_notification(charger: Connected, payload: Payload) -> Payload:
    if payload["connectorId"] == WHOLE_CHARGER:
        await _status_of_charger(charger, payload)
        return {}
    plug = await plug_or_none(charger, payload["connectorId"])
    if plug is None:
        title = f"Unknown connector {payload['connectorId']}: {payload['status']}"
        await keep_notice(charger, NoticeKind.OTHER, title, payload)
        return {}
    report = ConnectorReport(
        plug,
        REPORTED[payload["status"]],
        charger.received_at,
        error_code=error_code(payload),
        vendor_error_code=payload.get("vendorErrorCode", ""),
        error_info=payload.get("info", ""),
    )
    await charger.commit(write_statuses, report)
    return {}


async def _status_of_charger(charger: Connected, payload: Payload) -> None:
    """It is said of each connector too; what is wrong is worth reading all the same."""
    if payload["status"] != "Available" or error_code(payload):
        title = f"Charger: {payload['status']} {error_code(payload)}".rstrip()
        await keep_notice(charger, NoticeKind.OTHER, title, payload)


@ACTIONS.action("DataTransfer")
async def data_transfer(charger: Connected, payload: Payload) -> Payload:
    await keep_notice(charger, NoticeKind.DATA_TRANSFER, payload["vendorId"], payload)
    return {"status": "UnknownVendorId"}
