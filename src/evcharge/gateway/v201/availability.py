"""OCPP 2.0.1, functional block G, Availability."""

from evcharge.control.rules import NoticeKind
from evcharge.gateway.actions import Actions, Payload
from evcharge.gateway.charger_clock import wire_time
from evcharge.gateway.records import keep_notice, write_statuses
from evcharge.gateway.socket import Connected
from evcharge.gateway.v201.words import REPORTED
from evcharge.kernel.clock import utc_now
from evcharge.stations.rules import ConnectorReport, Plug

ACTIONS = Actions()


@ACTIONS.action("Heartbeat")
async def heartbeat(charger: Connected, payload: Payload) -> Payload:
    return {"currentTime": wire_time(utc_now())}


@ACTIONS.action("StatusNotification")
async def status_notification(charger: Connected, payload: Payload) -> Payload:
    plug = Plug(charger.identity, payload["evseId"], payload["connectorId"])
    status = REPORTED[payload["connectorStatus"]]
    report = ConnectorReport(plug, status, charger.received_at)
    if not await charger.commit(write_statuses, report):
        place = f"{plug.evse}/{plug.connector}"
        title = f"Unknown connector {place}: {payload['connectorStatus']}"
        await keep_notice(charger, NoticeKind.OTHER, title, payload)
    return {}
