"""OCPP 1.6, profile Core: who may charge, and what was charged."""

from evcharge.charging.rules import Metered, TransactionStart, TransactionStop
from evcharge.charging.service import authorize, start_transaction, stop_transaction
from evcharge.control.rules import NoticeKind
from evcharge.gateway.actions import Actions, Payload
from evcharge.gateway.charger_clock import charger_time
from evcharge.gateway.errors import CallFailed, Code
from evcharge.gateway.readings import readings_16, register_wh_or_none
from evcharge.gateway.records import Heard, keep_notice, write_meters
from evcharge.gateway.socket import Connected
from evcharge.gateway.v16.words import plug_or_none, tag_info

ACTIONS = Actions()
# What a StopTransaction means that names no reason.
DEFAULT_REASON = "Local"


@ACTIONS.action("Authorize")
async def authorize_tag(charger: Connected, payload: Payload) -> Payload:
    is_allowed = await charger.do(
        authorize,
        charger_id=charger.charger_id,
        tag=payload["idTag"],
        now=charger.received_at,
    )
    return {"idTagInfo": tag_info(is_allowed)}


@ACTIONS.action("StartTransaction")
async def start(charger: Connected, payload: Payload) -> Payload:
    plug = await plug_or_none(charger, payload["connectorId"])
    if plug is None:
        # A transaction needs a place. The charger keeps it and may try again.
        title = f"Transaction at unknown connector {payload['connectorId']}"
        await keep_notice(charger, NoticeKind.OTHER, title, payload)
        raise CallFailed(Code.PROPERTY, "There is no such connector.")
    started = TransactionStart(
        charger_id=charger.charger_id,
        evse_number=plug.evse,
        connector_number=plug.connector,
        tag=payload["idTag"],
        meter_wh=register_wh_or_none(payload["meterStart"]),
        charger_at=charger_time(payload["timestamp"]),
        reservation_number=payload.get("reservationId"),
    )
    answer = await charger.do(start_transaction, start=started, at=charger.received_at)
    return {"transactionId": answer.number, "idTagInfo": tag_info(answer.is_allowed)}


@ACTIONS.action("StopTransaction")
async def stop(charger: Connected, payload: Payload) -> Payload:
    stopped = TransactionStop(
        charger_id=charger.charger_id,
        number=payload["transactionId"],
        tag=payload.get("idTag"),
        meter_wh=register_wh_or_none(payload["meterStop"]),
        charger_at=charger_time(payload["timestamp"]),
        reason=payload.get("reason", DEFAULT_REASON),
        readings=readings_16(payload.get("transactionData", [])).readings,
    )
    is_allowed = await charger.do(
        stop_transaction, stop=stopped, at=charger.received_at
    )
    return {"idTagInfo": tag_info(is_allowed)} if "idTag" in payload else {}


@ACTIONS.action("MeterValues")
async def meter_values(charger: Connected, payload: Payload) -> Payload:
    readings = readings_16(payload["meterValue"]).readings
    number = payload.get("transactionId")
    plug = await plug_or_none(charger, payload["connectorId"])
    # Without a place and a transaction it is the charger's own meter.
    if readings and (plug or number is not None):
        metered = Metered(
            charger_id=charger.charger_id,
            evse_number=plug.evse if plug else 0,
            readings=readings,
            number=number,
        )
        await charger.commit(write_meters, Heard(metered, charger.received_at))
    return {}
