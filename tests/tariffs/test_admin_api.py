"""Tariffs by programs: made, assigned, tried out, changed, switched off."""

import pytest

import make
from api import bearer
from evcharge.tariffs.models import PriceCeiling
from make import NOON
from tariff_rows import a_registration, per_kwh

TERMS = per_kwh(1_800).as_json()
TRIAL = {"starts_at": "2026-11-29T10:00:00Z", "energy_wh": 30_000}


@pytest.fixture
def place(database):
    with database.transaction() as session:
        evse = make.an_evse(session)
        operator = evse.charger.location.operator
        a_registration(session, state="Karnataka")
        return {"operator": operator.name, "evse_id": evse.id}


@pytest.fixture
def call(app, database, place):
    headers = bearer(database, "operator", operator=place["operator"])
    client = app.test_client()

    def make(method, path, json=None, **more):
        path = f"/api/v1/admin/tariffs{path}"
        return client.open(path, method=method, json=json, headers=headers | more)

    return make


@pytest.fixture
def made(call):
    return call("POST", "", {"name": "Day", "terms": TERMS}).json


def test_one_is_made_assigned_tried_and_ended(call, made, place):
    path = f"/{made['id']}"
    assigned = call("POST", f"{path}/assignments", {"evse_id": place["evse_id"]})
    tried = call("POST", f"{path}/preview", TRIAL).json
    [assignment] = assigned.json["assignments"]
    ended = call("DELETE", f"{path}/assignments/{assignment['id']}")

    assert made["price"] == "₹18 per kWh"
    assert made["terms"] == TERMS
    assert assignment["evse_id"] == place["evse_id"]
    assert tried["net"]["amount_paise"] == 54_000
    assert tried["tax"]["amount_paise"] == 9_720
    assert tried["total"]["amount_paise"] == 63_720
    assert [line["quantity"] for line in tried["lines"]] == ["30"]
    assert ended.status_code == 204


def test_a_change_names_the_version_it_was_made_on(call, made):
    path, dearer = f"/{made['id']}", {"terms": per_kwh(1_900).as_json()}

    changed = call("PATCH", path, dearer, **{"If-Match": '"1"'})
    again = call("PATCH", path, dearer, **{"If-Match": '"1"'})
    off = call("PATCH", path, {"is_active": False}, **{"If-Match": '"2"'})

    assert changed.json["price"] == "₹19 per kWh"
    assert (again.status_code, again.json["code"]) == (412, "edited_meanwhile")
    assert off.json["is_active"] is False
    assert off.json["price"] == "₹19 per kWh"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({}, "terms.elements"),
        ({"elements": [{"components": [{"type": "FUEL"}]}]}, None),
        (
            {"elements": [{"components": [{"type": "ENERGY", "price_paise": 1.5}]}]},
            None,
        ),
        ({"elements": [], "colour": "red"}, None),
    ],
)
def test_terms_that_cannot_be_are_refused_at_their_place(call, terms, field):
    answer = call("POST", "", {"name": "Day", "terms": terms})

    assert (answer.status_code, answer.json["code"]) == (422, "tariff_invalid")
    [problem] = answer.json["problems"]
    assert problem["field"].startswith(field or "terms")


def test_places_of_others_and_times_that_end_before_they_begin_are_refused(
    call, made, database
):
    path = f"/{made['id']}/assignments"
    with database.transaction() as session:
        other = make.an_operator(session, "Other")
        location = make.a_location(session, operator=other)
        foreign = {"location_id": location.id}
    backwards = {
        "valid_from": "2026-12-02T00:00:00Z",
        "valid_until": "2026-12-01T00:00:00Z",
    }

    assert call("POST", path, foreign).json["code"] == "place_not_found"
    assert call("POST", path, backwards).json["code"] == "validity_invalid"


def test_a_ceiling_is_warned_of_and_does_not_refuse(call, database):
    with database.transaction() as session:
        ceiling = {"current": "DC", "period": "solar", "paise_per_kwh": 1_100}
        session.add(PriceCeiling(**ceiling, source="Guidelines 2024", updated_at=NOON))
    dear = call("POST", "", {"name": "Dear", "terms": per_kwh(9_000).as_json()})

    assert dear.status_code == 201
    assert any("ceiling" in each for each in dear.json["warnings"])


def test_the_list_goes_on_where_it_stopped(call, made):
    call("POST", "", {"name": "Night", "terms": TERMS})
    first = call("GET", "?limit=1").json
    second = call("GET", f"?limit=1&cursor={first['next_cursor']}").json

    assert [each["name"] for each in first["items"] + second["items"]] == [
        "Day",
        "Night",
    ]
    assert second["next_cursor"] is None
