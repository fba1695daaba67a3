"""Operators run their stations by programs: /api/v1/admin/…"""

import pytest
from sqlalchemy import select

import make
from api import bearer, caller
from console import a_world, in_hours
from evcharge.bookings.rules import BookingStatus
from evcharge.kernel.clock import utc_now
from evcharge.payments.models import Refund
from evcharge.stations.models import Evse
from evcharge.stations.rules import ReportedStatus

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


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def own(app, database, world):
    return caller(app, database, "operator", operator="Test Power")


@pytest.fixture
def stranger(app, database):
    return caller(app, database, "operator", operator="Other Power")


@pytest.fixture
def admin(app, database):
    return caller(app, database, "admin")


def read(client, path):
    answer = client.get(f"{ADMIN}{path}")
    assert answer.status_code == 200, answer.text
    return answer.json


def patch(client, path, changes, *, seen=None):
    """Edit what was read just now, or in the version seen."""
    version = read(client, path.split("/connectors")[0])["version"]
    etag = f'"{version if seen is None else seen}"'
    return client.patch(f"{ADMIN}{path}", json=changes, headers={"If-Match": etag})


def refusal(answer):
    assert answer.content_type == "application/problem+json", answer.text
    assert answer.json["status"] == answer.status_code
    return answer.status_code, answer.json["code"]


def fields(answer):
    return [each["field"] for each in answer.json["problems"]]


# ── who may ──────────────────────────────────────────────────────────────────────


def operations(world):
    """Every address of this API with a body that would do."""
    slot = in_hours(50)
    place, box = f"/locations/{world.location_id}", f"/chargers/{world.charger_id}"
    evse = f"/evses/{world.evse_id}"
    plug = f"{evse}/connectors/{world.connector_id}"
    block = {
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": slot.ends_at.isoformat(),
        "reason": "New cable",
    }
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
        ("POST", "/evses", AN_EVSE | {"charger_id": world.charger_id}),
        ("GET", evse, None),
        ("PATCH", evse, {"booking_price_paise": 1}),
        ("DELETE", evse, None),
        ("POST", f"{evse}/connectors", AN_EVSE["connectors"][0]),
        ("PATCH", plug, {"power_w": 1}),
        ("DELETE", plug, None),
        ("POST", f"{evse}/blocks", block),
        ("POST", f"/blocks/{world.block_id}/lift", None),
    ]


def ask(client, method, path, body, **options):
    return client.open(
        f"{ADMIN}{path}",
        method=method,
        json=body,
        headers={"If-Match": '"1"'} | options.pop("headers", {}),
    )


def test_this_file_knows_every_operation(app, world):
    known = {
        f"{rule.rule.count('/')} {method}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint.startswith("network_admin_api")
    }

    assert {
        f"{(ADMIN + path).count('/')} {method}" for method, path, _ in operations(world)
    } == known


def test_without_a_token_nobody_gets_in(client, world):
    for method, path, body in operations(world):
        answer = ask(client, method, path, body)

        assert refusal(answer) == (401, "sign_in_required"), path


def test_drivers_are_turned_away(app, database, world):
    driver = caller(app, database)

    for method, path, body in operations(world):
        assert refusal(ask(driver, method, path, body)) == (403, "not_your_role"), path


def test_a_cookie_opens_nothing_here(sign_in, world):
    browser = sign_in("admin")

    assert browser.get("/admin/locations").status_code == 200
    for method, path, body in operations(world):
        assert ask(browser, method, path, body).status_code == 401, path


def test_what_others_run_is_not_found_and_not_changed(own, stranger, world):
    before = read(own, f"/chargers/{world.charger_id}")

    for method, path, body in operations(world):
        answer = ask(stranger, method, path, body)
        if method == "GET" and path.count("/") == 1:
            assert answer.json == {"items": [], "next_cursor": None}
        elif path != "/locations":
            assert answer.status_code == 404, (method, path)
            assert answer.json["code"].endswith("_not_found"), path

    assert read(own, f"/chargers/{world.charger_id}") == before


def test_an_admin_runs_every_network(admin, database, world):
    other = a_world(database, name="Other Power")

    assert len(read(admin, "/locations")["items"]) == 2
    assert len(read(admin, "/chargers")["items"]) == 2
    for each in (world, other):
        answer = patch(admin, f"/locations/{each.location_id}", {"name": "By admin"})
        assert answer.json["name"] == "By admin"


def test_nothing_sent_is_never_our_fault(admin, world):
    for method, path, _ in operations(world):
        for body in (None, {}, [], {"x": 1}, {"number": "1"}, {"name": None}):
            assert ask(admin, method, path, body).status_code < 500, (path, body)


def test_text_that_no_database_keeps_is_refused(own, world):
    for name in ("name", "address", "city", "timezone"):
        answer = own.post(f"{ADMIN}/locations", json=A_LOCATION | {name: "a\0b"})
        assert refusal(answer) == (400, "invalid_request")
        assert fields(answer) == [name]


# ── locations ────────────────────────────────────────────────────────────────────


def test_a_location_is_added_and_read(own):
    made = own.post(f"{ADMIN}/locations", json=A_LOCATION | {"amenities": ["wifi"]})

    assert made.status_code == 201
    assert made.headers["ETag"] == '"1"'
    assert made.json["operator"] == "Test Power"
    assert made.json["opening_hours"] == "24/7"
    assert made.json["amenities"] == ["wifi"]
    assert made.json == read(own, f"/locations/{made.json['id']}")


def test_spare_space_is_not_kept(own):
    made = own.post(f"{ADMIN}/locations", json=A_LOCATION | {"name": "  Depot "})

    assert made.json["name"] == "Depot"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("state", "Bavaria"),
        ("pincode", "070001"),
        ("pincode", "570001\n"),
        ("lat", 90.5),
        ("lat", "12.3"),
        ("opening_hours", "6-22"),
        ("amenities", ["helipad"]),
        ("operator_id", 0),
        ("is_abroad", "no"),
        ("elevation", 12),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(own, field, value):
    answer = own.post(f"{ADMIN}/locations", json=A_LOCATION | {field: value})

    assert refusal(answer) == (400, "invalid_request")
    assert fields(answer)[0].split(".")[0] == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("city", "My\nsuru"),
        ("opening_hours", "06:00-06:00"),
        ("timezone", "Asia/Mysuru"),
        ("lat", 51.0),
    ],
)
def test_a_location_that_cannot_be_is_refused_at_its_field(own, field, value):
    answer = own.post(f"{ADMIN}/locations", json=A_LOCATION | {field: value})

    assert refusal(answer) == (422, "bad_station")
    assert fields(answer) == [field]


def test_a_place_abroad_must_be_meant(own):
    abroad = A_LOCATION | {"lat": 27.7, "lon": 99.0}

    assert refusal(own.post(f"{ADMIN}/locations", json=abroad))[0] == 422
    meant = own.post(f"{ADMIN}/locations", json=abroad | {"is_abroad": True})
    assert meant.status_code == 201
    # It stays there without being confirmed each time.
    path = f"/locations/{meant.json['id']}"
    assert patch(own, path, {"name": "Depot"}).status_code == 200


def test_whoever_may_choose_an_operator_must(admin, own, database, world):
    with database.transaction() as session:
        other_id = make.an_operator(session, "Other Power").id

    unsaid = admin.post(f"{ADMIN}/locations", json=A_LOCATION)
    said = admin.post(
        f"{ADMIN}/locations", json=A_LOCATION | {"operator_id": world.operator_id}
    )
    foreign = own.post(
        f"{ADMIN}/locations", json=A_LOCATION | {"operator_id": other_id}
    )

    assert refusal(unsaid) == refusal(foreign) == (422, "bad_station")
    assert fields(foreign) == ["operator_id"]
    assert (said.status_code, said.json["operator_id"]) == (201, world.operator_id)


def test_an_edit_changes_what_was_sent_and_no_more(own, world):
    path = f"/locations/{world.location_id}"
    before = read(own, path)

    answer = patch(own, path, {"name": "Depot", "amenities": ["food", "food"]})

    assert answer.status_code == 200
    after = before | {"name": "Depot", "amenities": ["food"], "version": 2}
    assert answer.json == read(own, path) == after
    assert answer.headers["ETag"] == '"2"'


def test_null_leaves_things_as_they_are(own, world):
    path = f"/locations/{world.location_id}"
    before = read(own, path)

    answer = patch(own, path, {"name": None, "lat": None, "is_active": None})

    assert answer.json | {"version": 1} == before


def test_an_edit_without_the_version_seen_is_refused(own, world):
    for path in (
        f"/locations/{world.location_id}",
        f"/chargers/{world.charger_id}",
        f"/evses/{world.evse_id}",
        f"/evses/{world.evse_id}/connectors/{world.connector_id}",
    ):
        answer = own.patch(f"{ADMIN}{path}", json={})
        assert refusal(answer) == (428, "precondition_required"), path


def test_nobody_overwrites_what_they_have_not_seen(own, world):
    changes = {
        f"/locations/{world.location_id}": {"name": "Mine"},
        f"/chargers/{world.charger_id}": {"vendor": "Mine"},
        f"/evses/{world.evse_id}": {"booking_price_paise": 1},
        f"/evses/{world.evse_id}/connectors/{world.connector_id}": {"power_w": 1},
    }
    for path, change in changes.items():
        seen = read(own, path.split("/connectors")[0])["version"]
        first = patch(own, path, change, seen=seen)
        second = patch(own, path, change, seen=seen)

        assert first.status_code == 200, path
        assert first.json["version"] == seen + 1
        assert refusal(second) == (412, "edited_meanwhile"), path


@pytest.mark.parametrize("seen", ["", "*", "1, 2", 'W/"1"', "-1", '"one"', "1" * 30])
def test_what_was_never_an_etag_of_ours_names_no_version(own, world, seen):
    headers = {"If-Match": seen}
    bodies = {
        f"/locations/{world.location_id}": {"is_active": False},
        f"/chargers/{world.charger_id}": {},
        f"/evses/{world.evse_id}": {"lifecycle": "inoperative"},
        f"/evses/{world.evse_id}/connectors/{world.connector_id}": {},
    }
    own.post(
        f"{ADMIN}/bookings/{world.booking_id}/cancel", json={"reason": "Not today"}
    )

    for path, body in bodies.items():
        answer = own.patch(f"{ADMIN}{path}", json=body, headers=headers)
        assert refusal(answer) == (412, "edited_meanwhile"), path
    unknown = own.patch(f"{ADMIN}/evses/0", json={}, headers=headers)
    assert refusal(unknown) == (404, "evse_not_found")


def test_the_etag_of_a_get_is_what_an_edit_asks_for(own, world):
    url = f"{ADMIN}/evses/{world.evse_id}"
    headers = {"If-Match": own.get(url).headers["ETag"]}

    answer = own.patch(url, json={"booking_price_paise": 5_000}, headers=headers)

    assert answer.json["price_per_hour"] == {"amount_paise": 5_000, "currency": "INR"}


def test_a_location_does_not_close_over_bookings(own, world):
    path = f"/locations/{world.location_id}"

    answer = patch(own, path, {"is_active": False, "name": "Depot"})

    assert refusal(answer) == (409, "bookings_in_the_way")
    assert answer.json["booking_ids"] == [str(world.booking_id)]
    assert read(own, path)["is_active"]
    assert read(own, path)["version"] == 1


def test_closing_a_location_gives_drivers_all_their_money_back(own, world, database):
    path = f"/locations/{world.location_id}"
    closing = {"is_active": False, "cancel_bookings": True, "reason": "Flooded"}

    answer = patch(own, path, closing | {"name": "Depot"})

    assert answer.status_code == 200
    assert (answer.json["is_active"], answer.json["name"]) == (False, "Depot")
    booking = world.desk.read(world.booking_id)
    assert booking.status == BookingStatus.CANCELLED
    with database.reading() as session:
        refund = session.scalars(
            select(Refund).where(Refund.item_id == booking.id)
        ).one()
    assert (refund.amount_paise, refund.reason) == (booking.amount_paise, "Flooded")
    opened = patch(own, path, {"is_active": True})
    assert opened.json["is_active"]


def test_bookings_are_not_cancelled_without_saying_why(own, world):
    for reason in (None, "", "  ", "bell\x07"):
        answer = patch(
            own,
            f"/locations/{world.location_id}",
            {"is_active": False, "cancel_bookings": True, "reason": reason},
        )
        assert refusal(answer) == (422, "unclear_reason")


def test_a_stale_closing_cancels_nothing(own, world):
    path = f"/locations/{world.location_id}"
    closing = {"is_active": False, "cancel_bookings": True, "reason": "Flooded"}

    answer = patch(own, path, closing, seen=9)

    assert refusal(answer) == (412, "edited_meanwhile")
    assert world.desk.read(world.booking_id).status == BookingStatus.ACTIVE


def test_lists_of_locations_are_searched_and_filtered(own, admin, database, world):
    with database.transaction() as session:
        operator = make.an_operator(session)
        make.a_location(session, operator=operator, name="Depot", is_active=False)
    a_world(database, name="Other Power")

    def names(client, query):
        return [each["name"] for each in read(client, f"/locations{query}")["items"]]

    assert names(own, "") == ["Test Power site", "Depot"]
    assert names(own, "?q=depot") == ["Depot"]
    assert names(own, "?is_active=true") == ["Test Power site"]
    assert names(own, "?is_active=false") == ["Depot"]
    assert names(admin, "?q=site") == ["Test Power site", "Other Power site"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=x", "is_active=yes", "is_active=1", "q=%00", "x=1"],
)
def test_unclear_filters_are_refused(own, query):
    assert refusal(own.get(f"{ADMIN}/locations?{query}")) == (400, "invalid_request")


@pytest.mark.parametrize("cursor", ["x", "%20", "bnVsbA", "LTE", "MWU5OQ", "ww"])
@pytest.mark.parametrize("path", ["/locations", "/chargers"])
def test_foreign_cursors_are_refused(own, path, cursor):
    answer = own.get(f"{ADMIN}{path}?cursor={cursor}")

    assert refusal(answer) == (422, "bad_cursor")


@pytest.mark.parametrize("path", ["/locations", "/chargers"])
def test_a_list_read_part_by_part_misses_nothing(own, database, path):
    with database.transaction() as session:
        operator = make.an_operator(session)
        for _ in range(4):
            make.an_evse(session, location=make.a_location(session, operator=operator))

    whole = read(own, path)["items"]
    parts, cursor = [], ""
    while cursor is not None:
        part = read(own, f"{path}?limit=2{cursor and f'&cursor={cursor}'}")
        assert len(part["items"]) <= 2
        parts, cursor = parts + part["items"], part["next_cursor"]

    assert parts == whole
    assert len(whole) == 5


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


def a_block(start, length=1, **more):
    slot = in_hours(start, length)
    return {
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": slot.ends_at.isoformat(),
        "reason": "New cable",
    } | more


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


def test_a_token_of_a_person_without_an_operator_sees_nothing(app, database, world):
    headers = bearer(database, "operator")
    client = app.test_client()

    answer = client.get(f"{ADMIN}/locations", headers=headers)
    made = client.post(f"{ADMIN}/locations", headers=headers, json=A_LOCATION)

    assert answer.json["items"] == []
    assert refusal(made) == (422, "bad_station")
