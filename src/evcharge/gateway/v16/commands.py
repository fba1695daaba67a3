"""Commands in the words of OCPP 1.6, and its chargers' answers in ours."""

from typing import Any

from evcharge.control.models import ChargerCommand
from evcharge.control.rules import BadCommand, CommandKind
from evcharge.gateway.actions import Answer, Call, Payload, Read
from evcharge.gateway.answers import by_status, with_variables
from evcharge.gateway.socket import Connected
from evcharge.gateway.v16.words import WHOLE_CHARGER, connector_id_of

LONGEST_TAG = 20
# MessageTrigger of edition 2.
TRIGGERS = (
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "StatusNotification",
)

Asked = tuple[str, Payload]


def _start(command: ChargerCommand, charger: Connected) -> Asked:
    told = command.arguments
    return "RemoteStartTransaction", {
        "connectorId": connector_id_of(charger, told["evse"], told.get("connector")),
        "idTag": _tag(told),
    }


def _stop(command: ChargerCommand, charger: Connected) -> Asked:
    number = command.arguments.get("number")
    if number is None:
        raise BadCommand("Give the number of the transaction.")
    return "RemoteStopTransaction", {"transactionId": number}


def _reset(command: ChargerCommand, charger: Connected) -> Asked:
    return "Reset", {"type": command.arguments["kind"].capitalize()}


def _unlock(command: ChargerCommand, charger: Connected) -> Asked:
    told = command.arguments
    connector_id = connector_id_of(charger, told["evse"], told.get("connector"))
    return "UnlockConnector", {"connectorId": connector_id}


def _availability(command: ChargerCommand, charger: Connected) -> Asked:
    return "ChangeAvailability", {
        "connectorId": _connector_or_all(command, charger),
        "type": "Operative" if command.arguments["is_operative"] else "Inoperative",
    }


def _trigger(command: ChargerCommand, charger: Connected) -> Asked:
    message = command.arguments["message"]
    if message not in TRIGGERS:
        raise BadCommand("OCPP 1.6 has no such message to ask for.")
    asked = {"requestedMessage": message}
    if command.arguments.get("evse") is None:
        return "TriggerMessage", asked
    return "TriggerMessage", asked | {
        "connectorId": _connector_or_all(command, charger)
    }


def _get_variables(command: ChargerCommand, charger: Connected) -> Asked:
    names = command.arguments["names"]
    return "GetConfiguration", {"key": names} if names else {}


def _set_variable(command: ChargerCommand, charger: Connected) -> Asked:
    told = command.arguments
    return "ChangeConfiguration", {"key": told["name"], "value": told["value"]}


def _reserve(command: ChargerCommand, charger: Connected) -> Asked:
    told = command.arguments
    return "ReserveNow", {
        "connectorId": connector_id_of(charger, told["evse"], told.get("connector")),
        "expiryDate": told["expires_at"],
        "idTag": _tag(told),
        "reservationId": told["number"],
    }


def _cancel_reservation(command: ChargerCommand, charger: Connected) -> Asked:
    return "CancelReservation", {"reservationId": command.arguments["number"]}


def _tag(told: dict[str, Any]) -> str:
    tag: str = told["tag"]
    if len(tag) > LONGEST_TAG:
        raise BadCommand("OCPP 1.6 takes tags of at most 20 characters.")
    return tag


def _connector_or_all(command: ChargerCommand, charger: Connected) -> int:
    evse = command.arguments.get("evse")
    if evse is None:
        return WHOLE_CHARGER
    return connector_id_of(charger, evse, command.arguments.get("connector"))


def _variables(payload: Payload) -> Answer:
    told = {
        each["key"]: (each.get("value"), each["readonly"])
        for each in payload.get("configurationKey", [])
    }
    return with_variables(told, payload.get("unknownKey", []))


CALLS: dict[CommandKind, Call] = {
    CommandKind.START: _start,
    CommandKind.STOP: _stop,
    CommandKind.RESET: _reset,
    CommandKind.UNLOCK: _unlock,
    CommandKind.AVAILABILITY: _availability,
    CommandKind.TRIGGER: _trigger,
    CommandKind.GET_VARIABLES: _get_variables,
    CommandKind.SET_VARIABLE: _set_variable,
    CommandKind.RESERVE: _reserve,
    CommandKind.CANCEL_RESERVATION: _cancel_reservation,
}
READ: dict[CommandKind, Read] = {
    CommandKind.START: by_status("Accepted"),
    CommandKind.STOP: by_status("Accepted"),
    CommandKind.RESET: by_status("Accepted"),
    CommandKind.UNLOCK: by_status("Unlocked"),
    CommandKind.AVAILABILITY: by_status("Accepted", "Scheduled"),
    CommandKind.TRIGGER: by_status("Accepted"),
    CommandKind.GET_VARIABLES: _variables,
    CommandKind.SET_VARIABLE: by_status("Accepted", "RebootRequired"),
    CommandKind.RESERVE: by_status("Accepted"),
    CommandKind.CANCEL_RESERVATION: by_status("Accepted"),
}
