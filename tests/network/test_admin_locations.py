import re

import pytest
from sqlalchemy import select

import make
from console import a_world
from evcharge.stations.models import Location
from evcharge.stations.rules import Access, OverrunPolicy

TYPED = {
    "name": "Lalbagh West Gate",
    "address": "3 Krumbiegel Road",
    "city": "Bengaluru",
    "state": "Karnataka",
    "pincode": "560 027",
    "lat": "12.9507",
    "lon": "77.5848",
    "opening_hours": "06:00-22:00",
    "timezone": "Asia/Kolkata",
    "amenities": ["cafe", "roof"],
}


@pytest.fixture
def operator(database):
    with database.transaction() as session:
        return make.an_operator(session)


@pytest.fixture
def staff(sign_in, operator):
    return sign_in("operator", operator=operator)


@pytest.fixture
def place(database, operator):
    with database.transaction() as session:
        return make.a_location(session, operator=operator).id


def stored(database, name="Lalbagh West Gate"):
    with database.reading() as session:
        return session.scalar(select(Location).where(Location.name == name))


def read(database, location_id):
    with database.reading() as session:
        return session.get_one(Location, location_id)


def error_at(answer, field):
    found = re.search(f'id="{field}-error">(.*?)</p>', answer.text, re.DOTALL)
    return re.sub(r"<[^>]*>", "", found[1]).strip() if found else None


def test_whoever_overstays_is_asked_or_stopped_as_the_site_chooses(
    database, staff, place
):
    form = TYPED | {"version": "1", "overrun": "stop"}
    url = f"/admin/locations/{place}"

    assert "is asked to leave" in staff.get(url).text
    assert staff.post(f"{url}/edit", data=form).status_code == 303

    assert read(database, place).overrun == OverrunPolicy.STOP
    assert "is stopped when the next booking begins" in staff.get(url).text


def test_a_site_may_be_for_guests_alone(database, staff, place):
    url = f"/admin/locations/{place}"
    assert "guests, residents or staff" not in staff.get(url).text

    form = TYPED | {"version": "1", "access": "restricted"}
    assert staff.post(f"{url}/edit", data=form).status_code == 303

    assert read(database, place).access == Access.RESTRICTED
    assert "guests, residents or staff" in staff.get(url).text
    again = staff.post(f"{url}/edit", data=form | {"version": "2", "access": "mine"})
    assert error_at(again, "access") == "Choose one of the two."


def test_another_policy_is_refused_at_its_field(database, staff, place):
    form = TYPED | {"version": "1", "overrun": "tow"}

    answer = staff.post(f"/admin/locations/{place}/edit", data=form)

    assert answer.status_code == 422
    assert error_at(answer, "overrun") == "Choose one of the two."


# ── the list ─────────────────────────────────────────────────────────────────────


def test_the_list_shows_a_location_and_how_its_points_are_doing(database, staff, place):
    with database.transaction() as session:
        make.an_evse(session, location=session.get_one(Location, place), seen_at=None)

    answer = staff.get("/admin/locations")

    assert "MG Road" in answer.text
    assert "No news" in answer.text


def test_the_list_is_searched_by_town_and_filtered_by_whether_it_is_open(
    database, staff, operator
):
    with database.transaction() as session:
        make.a_location(session, operator=operator, name="Open", city="Pune")
        make.a_location(session, operator=operator, name="Shut", is_active=False)

    assert "Open" in staff.get("/admin/locations?q=PUNE").text
    found = staff.get("/admin/locations?shown=hidden").text
    assert ">Shut</a>" in found
    assert ">Open</a>" not in found


def test_what_nobody_could_search_for_finds_nothing(staff, place):
    for text in ("%00", "%25", "x" * 10_000, "%F0%28%8C%28"):
        answer = staff.get(f"/admin/locations?q={text}")
        assert answer.status_code == 200
        assert "No location fits." in answer.text or text == "%00"


def test_an_empty_list_says_what_to_do(staff):
    assert "Add a location" in staff.get("/admin/locations").text


def test_a_long_list_has_pages(database, staff, operator):
    with database.transaction() as session:
        for number in range(51):
            make.a_location(session, operator=operator, name=f"Site {number:02}")

    assert "Site 50" not in staff.get("/admin/locations").text
    assert "Site 50" in staff.get("/admin/locations?page=2").text
    assert "Site 50" in staff.get("/admin/locations?page=999999999").text
    assert "Site 00" in staff.get("/admin/locations?page=-1").text


# ── adding ───────────────────────────────────────────────────────────────────────


def test_an_operator_adds_a_location_of_their_own(database, staff, operator):
    answer = staff.post("/admin/locations/new", data=TYPED)

    assert answer.status_code == 303
    location = stored(database)
    assert answer.location == f"/admin/locations/{location.id}"
    assert location.operator_id == operator.id
    assert (location.lat, location.pincode) == (12.9507, "560027")
    assert location.amenities == ["cafe", "roof"]


def test_an_admin_says_whose_location_it_is(database, admin):
    with database.transaction() as session:
        make.an_operator(session, "One")
        other = make.an_operator(session, "Two").id

    without = admin.post("/admin/locations/new", data=TYPED)
    with_one = admin.post(
        "/admin/locations/new", data=TYPED | {"operator_id": str(other)}
    )

    assert without.status_code == 422
    assert error_at(without, "operator_id") == "Choose an operator from the list."
    assert with_one.status_code == 303
    assert stored(database).operator_id == other


def test_an_operator_cannot_add_a_location_for_another(database, staff):
    with database.transaction() as session:
        other = make.an_operator(session, "Two").id

    answer = staff.post(
        "/admin/locations/new", data=TYPED | {"operator_id": str(other)}
    )

    assert answer.status_code == 422
    assert stored(database) is None


IMPOSSIBLE = [
    ("name", ""),
    ("name", "x" * 10_000),
    ("name", "a\0b"),
    ("address", "one\ntwo"),
    ("city", " "),
    ("state", "Atlantis"),
    ("pincode", "012345"),
    ("pincode", "９" * 6),
    ("lat", "nan"),
    ("lat", "inf"),
    ("lat", "1e1"),
    ("lat", "91"),
    ("lon", "-181"),
    ("lon", "9" * 5_000),
    ("opening_hours", "always"),
    ("amenities", "casino"),
    ("timezone", "Mars/Olympus"),
]


def test_what_cannot_be_is_refused_at_its_field_and_nothing_typed_is_lost(
    database, staff
):
    for field, text in IMPOSSIBLE:
        answer = staff.post("/admin/locations/new", data=TYPED | {field: text})

        assert answer.status_code == 422, (field, text[:20])
        assert error_at(answer, field), (field, text[:20])
        kept = "Krumbiegel" if field != "address" else "Lalbagh"
        assert kept in answer.text
    assert stored(database) is None


def test_all_that_is_wrong_is_said_at_once(staff):
    answer = staff.post("/admin/locations/new", data={})

    assert answer.status_code == 422
    assert all(
        error_at(answer, field)
        for field in ("name", "address", "city", "state", "pincode", "lat", "lon")
    )


def test_a_place_abroad_is_asked_about_once(database, staff):
    abroad = TYPED | {"lat": "77.5848", "lon": "12.9507"}

    first = staff.post("/admin/locations/new", data=abroad)
    second = staff.post("/admin/locations/new", data=abroad | {"is_abroad": "y"})

    assert first.status_code == 422
    assert "outside India" in error_at(first, "lat")
    assert second.status_code == 303


# ── editing ──────────────────────────────────────────────────────────────────────


def edit_fields(client, location_id):
    """What a browser would send back, were nothing changed."""
    text = client.get(f"/admin/locations/{location_id}/edit").text
    version = re.search(r'name="version"[^>]*value="(\d+)"', text)[1]
    return TYPED | {"version": version}


def test_an_edit_is_stored(database, staff, place):
    fields = edit_fields(staff, place)

    answer = staff.post(f"/admin/locations/{place}/edit", data=fields)

    assert answer.status_code == 303
    assert read(database, place).name == "Lalbagh West Gate"


def test_the_form_shows_what_is_stored(staff, place):
    text = staff.get(f"/admin/locations/{place}/edit").text

    assert 'value="MG Road"' in text
    assert 'value="12.9756"' in text


def test_the_second_of_two_editors_is_told_and_may_then_overwrite(
    database, staff, admin, place
):
    mine = edit_fields(staff, place)
    theirs = edit_fields(admin, place) | {"name": "MG Road Metro"}
    admin.post(f"/admin/locations/{place}/edit", data=theirs)

    first = staff.post(f"/admin/locations/{place}/edit", data=mine)
    version = re.search(r'name="version"[^>]*value="(\d+)"', first.text)[1]
    stored_after_first = read(database, place).name
    second = staff.post(
        f"/admin/locations/{place}/edit", data=mine | {"version": version}
    )

    assert first.status_code == 409
    assert "Someone else changed this" in first.text
    assert error_at(first, "name") == "Now it says: MG Road Metro"
    assert error_at(first, "pincode") is None
    assert 'value="Lalbagh West Gate"' in first.text
    assert stored_after_first == "MG Road Metro"
    assert second.status_code == 303
    assert read(database, place).name == "Lalbagh West Gate"


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 400])
def test_a_version_nobody_gave_out_is_out_of_date(staff, place, version):
    fields = edit_fields(staff, place) | {"version": version}

    answer = staff.post(f"/admin/locations/{place}/edit", data=fields)

    assert answer.status_code == 409


def test_a_closed_location_is_opened_again(database, staff, place):
    with database.transaction() as session:
        session.get_one(Location, place).is_active = False

    answer = staff.post(f"/admin/locations/{place}/open")

    assert answer.status_code == 303
    assert read(database, place).is_active


def test_a_location_that_does_not_exist_is_not_found(admin):
    assert admin.get("/admin/locations/999").status_code == 404
    assert admin.get(f"/admin/locations/{9 * 10**30}").status_code == 404


# ── what it costs ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("count", [1, 12])
def test_pages_about_locations_cost_the_same_few_statements(
    database, staff, statements, operator, count
):
    with database.transaction() as session:
        for number in range(count):
            place = make.a_location(session, operator=operator, name=f"S {number}")
            for _ in range(count):
                make.an_evse(session, location=place)
        place_id = place.id
    statements.clear()

    staff.get("/admin/locations")
    in_list = len(statements)
    staff.get(f"/admin/locations/{place_id}")

    assert in_list == 6
    assert len(statements) - in_list == 7


def test_the_pages_of_a_full_world_cost_at_most_eight_statements(
    database, sign_in, statements
):
    world = a_world(database)
    with database.transaction() as session:
        operator = make.an_operator(session)
    staff = sign_in("operator", operator=operator)
    for url in (
        "/admin/locations",
        f"/admin/locations/{world.location_id}",
        f"/admin/locations/{world.location_id}/close",
        f"/admin/chargers/{world.charger_id}/close",
        f"/admin/evses/{world.evse_id}/close",
        f"/admin/evses/{world.evse_id}/block",
        "/admin/bookings?q=ev-",
        f"/admin/bookings/{world.booking_id}",
        "/admin/payments",
        "/admin/payments?kind=refunds",
    ):
        statements.clear()
        assert staff.get(url).status_code == 200, url
        assert len(statements) <= 8, (url, len(statements))


# ── as a file ────────────────────────────────────────────────────────────────────


def test_the_file_has_the_locations_of_the_filtered_list(database, staff, operator):
    with database.transaction() as session:
        make.a_location(session, operator=operator, name="=Open()")
        make.a_location(session, operator=operator, name="Shut", is_active=False)
        make.a_location(session, operator=make.an_operator(session, "Two"), name="Not")

    text = staff.get("/admin/locations.csv?shown=active").get_data(as_text=True)

    lines = text.splitlines()
    assert len(lines) == 2
    assert ",'=Open(),12 MG Road,Bengaluru," in lines[1]


def test_the_live_pages_of_chargers_cost_at_most_thirteen_statements(
    database, sign_in, statements
):
    world = a_world(database)
    with database.transaction() as session:
        operator = make.an_operator(session)
    staff = sign_in("operator", operator=operator)
    for url in (
        "/admin/chargers?status=available",
        f"/admin/chargers/{world.charger_id}",
        f"/admin/chargers/{world.charger_id}/commands",
        f"/admin/chargers/{world.charger_id}/messages?q=heartbeat",
    ):
        statements.clear()
        assert staff.get(url).status_code == 200, url
        assert len(statements) <= 13, url
