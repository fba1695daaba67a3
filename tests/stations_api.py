"""Calls of /api/v1/admin about stations: what fits, and what was read just now."""

from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from console import World, in_hours

ADMIN = "/api/v1/admin"
A_LOCATION = {
    "name": "Station Road",
    "address": "4 Station Road",
    "city": "Mysuru",
    "state": "Karnataka",
    "pincode": "570001",
    "lat": 12.3163,
    "lon": 76.6456,
}
AN_EVSE = {
    "number": 2,
    "booking_price_paise": 9_000,
    "connectors": [{"number": 1, "kind": "type2", "power_w": 22_000}],
}


def a_block(start: float, length: float = 1, **more: Any) -> dict[str, Any]:
    slot = in_hours(start, length)
    return {
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": slot.ends_at.isoformat(),
        "reason": "New cable",
    } | more


def operations(world: World) -> list[tuple[str, str, Any]]:
    """Every address of this API with a body that would do."""
    place, box = f"/locations/{world.location_id}", f"/chargers/{world.charger_id}"
    evse = f"/evses/{world.evse_id}"
    plug = f"{evse}/connectors/{world.connector_id}"
    return [
        ("GET", "/locations", None),
        ("POST", "/locations", A_LOCATION),
        ("GET", place, None),
        ("PATCH", place, {"name": "Another"}),
        ("GET", "/chargers", None),
        ("POST", "/chargers", {"location_id": world.location_id, "identity": "N-1"}),
        ("GET", box, None),
        ("PATCH", box, {"vendor": "Another"}),
        ("POST", f"{box}/close", {}),
        ("POST", f"{box}/open", None),
        ("POST", f"{box}/key", None),
        ("DELETE", f"{box}/key", None),
        ("GET", f"{box}/commands", None),
        ("POST", f"{box}/commands", {"kind": "get_variables"}),
        ("GET", f"/commands/{uuid4()}", None),
        ("GET", f"{box}/messages", None),
        ("POST", "/evses", AN_EVSE | {"charger_id": world.charger_id}),
        ("GET", evse, None),
        ("PATCH", evse, {"booking_price_paise": 1}),
        ("DELETE", evse, None),
        ("POST", f"{evse}/connectors", AN_EVSE["connectors"][0]),
        ("PATCH", plug, {"power_w": 1}),
        ("DELETE", plug, None),
        ("POST", f"{evse}/blocks", a_block(50)),
        ("POST", f"/blocks/{world.block_id}/lift", None),
    ]


def ask(client: FlaskClient, method: str, path: str, body: Any) -> TestResponse:
    return client.open(
        f"{ADMIN}{path}",
        method=method,
        json=body,
        headers={"If-Match": '"1"'},
    )


def read(client: FlaskClient, path: str) -> Any:
    answer = client.get(f"{ADMIN}{path}")
    assert answer.status_code == 200, answer.text
    return answer.json


def patch(
    client: FlaskClient, path: str, changes: dict[str, Any], *, seen: int | None = None
) -> TestResponse:
    """Edit what was read just now, or in the version seen."""
    version = read(client, path.split("/connectors")[0])["version"]
    etag = f'"{version if seen is None else seen}"'
    return client.patch(f"{ADMIN}{path}", json=changes, headers={"If-Match": etag})


def fields(answer: TestResponse) -> list[str]:
    return [each["field"] for each in answer.json["problems"]]
