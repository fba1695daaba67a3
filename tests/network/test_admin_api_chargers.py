"""Chargers, EVSEs, connectors and maintenance by programs: /api/v1/admin/…"""

import pytest

import make
from api import caller, refusal
from console import a_world
from evcharge.bookings.rules import BookingStatus
from evcharge.kernel.clock import utc_now
from evcharge.stations.models import Evse
from evcharge.stations.rules import ReportedStatus
from stations_api import ADMIN, AN_EVSE, a_block, ask, operations, patch, read


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def own(app, database, world):
    return caller(app, database, "operator", operator="Test Power")


# ── chargers ─────────────────────────────────────────────────────────────────────


def test_a_charger_is_added_and_read(own, world):
    body = {"location_id": world.location_id, "identity": "KA-01*7", "vendor": "Acme"}

    made = own.post(f"{ADMIN}/chargers", json=body)

    assert made.status_code == 201
    assert made.json["heartbeat_seconds"] == 300
    assert (made.json["is_silent"], made.json["evses"]) == (True, [])
    assert made.json == read(own, f"/chargers/{made.json['id']}")


def test_two_chargers_never_share_an_identity(own, world):
    body = {"location_id": world.location_id, "identity": "KA-1"}

    assert own.post(f"{ADMIN}/chargers", json=body).status_code == 201
    answer = own.post(f"{ADMIN}/chargers", json=body)
    renamed = patch(own, f"/chargers/{world.charger_id}", {"identity": "KA-1"})

    assert refusal(answer) == refusal(renamed) == (409, "identity_taken")


@pytest.mark.parametrize(
    "change",
    [
        {"identity": "with space"},
        {"identity": "a:b"},
        {"identity": "x" * 49},
        {"identity": "नमस्ते"},
        {"heartbeat_seconds": 9},
        {"heartbeat_seconds": "300"},
        {"vendor": "x" * 51},
        {"location_id": 2},
    ],
)
def test_a_charger_takes_no_such_change(own, world, change):
    answer = patch(own, f"/chargers/{world.charger_id}", change)

    assert refusal(answer) == (400, "invalid_request")


def test_a_charger_is_edited_in_part(own, world):
    path = f"/chargers/{world.charger_id}"
    before = read(own, path)

    answer = patch(own, path, {"model": "X 60", "heartbeat_seconds": 60.0})

    changed = {"model": "X 60", "heartbeat_seconds": 60, "version": 2}
    assert answer.json == read(own, path) == before | changed


def test_a_charger_shows_how_its_evses_are(own, world):
    (evse,) = read(own, f"/chargers/{world.charger_id}")["evses"]

    assert evse == read(own, f"/evses/{world.evse_id}")
    assert evse["status"] == "available"
    assert evse["price_per_hour"]["amount_paise"] == make.PRICE_PAISE
    assert [each["id"] for each in evse["connectors"]] == [world.connector_id]
    assert [each["id"] for each in evse["blocks"]] == [str(world.block_id)]


def test_chargers_are_found_by_place_word_and_status(own, database, world):
    with database.transaction() as session:
        place = make.a_location(session, operator=make.an_operator(session))
        broken = make.an_evse(
            session,
            location=place,
            identity="BROKEN-1",
            reported=ReportedStatus.FAULTED,
            seen_at=utc_now(),
        )
        place_id, broken_id = place.id, broken.charger_id

    def ids(query):
        return [each["id"] for each in read(own, f"/chargers?{query}")["items"]]

    assert ids("") == [world.charger_id, broken_id]
    assert ids(f"location_id={place_id}") == [broken_id]
    assert ids("q=broken") == [broken_id]
    assert ids("status=out_of_order") == [broken_id]
    assert ids("status=available") == [world.charger_id]
    assert ids("status=charging") == []


def test_a_list_of_chargers_costs_the_same_however_long(own, database, statements):
    def cost():
        statements.clear()
        read(own, "/chargers")
        return len(statements)

    cost()
    few = cost()
    with database.transaction() as session:
        operator = make.an_operator(session)
        for _ in range(5):
            make.an_evse(session, location=make.a_location(session, operator=operator))

    assert cost() == few


def test_a_whole_charger_goes_out_of_service_and_back(own, world):
    url = f"{ADMIN}/chargers/{world.charger_id}"

    refused = own.post(f"{url}/close", json={})
    assert refusal(refused) == (409, "bookings_in_the_way")
    assert refused.json["booking_ids"] == [str(world.booking_id)]
    closed = own.post(
        f"{url}/close", json={"cancel_bookings": True, "reason": "Cable stolen"}
    )
    assert [each["lifecycle"] for each in closed.json["evses"]] == ["inoperative"]
    assert world.desk.read(world.booking_id).status == BookingStatus.CANCELLED
    again = own.post(f"{url}/close")
    assert again.status_code == 200
    opened = own.post(f"{url}/open")
    assert [each["lifecycle"] for each in opened.json["evses"]] == ["active"]


# ── EVSEs ────────────────────────────────────────────────────────────────────────


def test_an_evse_is_added_with_its_connectors(own, client, world):
    made = own.post(f"{ADMIN}/evses", json=AN_EVSE | {"charger_id": world.charger_id})

    assert made.status_code == 201
    assert made.json["lifecycle"] == "active"
    assert [each["kind"] for each in made.json["connectors"]] == ["type2"]
    assert made.json == read(own, f"/evses/{made.json['id']}")
    seen = client.get(f"/api/v1/locations/{world.location_id}").json["evses"]
    assert made.json["id"] in [each["id"] for each in seen]


@pytest.mark.parametrize(
    "change",
    [
        {"number": 0},
        {"number": 100},
        {"number": True},
        {"booking_price_paise": -1},
        {"booking_price_paise": 1_000_001},
        {"booking_price_paise": 10.5},
        {"connectors": []},
        {"connectors": [{"number": 1, "kind": "type9", "power_w": 1}]},
        {"connectors": [{"number": 1, "kind": "ccs2", "power_w": 0}]},
        {"connectors": [{"number": 1, "kind": "ccs2"}]},
        {"charger_id": None},
    ],
)
def test_an_evse_like_that_is_refused(own, world, change):
    body = AN_EVSE | {"charger_id": world.charger_id} | change

    assert refusal(own.post(f"{ADMIN}/evses", json=body)) == (400, "invalid_request")


def test_numbers_are_taken_once(own, world):
    taken = AN_EVSE | {"charger_id": world.charger_id, "number": 1}
    twice = AN_EVSE | {
        "charger_id": world.charger_id,
        "connectors": AN_EVSE["connectors"] * 2,
    }

    for body in (taken, twice):
        assert refusal(own.post(f"{ADMIN}/evses", json=body)) == (409, "number_taken")


def test_bookings_keep_the_price_they_were_made_at(own, world):
    before = world.desk.read(world.booking_id).amount_paise

    answer = patch(own, f"/evses/{world.evse_id}", {"booking_price_paise": 99_900})

    assert answer.json["price_per_hour"]["amount_paise"] == 99_900
    assert world.desk.read(world.booking_id).amount_paise == before


def test_an_evse_does_not_close_over_bookings(own, world):
    path = f"/evses/{world.evse_id}"
    change = {"lifecycle": "inoperative", "booking_price_paise": 1}

    refused = patch(own, path, change)
    assert refusal(refused) == (409, "bookings_in_the_way")
    assert refused.json["booking_ids"] == [str(world.booking_id)]
    assert read(own, path)["version"] == 1
    closed = patch(own, path, change | {"cancel_bookings": True, "reason": "Broken"})
    assert (closed.json["lifecycle"], closed.json["status"]) == ("inoperative",) * 2
    assert closed.json["price_per_hour"]["amount_paise"] == 1
    assert world.desk.read(world.booking_id).status == BookingStatus.CANCELLED
    opened = patch(own, path, {"lifecycle": "active"})
    assert opened.json["lifecycle"] == "active"


def test_a_stale_closing_of_an_evse_cancels_nothing(own, world):
    path = f"/evses/{world.evse_id}"
    closing = {"lifecycle": "inoperative", "cancel_bookings": True, "reason": "Broken"}
    patch(own, path, {"number": 3})

    answer = patch(own, path, closing, seen=1)

    assert refusal(answer) == (412, "edited_meanwhile")
    assert world.desk.read(world.booking_id).status == BookingStatus.ACTIVE
    assert read(own, path)["lifecycle"] == "active"


def test_an_evse_is_removed_and_then_is_nowhere(own, database, world):
    url = f"{ADMIN}/evses/{world.evse_id}"

    refused = own.delete(url)
    assert refusal(refused) == (409, "bookings_in_the_way")
    assert refused.json["booking_ids"] == [str(world.booking_id)]
    unsaid = own.delete(f"{url}?cancel_bookings=true")
    assert refusal(unsaid) == (422, "unclear_reason")
    removed = own.delete(f"{url}?cancel_bookings=true&reason=Sold")
    assert (removed.status_code, removed.data) == (204, b"")

    assert world.desk.read(world.booking_id).status == BookingStatus.CANCELLED
    with database.reading() as session:
        assert session.get_one(Evse, world.evse_id).lifecycle == "removed"
    assert read(own, f"/chargers/{world.charger_id}")["evses"] == []
    for method, path, body in operations(world):
        if path.startswith(f"/evses/{world.evse_id}"):
            answer = ask(own, method, path, body)
            assert refusal(answer) == (404, "evse_not_found"), (method, path)
    lifted = own.post(f"{ADMIN}/blocks/{world.block_id}/lift")
    assert lifted.status_code == 404


# ── connectors ───────────────────────────────────────────────────────────────────


def test_connectors_are_added_edited_and_removed(own, world):
    path = f"/evses/{world.evse_id}"
    url = f"{ADMIN}{path}/connectors"
    body = {"number": 2, "kind": "chademo", "power_w": 50_000}

    added = own.post(url, json=body, headers={"If-Match": '"1"'})
    assert (added.status_code, added.headers["ETag"]) == (201, '"2"')
    new = added.json["connectors"][1]
    assert (new["number"], new["kind"], new["power_w"]) == (2, "chademo", 50_000)
    changed = patch(own, f"{path}/connectors/{new['id']}", {"power_w": 62_500})
    assert changed.json["connectors"][1] == new | {"power_w": 62_500}
    removed = own.delete(f"{url}/{new['id']}", headers={"If-Match": '"3"'})
    assert removed.status_code == 200
    assert [each["number"] for each in removed.json["connectors"]] == [1]
    assert removed.json == read(own, path)


def test_an_evse_keeps_its_last_connector(own, world):
    url = f"{ADMIN}/evses/{world.evse_id}/connectors/{world.connector_id}"

    answer = own.delete(url, headers={"If-Match": '"1"'})

    assert refusal(answer) == (409, "last_connector")


def test_a_connector_of_another_evse_is_not_found(own, world):
    other = own.post(f"{ADMIN}/evses", json=AN_EVSE | {"charger_id": world.charger_id})
    path = f"/evses/{other.json['id']}/connectors/{world.connector_id}"

    changed = patch(own, path, {"power_w": 1})
    removed = own.delete(f"{ADMIN}{path}", headers={"If-Match": '"1"'})

    assert refusal(changed) == refusal(removed) == (404, "connector_not_found")


def test_a_number_of_a_connector_is_taken_once(own, world):
    path = f"/evses/{world.evse_id}/connectors"
    body = {"number": 1, "kind": "type2", "power_w": 22_000}

    same = own.post(f"{ADMIN}{path}", json=body, headers={"If-Match": '"1"'})
    assert refusal(same) == (409, "number_taken")
    second = body | {"number": 2}
    added = own.post(f"{ADMIN}{path}", json=second, headers={"If-Match": '"1"'})
    new_id = added.json["connectors"][1]["id"]
    assert refusal(patch(own, f"{path}/{new_id}", {"number": 1})) == (
        409,
        "number_taken",
    )


# ── maintenance ──────────────────────────────────────────────────────────────────


def test_maintenance_is_planned_and_lifted(own, world):
    url = f"{ADMIN}/evses/{world.evse_id}/blocks"

    made = own.post(url, json=a_block(40))

    assert made.status_code == 201
    assert (made.json["evse_id"], made.json["lifted_at"]) == (world.evse_id, None)
    known = read(own, f"/evses/{world.evse_id}")["blocks"]
    assert made.json in known
    lift = f"{ADMIN}/blocks/{made.json['id']}/lift"
    first, second = own.post(lift), own.post(lift)
    assert first.json["lifted_at"] is not None
    assert first.json == second.json
    assert made.json not in read(own, f"/evses/{world.evse_id}")["blocks"]
    assert own.post(url, json=a_block(40)).status_code == 201


def test_maintenance_over_bookings_cancels_them_only_if_told(own, world):
    url = f"{ADMIN}/evses/{world.evse_id}/blocks"

    refused = own.post(url, json=a_block(2))
    assert refusal(refused) == (409, "bookings_in_the_way")
    assert refused.json["booking_ids"] == [str(world.booking_id)]
    made = own.post(url, json=a_block(2, cancel_bookings=True))
    assert made.status_code == 201
    assert world.desk.read(world.booking_id).status == BookingStatus.CANCELLED
    assert world.desk.audit() == []


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"reason": ""}, (400, "invalid_request")),
        ({"reason": None}, (400, "invalid_request")),
        ({"reason": " "}, (422, "unclear_reason")),
        ({"starts_at": "2026-11-24T12:00:00"}, (400, "invalid_request")),
        ({"starts_at": "2020-01-01T12:00:00Z"}, (422, "slot_not_bookable")),
        ({"starts_at": "0001-01-01T00:00:00+05:30"}, (422, "slot_not_bookable")),
        ({"ends_at": "9999-12-31T23:59:59-05:30"}, (422, "slot_not_bookable")),
        ({"ends_at": "2020-01-01T12:00:00Z"}, (422, "slot_not_bookable")),
    ],
)
def test_maintenance_like_that_is_refused(own, world, change, refused):
    url = f"{ADMIN}/evses/{world.evse_id}/blocks"

    assert refusal(own.post(url, json=a_block(40, **change))) == refused


def test_maintenance_is_not_planned_twice(own, world):
    answer = own.post(f"{ADMIN}/evses/{world.evse_id}/blocks", json=a_block(30))

    assert refusal(answer) == (409, "slot_taken")


def test_no_such_maintenance_is_not_found(own):
    unknown = "00000000-0000-7000-8000-000000000000"

    answer = own.post(f"{ADMIN}/blocks/{unknown}/lift")

    assert refusal(answer) == (404, "block_not_found")
