"""The words of OCPP 2.0.1 in ours, and ours in those of OCPP 2.0.1."""

import re

from evcharge.control.rules import BadCommand
from evcharge.gateway.actions import Payload
from evcharge.gateway.socket import Connected
from evcharge.stations.rules import ReportedStatus

REPORTED = {
    "Available": ReportedStatus.AVAILABLE,
    "Occupied": ReportedStatus.OCCUPIED,
    "Reserved": ReportedStatus.RESERVED,
    "Unavailable": ReportedStatus.UNAVAILABLE,
    "Faulted": ReportedStatus.FAULTED,
}

# `Component.Variable`, where each may have an instance (`#`), and the component a
# place (`@evse` or `@evse/connector`): `EVSE@1.AvailabilityState`.
_NAME = re.compile(
    r"(?P<component>[^.#@]+)(?:#(?P<of_component>[^@]*?))?"
    r"(?:@(?P<evse>[0-9]{1,9})(?:/(?P<connector>[0-9]{1,9}))?)?"
    r"\.(?P<variable>[^.#]+)(?:#(?P<of_variable>.+))?"
)


def tag_of(id_token: Payload) -> str | None:
    """Return who it is. Where nobody is asked, the token is of no type and empty."""
    if id_token["type"] == "NoAuthorization":
        return None
    return id_token["idToken"] or None


def token_info(is_allowed: bool) -> Payload:
    return {"status": "Accepted" if is_allowed else "Invalid"}


def id_token(tag: str) -> Payload:
    """Return a tag that we give out ourselves."""
    return {"idToken": tag, "type": "Central"}


def connector_of(charger: Connected, evse: int, connector: int | None) -> int:
    """Return the plug of an EVSE that is meant. Raises: BadCommand."""
    for plug in charger.plugs:
        if plug.evse == evse and connector in (None, plug.connector):
            return plug.connector
    raise BadCommand(evse=evse, connector=connector)


def variable_name(component: Payload, variable: Payload) -> str:
    evse = component.get("evse", {})
    place = "/".join(str(evse[key]) for key in ("id", "connectorId") if key in evse)
    return (
        _with_instance(component)
        + (f"@{place}" if place else "")
        + f".{_with_instance(variable)}"
    )


def _with_instance(named: Payload) -> str:
    instance = named.get("instance")
    return f"{named['name']}#{instance}" if instance else str(named["name"])


def component_and_variable(name: str) -> Payload:
    """Return both as a request names them. Raises: BadCommand."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise BadCommand("Settings of OCPP 2.0.1 are called Component.Variable.")
    component: Payload = {"name": found["component"]}
    if found["of_component"]:
        component["instance"] = found["of_component"]
    if found["evse"]:
        component["evse"] = {"id": int(found["evse"])}
    if found["connector"]:
        component["evse"]["connectorId"] = int(found["connector"])
    variable: Payload = {"name": found["variable"]}
    if found["of_variable"]:
        variable["instance"] = found["of_variable"]
    return {"component": component, "variable": variable}
