"""The words of OCPP 1.6 in ours, and ours in those of OCPP 1.6.

Its connectors are numbered through the whole charger, from 1; 0 is the charger.
"""

from evcharge.control.rules import BadCommand
from evcharge.gateway.actions import Payload
from evcharge.gateway.records import look_for_plug
from evcharge.gateway.socket import Connected
from evcharge.stations.rules import Plug, ReportedStatus

REPORTED = {
    "Available": ReportedStatus.AVAILABLE,
    "Preparing": ReportedStatus.PREPARING,
    "Charging": ReportedStatus.CHARGING,
    "SuspendedEV": ReportedStatus.SUSPENDED_EV,
    "SuspendedEVSE": ReportedStatus.SUSPENDED_EVSE,
    "Finishing": ReportedStatus.FINISHING,
    "Reserved": ReportedStatus.RESERVED,
    "Unavailable": ReportedStatus.UNAVAILABLE,
    "Faulted": ReportedStatus.FAULTED,
}
WHOLE_CHARGER = 0


async def plug_or_none(charger: Connected, connector_id: int) -> Plug | None:
    def find(plugs: list[Plug]) -> Plug | None:
        return plugs[connector_id - 1] if 1 <= connector_id <= len(plugs) else None

    return await look_for_plug(charger, find)


def connector_id_of(charger: Connected, evse: int, connector: int | None) -> int:
    """Return how the charger counts a plug of ours. Raises: BadCommand."""
    for connector_id, plug in enumerate(charger.plugs, start=1):
        if plug.evse == evse and connector in (None, plug.connector):
            return connector_id
    raise BadCommand(evse=evse, connector=connector)


def error_code(payload: Payload) -> str:
    return "" if payload["errorCode"] == "NoError" else payload["errorCode"]


def tag_info(is_allowed: bool) -> Payload:
    return {"status": "Accepted" if is_allowed else "Invalid"}
