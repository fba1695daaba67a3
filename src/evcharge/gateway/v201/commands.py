"""Commands in the words of OCPP 2.0.1, and its chargers' answers in ours."""

from evcharge.control.models import ChargerCommand
from evcharge.control.rules import BadCommand, CommandKind
from evcharge.gateway.actions import Answer, Call, Payload, Read
from evcharge.gateway.answers import by_status, state_of, with_variables
from evcharge.gateway.socket import Connected
from evcharge.gateway.v201.words import (
    component_and_variable,
    connector_of,
    id_token,
    variable_name,
)

RESETS = {"soft": "OnIdle", "hard": "Immediate"}
# MessageTriggerEnumType of part 2, but for those that ask for certificates.
TRIGGERS = (
    "BootNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "StatusNotification",
    "TransactionEvent",
)

Asked = tuple[str, Payload]


def _start(command: ChargerCommand, charger: Connected) -> Asked:
    told = command.arguments
    return "RequestStartTransaction", {
        "evseId": told["evse"],
        "remoteStartId": told["remote_start_id"],
        "idToken": id_token(told["tag"]),
    }


def _stop(command: ChargerCommand, charger: Connected) -> Asked:
    ref = command.arguments.get("ref")
    if ref is None:
        raise BadCommand("Give the charger's own name of the transaction.")
    return "RequestStopTransaction", {"transactionId": ref}


def _reset(command: ChargerCommand, charger: Connected) -> Asked:
    return "Reset", {"type": RESETS[command.arguments["kind"]]}


def _unlock(command: ChargerCommand, charger: Connected) -> Asked:
    evse = command.arguments["evse"]
    connector = connector_of(charger, evse, command.arguments.get("connector"))
    return "UnlockConnector", {"evseId": evse, "connectorId": connector}


def _availability(command: ChargerCommand, charger: Connected) -> Asked:
    status = "Operative" if command.arguments["is_operative"] else "Inoperative"
    asked: Payload = {"operationalStatus": status}
    evse = command.arguments.get("evse")
    if evse is not None:
        asked["evse"] = {"id": evse}
    return "ChangeAvailability", asked


def _trigger(command: ChargerCommand, charger: Connected) -> Asked:
    message, evse = command.arguments["message"], command.arguments.get("evse")
    if message not in TRIGGERS:
        raise BadCommand("OCPP 2.0.1 has no such message to ask for.")
    asked: Payload = {"requestedMessage": message}
    if message == "StatusNotification":
        # Part 2, use case F06: of a plug, never of an EVSE or the whole charger.
        evse = evse or next((plug.evse for plug in charger.plugs), 1)
        connector = connector_of(charger, evse, command.arguments.get("connector"))
        asked["evse"] = {"id": evse, "connectorId": connector}
    elif evse is not None:
        asked["evse"] = {"id": evse}
    return "TriggerMessage", asked


def _get_variables(command: ChargerCommand, charger: Connected) -> Asked:
    names = command.arguments["names"]
    if names:
        wanted = [component_and_variable(name) for name in names]
        return "GetVariables", {"getVariableData": wanted}
    # All of them come as NotifyReport. The number only has to differ from the last.
    request = command.id.int % 2**31
    return "GetBaseReport", {"requestId": request, "reportBase": "FullInventory"}


def _set_variable(command: ChargerCommand, charger: Connected) -> Asked:
    told = command.arguments
    wanted = component_and_variable(told["name"]) | {"attributeValue": told["value"]}
    return "SetVariables", {"setVariableData": [wanted]}


def _reserve(command: ChargerCommand, charger: Connected) -> Asked:
    told = command.arguments
    return "ReserveNow", {
        "id": told["number"],
        "expiryDateTime": told["expires_at"],
        "idToken": id_token(told["tag"]),
        "evseId": told["evse"],
    }


def _cancel_reservation(command: ChargerCommand, charger: Connected) -> Asked:
    return "CancelReservation", {"reservationId": command.arguments["number"]}


def _variables(payload: Payload) -> Answer:
    if "getVariableResult" not in payload:
        return by_status("Accepted")(payload)
    named = [
        (variable_name(each["component"], each["variable"]), each)
        for each in payload["getVariableResult"]
    ]
    told = {
        name: (each.get("attributeValue"), False)
        for name, each in named
        if each["attributeStatus"] == "Accepted"
    }
    return with_variables(told, [name for name, _ in named if name not in told])


def _set_result(payload: Payload) -> Answer:
    result = payload["setVariableResult"][0]
    word = result["attributeStatus"]
    details = result.get("attributeStatusInfo", {})
    return Answer(state_of(word, ("Accepted", "RebootRequired")), word, details)


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
    CommandKind.RESET: by_status("Accepted", "Scheduled"),
    CommandKind.UNLOCK: by_status("Unlocked"),
    CommandKind.AVAILABILITY: by_status("Accepted", "Scheduled"),
    CommandKind.TRIGGER: by_status("Accepted"),
    CommandKind.GET_VARIABLES: _variables,
    CommandKind.SET_VARIABLE: _set_result,
    CommandKind.RESERVE: by_status("Accepted"),
    CommandKind.CANCEL_RESERVATION: by_status("Accepted"),
}
