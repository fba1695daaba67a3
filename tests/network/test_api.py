"""Finding chargers over REST."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import make
from api import refusal
from desk import Desk
from evcharge.bookings.rules import Slot
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError
from evcharge.network import api
from evcharge.stations.rules import Access, ConnectorKind, Lifecycle, ReportedStatus
from evcharge.stations.service import record_prices, record_reliability
from make import HOUR, NOON

QUARTER = timedelta(minutes=15)
FAR = {"lat": 28.6315, "lon": 77.2167, "name": "Connaught Place", "city": "New Delhi"}


@pytest.fixture
def clock(monkeypatch):
    for module in (api.availability, api.locations, api.map):
        monkeypatch.setattr(module, "utc_now", lambda: NOON)


@pytest.fixture
def two_places(database):
    """One in Bengaluru with a fast plug, one in Delhi with a slow one."""
    with database.transaction() as session:
        near = make.a_location(session)
        make.an_evse(session, location=near)
        far = make.a_location(session, **FAR)
        make.an_evse(session, location=far, kinds=(ConnectorKind.TYPE2,), power_w=7_400)
        return near.id, far.id


def found(client, query=""):
    answer = client.get(f"/api/v1/locations?{query}")
    assert answer.status_code == 200, answer.json
    return [each["id"] for each in answer.json["items"]]


# ── the search ───────────────────────────────────────────────────────────────────


def test_the_nearest_come_first_with_how_far_they_are(client, two_places):
    near, far = two_places

    assert found(client, "near=28.6,77.2") == [far, near]
    items = client.get("/api/v1/locations?near=12.9756,77.6066").json["items"]
    assert [each["id"] for each in items] == [near, far]
    assert items[0]["distance_m"] == 0
    assert 1_700_000 < items[1]["distance_m"] < 1_800_000


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("near=12.97,77.6&radius_km=50", 0),
        ("bbox=77,28,78,29", 1),
        ("q=connaught", 1),
        ("connector=type2", 1),
        ("connector=ccs2&min_kw=50", 0),
        ("min_kw=7.4&connector=type2", 1),
    ],
)
def test_each_condition_narrows_the_list(client, two_places, query, place):
    assert found(client, query) == [two_places[place]]


@pytest.mark.usefixtures("two_places")
@pytest.mark.parametrize(
    "query", ["min_kw=61", "connector=chademo", "q=nowhere", "bbox=0,0,1,1"]
)
def test_what_fits_nothing_finds_nothing(client, query):
    assert found(client, query) == []


def test_any_of_several_plugs_will_do(client, two_places):
    assert set(found(client, "connector=ccs2&connector=type2")) == set(two_places)


def test_pages_follow_each_other_by_cursors(client, database):
    with database.transaction() as session:
        for number in range(7):
            place = make.a_location(session, name=f"Place {number}", lat=12 + number)
            make.an_evse(session, location=place)

    for query in ("limit=3", "limit=3&near=10,77", "limit=3&bbox=70,5,80,25"):
        seen, cursor = [], ""
        for _ in range(3):
            page = client.get(f"/api/v1/locations?{query}{cursor}").json
            seen += [each["name"] for each in page["items"]]
            cursor = f"&cursor={page['next_cursor']}"
        assert page["next_cursor"] is None
        assert sorted(seen) == [f"Place {number}" for number in range(7)], query


@pytest.mark.parametrize(
    "query",
    ["near=12.9", "near=nan,77", "near=inf,77", "near=91,77", "near=12,181",
     "near=12.9,77.6,1", "near=%20", "near=", "near=1e1,77", "near=१२,77",
     "bbox=1,2,3", "bbox=nan,1,2,3", "bbox=-181,0,1,1", "radius_km=0&near=1,1",
     "radius_km=-1&near=1,1", "radius_km=nan&near=1,1", "radius_km=1e9&near=1,1",
     "min_kw=-1", "min_kw=inf", "min_kw=1001", "connector=tesla", "connector=",
     "free_from=now", "free_from=2026-01-15T12:00:00", "limit=9999999999999999999",
     "q=%00", "include=everything", "q=" + "x" * 101],
)  # fmt: skip
def test_a_search_that_does_not_fit_the_schema_is_refused(client, query):
    answer = client.get(f"/api/v1/locations?{query}")

    assert refusal(answer) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("radius_km=5", "bad_search"),
        ("bbox=78,12,77,13", "bad_box"),
        ("bbox=77,13,78,12", "bad_box"),
        ("bbox=77,12,77,12", "bad_box"),
        ("free_from=2026-01-15T14:00:00Z", "bad_search"),
        ("q=a+b+c+d+e+f+g+h+i", "bad_search"),
        (
            "free_from=2026-01-15T15:00:00Z&free_to=2026-01-15T14:00:00Z",
            "slot_not_bookable",
        ),
        (
            "free_from=2026-01-15T14:00:30Z&free_to=2026-01-15T15:00:00Z",
            "slot_not_bookable",
        ),
    ],
)
@pytest.mark.usefixtures("clock")
def test_a_search_that_makes_no_sense_is_understood_and_refused(client, query, code):
    assert refusal(client.get(f"/api/v1/locations?{query}")) == (422, code)


@pytest.mark.usefixtures("clock")
def test_only_places_free_for_a_slot_are_found(client, desk):
    desk.book()
    slot, later = make.a_slot(), make.a_slot(after_hours=3)

    def at(slot):
        return f"free_from={iso(slot.starts_at)}&free_to={iso(slot.ends_at)}"

    assert found(client, at(slot)) == []
    assert len(found(client, at(later))) == 1


@pytest.fixture
def desk(database):
    with database.transaction() as session:
        return Desk(database, make.a_user(session).id, make.an_evse(session).id)


def iso(at):
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


# ── a location ───────────────────────────────────────────────────────────────────


def test_a_location_tells_how_its_evses_are(client, database):
    with database.transaction() as session:
        evse = make.an_evse(session, seen_at=utc_now())
        place = evse.charger.location_id

    shown = client.get(f"/api/v1/locations/{place}").json
    [listed] = client.get("/api/v1/locations?include=evses").json["items"]

    [one] = shown["evses"]
    assert one["id"] == evse.id
    assert one["status"] == "available"
    assert one["is_bookable"] is True
    assert one["price_per_hour"]["amount_paise"] == make.PRICE_PAISE
    assert one["connectors"][0]["kind"] == "ccs2"
    assert listed["evses"] == shown["evses"]
    assert client.get("/api/v1/locations").json["items"][0]["evses"] is None


def test_a_location_that_is_not_there_is_not_found(client):
    for number in (0, 1, 2**31 - 1, 2**31, 10**30):
        answer = client.get(f"/api/v1/locations/{number}")

        assert answer.status_code == 404
        assert answer.json["code"] in ("location_not_found", "not_found")


# ── availability ─────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("clock")
def test_availability_tells_free_from_taken(client, desk):
    desk.book()

    answer = client.get(
        f"/api/v1/evses/{desk.evse_id}/availability"
        "?from=2026-01-15T12:00:00Z&to=2026-01-15T16:00:00Z"
    ).json

    def stretches(name):
        return [
            (each["starts_at"][11:16], each["ends_at"][11:16]) for each in answer[name]
        ]

    assert answer["from"] == "2026-01-15T12:00:00Z"
    assert stretches("taken") == [("13:00", "14:00")]
    assert stretches("free") == [("12:00", "13:00"), ("14:00", "16:00")]


@pytest.mark.usefixtures("clock")
def test_nobody_learns_whose_a_taken_slot_is(client, desk):
    desk.book()

    answer = client.get(f"/api/v1/evses/{desk.evse_id}/availability")

    assert set(answer.json["taken"][0]) == {"starts_at", "ends_at"}


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-01-15T14:00:00Z&to=2026-01-15T14:00:00Z",
        "from=2026-01-15T14:00:00Z&to=2026-01-15T13:00:00Z",
        "from=2026-01-15T14:00:00Z&to=2026-02-15T13:00:00Z",
        "from=2036-01-15T14:00:00Z",
        "from=0001-01-01T00:00:00%2B14:00",
        "to=9999-12-31T23:59:59-12:00",
    ],
)
@pytest.mark.usefixtures("clock")
def test_a_stretch_that_makes_no_sense_is_refused(client, desk, query):
    answer = client.get(f"/api/v1/evses/{desk.evse_id}/availability?{query}")

    assert refusal(answer) == (422, "bad_range")


@pytest.mark.usefixtures("clock")
def test_a_day_too_far_away_is_called_that(client, desk):
    path = f"/api/v1/evses/{desk.evse_id}/availability"

    answer = client.get(f"{path}?from=2020-01-01T00:00:00Z")

    assert answer.json["detail"] == "Ask within 400 days of today."


def test_an_evse_that_was_removed_is_not_found(client, database):
    with database.transaction() as session:
        evse = make.an_evse(session, lifecycle=Lifecycle.REMOVED)

    answer = client.get(f"/api/v1/evses/{evse.id}/availability")

    assert refusal(answer) == (404, "evse_not_found")


@pytest.mark.usefixtures("clock")
@given(
    taken=st.lists(st.integers(0, 40), max_size=3, unique=True),
    start=st.integers(-2, 48),
    length=st.integers(1, 12),
    hours=st.sampled_from(["24/7", "06:00-22:00", "18:00-02:00"]),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_is_said_to_be_free_can_be_booked_and_nothing_else(
    client, database, taken, start, length, hours
):
    """The promise of one source: listing and booking never disagree."""
    with database.transaction() as session:
        place = make.a_location(session, opening_hours=hours)
        evse_id = make.an_evse(session, location=place).id
    for quarter in taken:
        with database.transaction() as session:
            desk = Desk(database, make.a_user(session).id, evse_id)
        book_or_refuse(
            desk, Slot(NOON + quarter * QUARTER, NOON + (quarter + 1) * QUARTER)
        )
    slot = Slot(NOON + start * QUARTER, NOON + (start + length) * QUARTER)

    answer = client.get(
        f"/api/v1/evses/{evse_id}/availability"
        f"?from={iso(NOON - HOUR)}&to={iso(NOON + 20 * HOUR)}"
    ).json
    is_free = any(
        each["starts_at"] <= iso(slot.starts_at)
        and iso(slot.ends_at) <= each["ends_at"]
        for each in answer["free"]
    )

    with database.transaction() as session:
        desk = Desk(database, make.a_user(session).id, evse_id)
    assert book_or_refuse(desk, slot) == is_free


def book_or_refuse(desk, slot):
    try:
        desk.book(slot)
    except DomainError:
        return False
    return True


# ── what else may be asked, and the map ──────────────────────────────────────────


@pytest.fixture
def a_club(database):
    """A place for guests with a café, where a kWh comes to ₹12."""
    with database.transaction() as session:
        place = make.a_location(
            session, name="Club", access=Access.RESTRICTED, amenities=["cafe", "wifi"]
        )
        evse = make.an_evse(
            session, location=place, kinds=(ConnectorKind.LEV_DC,), power_w=7_000
        )
        record_prices(session, {evse.id: 1_200})
        record_reliability(session, [place.id], now=NOON + 48 * HOUR)
        return place.id


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("access=restricted", True),
        ("access=public", False),
        ("amenity=cafe&amenity=wifi", True),
        ("amenity=cafe&amenity=hotel", False),
        ("vehicle=two_wheeler", True),
        ("vehicle=bus_truck", False),
        ("vehicle=two_wheeler&connector=lev_dc", True),
        ("max_paise_per_kwh=1200", True),
        ("max_paise_per_kwh=1199", False),
        ("max_paise_per_kwh=1200&min_kw=7", True),
        ("max_paise_per_kwh=1200&min_kw=8", False),
        ("operator=2147483647", False),
        ("free_now=true", True),
        ("working=true", True),
    ],
)
def test_a_place_is_found_by_what_it_is_like(client, clock, a_club, query, is_there):
    assert found(client, query) == [a_club] * is_there
    view = client.get(f"/api/v1/map?{query}").json
    assert [each["id"] for each in view["locations"]] == [a_club] * is_there


def test_a_place_says_who_may_come_what_it_costs_and_how_sure_it_is(client, a_club):
    (item,) = client.get("/api/v1/locations").json["items"]

    assert item["access"] == "restricted"
    assert item["reliability_permille"] == 1000
    assert item["connectors"] == [
        {"kind": "lev_dc", "max_power_w": 7_000, "paise_per_kwh": 1_200}
    ]


def test_lists_can_begin_with_the_cheapest_strongest_or_surest(client, database):
    with database.transaction() as session:
        ids = []
        for paise, power_w in [(1_500, 30_000), (None, 60_000), (900, 22_000)]:
            evse = make.an_evse(
                session, location=make.a_location(session), power_w=power_w
            )
            record_prices(session, {evse.id: paise})
            ids.append(evse.charger.location_id)
    first, second, third = ids

    assert found(client, "sort=price") == [third, first, second]
    assert found(client, "sort=price&near=12.9756,77.6066") == [third, first, second]
    assert found(client, "sort=power") == [second, first, third]
    assert found(client, "sort=reliability") == ids
    page = client.get("/api/v1/locations?sort=price&limit=2").json
    rest = f"sort=price&limit=2&cursor={page['next_cursor']}"
    assert found(client, rest) == [second]


def test_by_price_it_looks_only_so_far(client, two_places):
    near, far = two_places

    assert found(client, "sort=price&near=12.9756,77.6066") == [near]
    assert set(found(client, "sort=price&near=12.9756,77.6066&radius_km=1000")) == {
        near
    }
    assert set(found(client, "sort=price")) == {near, far}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("vehicle=two_wheeler&connector=ccs2", 422),
        ("amenity=swimming_pool", 422),
        ("max_paise_per_kwh=-1", 400),
        ("min_kw=-1", 400),
        ("vehicle=rickshaw", 400),
        ("access=mine", 400),
        ("operator=0", 400),
        ("free_from=2020-01-01T00:00:00Z&free_to=2020-01-01T01:00:00Z", 422),
        ("bbox=78,12,77,13", 422),
        ("bbox=77,12,181,13", 400),
    ],
)
@pytest.mark.parametrize("path", ["locations", "map"])
def test_what_goes_not_together_is_refused(client, path, query, status):
    answer = client.get(f"/api/v1/{path}?{query}")

    assert answer.status_code == status, answer.json


def test_a_map_says_how_each_place_is(client, clock, database):
    with database.transaction() as session:
        for number, reported in enumerate(
            [
                ReportedStatus.AVAILABLE,
                ReportedStatus.CHARGING,
                ReportedStatus.FAULTED,
                None,
            ]
        ):
            place = make.a_location(session, lat=12 + number / 10, name=str(number))
            make.an_evse(session, location=place, reported=reported)

    view = client.get("/api/v1/map?bbox=77,11,78,13&zoom=9").json

    marks = {each["name"]: each["mark"] for each in view["locations"]}
    assert marks == {"0": "free", "1": "busy", "2": "broken", "3": "unknown"}
    assert view["clusters"] == []
    assert view["is_whole"] is True


def test_a_map_of_many_places_counts_them(client, clock, database, monkeypatch):
    monkeypatch.setattr("evcharge.network.queries.search_map.MOST_SITES", 1)
    with database.transaction() as session:
        for _ in range(3):
            make.an_evse(session, location=make.a_location(session))

    view = client.get("/api/v1/map?zoom=5").json

    assert view["locations"] == []
    assert view["clusters"] == [
        {"lat": 12.9756, "lon": 77.6066, "locations": 3, "bbox": "76,10,80,14"}
    ]
    assert client.get("/api/v1/map?free_now=true").json["is_whole"] is False


def test_half_the_world_is_answered_in_a_few_statements(client, two_places, statements):
    statements.clear()

    view = client.get("/api/v1/map?bbox=-180,-90,180,90&zoom=20").json

    assert len(view["locations"]) == 2
    assert len(statements) <= 6


@pytest.mark.parametrize(
    ("known", "is_found"),
    [
        ({}, True),
        ({"reported": ReportedStatus.CHARGING}, True),
        ({"reported": ReportedStatus.FAULTED}, False),
        ({"reported": ReportedStatus.UNAVAILABLE}, False),
        ({"reported": None}, False),
        ({"seen_at": NOON - 24 * HOUR}, False),
        ({"seen_at": None}, False),
        ({"lifecycle": Lifecycle.INOPERATIVE}, False),
        ({"lifecycle": Lifecycle.PLANNED}, False),
    ],
)
def test_what_is_broken_or_unheard_of_can_be_left_out(
    client, clock, database, known, is_found
):
    with database.transaction() as session:
        make.an_evse(session, **known)

    assert bool(found(client, "working=true")) == is_found
    assert found(client, "") != []
