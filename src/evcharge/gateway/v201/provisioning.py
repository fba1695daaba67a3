"""OCPP 2.0.1, functional block B, Provisioning."""

from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.control.rules import Boot, NoticeKind, Protocol, names_secret
from evcharge.control.service import record_boot, record_notice, record_variables
from evcharge.gateway.actions import Actions, Payload
from evcharge.gateway.charger_clock import wire_time
from evcharge.gateway.configuration import ask_what_is_set
from evcharge.gateway.socket import Connected
from evcharge.gateway.v201.words import variable_name
from evcharge.kernel.clock import utc_now

ACTIONS = Actions()


@ACTIONS.action("BootNotification")
async def boot_notification(charger: Connected, payload: Payload) -> Payload:
    station = payload["chargingStation"]
    boot = Boot(
        vendor=station["vendorName"],
        model=station["model"],
        serial_number=station.get("serialNumber", ""),
        firmware_version=station.get("firmwareVersion", ""),
    )
    await charger.do(
        _booted,
        charger_id=charger.charger_id,
        boot=boot,
        # One that we asked for is no boot.
        is_real=payload["reason"] != "Triggered",
        at=charger.received_at,
    )
    return {
        "status": "Accepted",
        "currentTime": wire_time(utc_now()),
        "interval": charger.heartbeat_seconds,
    }


def _booted(
    session: Session, *, charger_id: int, boot: Boot, is_real: bool, at: datetime
) -> None:
    record_boot(session, charger_id, boot, at=at)
    if is_real:
        ask_what_is_set(session, charger_id, Protocol.OCPP201, now=at)


@ACTIONS.action("NotifyReport")
async def notify_report(charger: Connected, payload: Payload) -> Payload:
    await charger.do(
        _reported,
        charger_id=charger.charger_id,
        payload=payload,
        at=charger.received_at,
    )
    return {}


def _reported(
    session: Session, *, charger_id: int, payload: Payload, at: datetime
) -> None:
    told = {
        variable_name(each["component"], each["variable"]): _value(each)
        for each in payload.get("reportData", [])
    }
    variables = {
        name: (None if names_secret(name) else value, is_readonly)
        for name, (value, is_readonly) in told.items()
    }
    record_variables(session, charger_id, variables, at=at)
    title = f"Report {payload['requestId']}, part {payload['seqNo'] + 1}"
    # What it says is with the settings; the rest is in the raw message.
    details = {name: payload[name] for name in payload if name != "reportData"}
    record_notice(session, charger_id, NoticeKind.REPORT, title, details, at=at)


def _value(report: Payload) -> tuple[str | None, bool]:
    """Return what it is set to now, and whether nobody else can set it."""
    for attribute in report["variableAttribute"]:
        if attribute.get("type", "Actual") == "Actual":
            is_readonly = attribute.get("mutability", "ReadWrite") == "ReadOnly"
            return attribute.get("value"), is_readonly
    return None, True
