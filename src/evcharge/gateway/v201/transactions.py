"""OCPP 2.0.1, functional blocks E, Transactions, and J, Meter Values."""

from evcharge.charging.rules import EventType, Metered, TransactionEvent
from evcharge.charging.service import record_event
from evcharge.control.rules import NoticeKind
from evcharge.gateway.actions import Actions, Payload
from evcharge.gateway.charger_clock import charger_time
from evcharge.gateway.errors import CallFailed, Code
from evcharge.gateway.readings import readings_201
from evcharge.gateway.records import Heard, keep_notice, write_meters
from evcharge.gateway.socket import Connected
from evcharge.gateway.v201.words import tag_of, token_info
from evcharge.stations.rules import EvseNotFound

ACTIONS = Actions()


@ACTIONS.action("TransactionEvent")
async def transaction_event(charger: Connected, payload: Payload) -> Payload:
    event = _event(charger, payload)
    try:
        is_allowed = await charger.do(record_event, event=event, at=charger.received_at)
    except EvseNotFound:
        # A transaction needs a place. The charger keeps it and may try again.
        title = f"Transaction at unknown EVSE {event.evse_number}"
        await keep_notice(charger, NoticeKind.OTHER, title, payload)
        raise CallFailed(Code.PROPERTY, "There is no such EVSE.") from None
    if "idToken" not in payload:
        return {}
    return {"idTokenInfo": token_info(is_allowed is not False)}


def _event(charger: Connected, payload: Payload) -> TransactionEvent:
    info, evse = payload["transactionInfo"], payload.get("evse", {})
    return TransactionEvent(
        type=EventType(payload["eventType"]),
        charger_id=charger.charger_id,
        transaction_ref=info["transactionId"],
        seq_no=payload["seqNo"],
        charger_at=charger_time(payload["timestamp"]),
        evse_number=evse.get("id"),
        connector_number=evse.get("connectorId"),
        tag=tag_of(payload["idToken"]) if "idToken" in payload else None,
        is_offline=payload.get("offline", False),
        charging_state=info.get("chargingState"),
        reason=info.get("stoppedReason", ""),
        readings=readings_201(payload.get("meterValue", [])).readings,
        reservation_number=payload.get("reservationId"),
        remote_start_id=info.get("remoteStartId"),
    )


@ACTIONS.action("MeterValues")
async def meter_values(charger: Connected, payload: Payload) -> Payload:
    readings = readings_201(payload["meterValue"]).readings
    # EVSE 0 is the charger's own meter.
    if readings and payload["evseId"] > 0:
        metered = Metered(charger.charger_id, payload["evseId"], readings)
        await charger.commit(write_meters, Heard(metered, charger.received_at))
    return {}
