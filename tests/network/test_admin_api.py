"""Operators run their stations by programs: /api/v1/admin/…"""

import pytest
from sqlalchemy import select

import make
from api import bearer, caller, refusal
from console import a_world
from evcharge.bookings.rules import BookingStatus
from evcharge.payments.models import Refund
from stations_api import A_LOCATION, ADMIN, ask, fields, operations, patch, read


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


# ── who may ──────────────────────────────────────────────────────────────────────


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


def test_a_token_of_a_person_without_an_operator_sees_nothing(app, database, world):
    headers = bearer(database, "operator")
    client = app.test_client()

    answer = client.get(f"{ADMIN}/locations", headers=headers)
    made = client.post(f"{ADMIN}/locations", headers=headers, json=A_LOCATION)

    assert answer.json["items"] == []
    assert refusal(made) == (422, "bad_station")


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
    assert made.json["overrun"] == "warn"
    assert made.json["access"] == "public"
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
        ("overrun", "tow"),
        ("access", "mine"),
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


@pytest.mark.parametrize("seen", ["", "*", "1, 2", '"1:"', "-1", '"one"', "1" * 30])
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


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_the_etag_of_a_compressed_answer_names_its_version_too(own, world, coding):
    url = f"{ADMIN}/evses/{world.evse_id}"
    read = own.get(url, headers={"Accept-Encoding": coding})
    assert read.headers["Content-Encoding"] == coding

    answer = own.patch(
        url,
        json={"booking_price_paise": 5_000},
        headers={"If-Match": read.headers["ETag"]},
    )

    assert answer.status_code == 200, read.headers["ETag"]


@pytest.mark.parametrize("marked", ['W/"1"', '"1-gzip"'])
def test_a_proxy_that_compresses_leaves_the_version_what_it_was(own, world, marked):
    url = f"{ADMIN}/evses/{world.evse_id}"

    answer = own.patch(url, json={}, headers={"If-Match": marked})

    assert answer.status_code == 200


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
