"""OCPP 2.0.1: what chargers tell because somebody asked, or by themselves.

Functional blocks K, Smart Charging, L, Firmware, N, Diagnostics, and O, Display. Our
side of them comes later; until then all of it is kept for operators to read.
"""

from evcharge.control.rules import NoticeKind
from evcharge.gateway.actions import Actions, Payload
from evcharge.gateway.records import noticed
from evcharge.gateway.v201.words import variable_name


def _event_title(payload: Payload) -> str:
    event = payload["eventData"][0]
    name = variable_name(event["component"], event["variable"])
    return f"{event['trigger']}: {name} = {event['actualValue']}"


ACTIONS = Actions(
    FirmwareStatusNotification=noticed(
        NoticeKind.FIRMWARE, lambda payload: f"Firmware: {payload['status']}"
    ),
    PublishFirmwareStatusNotification=noticed(
        NoticeKind.FIRMWARE, lambda payload: f"Firmware to others: {payload['status']}"
    ),
    LogStatusNotification=noticed(
        NoticeKind.LOG, lambda payload: f"Log: {payload['status']}"
    ),
    NotifyEvent=noticed(NoticeKind.DIAGNOSTICS, _event_title),
    NotifyMonitoringReport=noticed(
        NoticeKind.REPORT, lambda payload: f"Monitoring report {payload['requestId']}"
    ),
    NotifyCustomerInformation=noticed(
        NoticeKind.REPORT, lambda payload: f"Customer report {payload['requestId']}"
    ),
    NotifyDisplayMessages=noticed(
        NoticeKind.REPORT, lambda payload: f"Display messages {payload['requestId']}"
    ),
    ReportChargingProfiles=noticed(
        NoticeKind.REPORT, lambda payload: f"Charging profiles {payload['requestId']}"
    ),
    NotifyChargingLimit=noticed(
        NoticeKind.OTHER,
        lambda payload: f"Limited by {payload['chargingLimit']['chargingLimitSource']}",
    ),
    ClearedChargingLimit=noticed(
        NoticeKind.OTHER,
        lambda payload: f"No longer limited by {payload['chargingLimitSource']}",
    ),
    # Part 2, use case K15: no profile for this vehicle will come from us.
    NotifyEVChargingNeeds=noticed(
        NoticeKind.OTHER,
        lambda payload: f"A vehicle's needs at EVSE {payload['evseId']}",
        {"status": "Rejected"},
    ),
    NotifyEVChargingSchedule=noticed(
        NoticeKind.OTHER,
        lambda payload: f"A vehicle's plan at EVSE {payload['evseId']}",
        {"status": "Accepted"},
    ),
)
