import re

import pytest

import make
from evcharge.bookings.rules import Actor, ActorKind, Limits, Slot
from evcharge.bookings.service import block_evse, book_slot
from evcharge.stations.models import Location
from evcharge.stations.rules import ConnectorKind, Lifecycle, ReportedStatus
from evcharge.stations.service import set_location_active
from make import HOUR, MINUTE, NOON

pytestmark = pytest.mark.usefixtures("noon")

EVENING = "2026-01-15"  # NOON is 17:30 of this day in India.


@pytest.fixture
def place(database):
    """A location with a free CCS2 EVSE and a charging Type 2 one."""
    with database.transaction() as session:
        location = make.a_location(
            session, name="MG Road", amenities=["wifi", "unheard of"]
        )
        make.an_evse(session, location=location, identity="CP-1")
        make.an_evse(
            session,
            location=location,
            identity="CP-2",
            kinds=(ConnectorKind.TYPE2,),
            power_w=7_400,
            reported=ReportedStatus.CHARGING,
        )
        return location.id


def text_of(answer):
    """What people read, in one line."""
    html = re.sub(r"<(script|style|svg).*?</\1>", " ", answer.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def book(database, evse_id, user_id, slot):
    request = make.a_request(evse_id, slot, user_id=user_id)
    with database.transaction() as session:
        return book_slot(session, request, limits=Limits(), now=NOON)


def evse_ids(database, location_id):
    with database.reading() as session:
        location = session.get_one(Location, location_id)
        return [evse.id for each in location.chargers for evse in each.evses]


# ── the search ───────────────────────────────────────────────────────────────────


def test_a_card_says_what_a_driver_needs(client, place):
    answer = client.get("/")

    assert answer.status_code == 200
    text = text_of(answer)
    assert "MG Road Bengaluru, Karnataka" in text
    assert "CCS2 60 kW Type 2 7.4 kW" in text
    assert "1 of 2 free 0 s ago From ₹120 an hour" in text
    assert f'href="/locations/{place}"' in answer.text
    assert f'data-live-topic="location:{place} "' in answer.text


def test_the_first_line_counts_what_there_is_as_the_cards_do(client, database, place):
    with database.transaction() as session:
        closed = make.a_location(session, name="Closed", is_active=False)
        make.an_evse(session, location=closed, identity="CLOSED")
        other = make.a_location(session, name="Other")
        make.an_evse(session, location=other, identity="OPEN")
        make.an_evse(
            session, location=other, identity="SOON", lifecycle=Lifecycle.PLANNED
        )

    assert "2 locations · 2 of 3 points free at 17:30" in text_of(client.get("/"))
    assert "points free at" not in text_of(client.get("/?q=other"))
    assert "1 location " in text_of(client.get("/?q=other"))


def test_filters_that_are_set_are_counted_without_opening_them(client, place):
    asked = "/?q=mg&connector=ccs2&when=now"

    assert re.search(r"data-filters-set\s*>2<", client.get(asked).text)
    assert re.search(r"data-filters-set\s+hidden>0<", client.get("/?q=mg").text)


def test_a_full_site_says_when_it_is_next_free(client, database):
    with database.transaction() as session:
        evse = make.an_evse(session)
        user = make.a_user(session)
    book(database, evse.id, user.id, Slot(NOON, NOON + HOUR))

    text = text_of(client.get("/"))

    assert "0 of 1 free" in text
    assert "Next free today 18:30" in text


def test_a_site_nothing_is_heard_of_says_since_when(client, database):
    with database.transaction() as session:
        location_id = make.an_evse(session, seen_at=NOON - HOUR).charger.location_id

    for path in ("/", f"/locations/{location_id}"):
        text = text_of(client.get(path))
        assert "No news since 16:30" in text
        assert "Next free" not in text  # We cannot know.


def test_people_who_say_where_they_are_see_how_far_it_is(client, place):
    assert "MG Road 1.6 km" in text_of(client.get("/?near=12.99,77.61"))


def test_a_card_leads_straight_to_the_times_when_it_is_plain_which_evse(
    client, database, place
):
    ccs2, _ = evse_ids(database, place)

    by_plug = client.get("/?connector=ccs2").text
    by_time = client.get(f"/?when=at&on={EVENING}&at=20:00&minutes=90").text
    by_taken_plug = client.get("/?connector=type2").text

    assert f'href="/evses/{ccs2}/book"' in by_plug
    chosen = "starts_at=2026-01-15T14:30:00Z&amp;minutes=90"
    assert f'href="/evses/{ccs2}/book?{chosen}"' in by_time
    assert "/book" not in by_taken_plug


def test_filters_can_be_taken_away_one_by_one(client, place):
    page = client.get("/?q=road&connector=ccs2&min_kw=50&when=now").text

    assert 'href="/?connector=ccs2&amp;min_kw=50&amp;when=now"' in page
    assert 'href="/?q=road&amp;min_kw=50&amp;when=now"' in page
    assert 'href="/?q=road&amp;connector=ccs2&amp;when=now"' in page
    assert 'href="/?q=road&amp;connector=ccs2&amp;min_kw=50"' in page


def test_more_filters_narrow_the_list_and_can_be_taken_away(client, place):
    address = "/?vehicle=bus_truck&access=public&amenity=cafe&max_price=18&sort=price"
    page = client.get(address)

    assert "No chargers match all of that." in text_of(page)
    for label in ("Bus or truck", "Everybody", "Up to ₹18 per kWh", "Cheapest"):
        assert f'aria-label="Remove: {label}"' in page.text
    rest = "vehicle=bus_truck&amp;access=public&amp;max_price=18&amp;sort=price"
    assert f'href="/?{rest}"' in page.text
    assert "MG Road" in text_of(client.get("/?vehicle=bus_truck&access=public"))


def test_what_is_wrong_with_a_filter_is_said_beside_it(client, place):
    answer = client.get("/?max_price=cheap&bbox=1,2")

    assert answer.status_code == 422
    assert "A price is a number of rupees" in text_of(answer)


def test_a_search_for_a_time_counts_what_is_free_then(client, database, place):
    ccs2, type2 = evse_ids(database, place)
    with database.transaction() as session:
        user = make.a_user(session)
    book(database, ccs2, user.id, Slot(NOON + 2 * HOUR, NOON + 3 * HOUR))

    # 19:30 to 20:30 in India is taken on one of the two.
    address = f"/?when=at&on={EVENING}&at=20:15&minutes=60"
    text = text_of(client.get(address))

    assert "1 of 2 free today 20:15–21:15" in text
    assert f"/evses/{type2}/book" in client.get(address).text


def test_an_empty_list_says_what_to_do(client, place):
    one = text_of(client.get("/?q=atlantis"))
    several = text_of(client.get("/?q=atlantis&connector=ccs2"))
    beyond = text_of(client.get("/?page=7"))

    assert "No chargers match." in one
    assert "Show all chargers" in one
    assert "Remove a filter" in several
    assert "That was all. Go to the first page" in beyond


def test_an_empty_network_says_so(client, database):
    assert "There are no chargers yet." in text_of(client.get("/"))


def test_a_long_list_has_pages_that_keep_the_search(client, database):
    with database.transaction() as session:
        for number in range(21):
            location = make.a_location(session, name=f"Site {number:02}")
            make.an_evse(session, location=location)

    first = client.get("/?q=site&when=now").text
    second = client.get("/?q=site&when=now&page=2").text

    assert first.count("<article") == 20
    assert 'href="/?q=site&amp;when=now&amp;page=2"' in first
    assert second.count("<article") == 1
    assert "Site 20" in second
    assert 'href="/?q=site&amp;when=now&amp;page=1"' in second


HOSTILE = [
    "q=" + "x" * 5000,
    "q=%00",
    "q=%25%27%22%5C_;--",
    "q=%FF%FE",
    "q=%F0%9F%94%8C",
    "near=nan,nan",
    "near=inf,-inf",
    "near=1e400,0",
    "near=" + "9" * 3000,
    "near=90.0001,0",
    "connector=tesla",
    "connector=" + "a" * 5000,
    "connector=ccs2&connector=ccs2&connector=%00",
    "min_kw=NaN",
    "min_kw=-1",
    "min_kw=" + "9" * 5000,
    "when=never",
    "when=at&on=2020-01-01&at=10:00&minutes=60",
    "when=at&on=0000-00-00&at=99:99&minutes=60",
    "when=at&on=0001-01-01&at=00:00&minutes=60",
    "when=at&on=9999-12-31&at=23:45&minutes=480",
    "when=at&on=%00&at=%00&minutes=%00",
    "when=at&minutes=999999999999999999999",
    "page=0",
    "page=-1",
    "page=" + "9" * 5000,
    "page=1.5",
    "near=12.9,77.6&near=nan,nan",
    "fragment=1&unknown=1",
]


@pytest.mark.parametrize("query", HOSTILE)
def test_a_strange_address_gets_a_page_that_works(client, place, query):
    for path in ("/", "/locations/cards"):
        answer = client.get(f"{path}?{query}&id={place}")

        assert answer.status_code in (200, 422)
    assert 'type="search"' in client.get(f"/?{query}").text


def test_what_was_unclear_is_said_at_its_field_and_the_rest_is_found(client, place):
    answer = client.get("/?q=road&min_kw=lots")

    assert answer.status_code == 422
    assert "Power is a number of kW, up to 1,000." in text_of(answer)
    assert 'id="min_kw-error"' in answer.text
    assert "MG Road" in text_of(answer)


def test_a_time_that_has_passed_is_said_so(client, place):
    answer = client.get(f"/?when=at&on={EVENING}&at=17:15&minutes=60")

    assert answer.status_code == 422
    assert "That time has passed. Choose a later one." in text_of(answer)


def test_what_people_typed_comes_back_as_text(client, place):
    page = client.get("/?q=%3Cscript%3Ealert(1)%3C/script%3E").text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


# ── the cards, once more ─────────────────────────────────────────────────────────


def test_cards_are_shown_again_in_their_places_whatever_the_filter_says(
    client, database, place
):
    with database.transaction() as session:
        other = make.an_evse(session, location=make.a_location(session, name="Other"))
        other_id = other.charger.location_id

    answer = client.get(f"/locations/cards?id={other_id}&id={place}&min_kw=500")

    names = re.findall(r'<a href="/locations/(\d+)">', answer.text)
    assert names == [str(other_id), str(place)]
    assert "<html" not in answer.text


def test_the_page_asks_for_its_own_cards(client, place):
    page = client.get("/?q=road&near=12.9,77.6").text

    url = re.search(r'data-live-url="([^"]*)"', page)[1].replace("&amp;", "&")
    assert url == f"/locations/cards?id={place}&near=12.9,77.6"
    assert "MG Road" in client.get(url).text


# ── a location ───────────────────────────────────────────────────────────────────


def test_a_location_page_says_where_it_is_and_what_is_there(client, place):
    answer = client.get(f"/locations/{place}")

    text = text_of(answer)
    assert "12 MG Road, Bengaluru 560001, Karnataka" in text
    assert "Open day and night" in text
    assert "Wi-Fi" in text
    assert "unheard of" not in text
    assert "Run by Test Power" in text
    assert "CCS2 60 kW CP-1 · point 1 Free 0 s ago" in text
    assert "Type 2 7.4 kW CP-2 · point 1 Charging since 17:30" in text
    assert "Next free today 17:45" in text
    assert "₹120 per started hour" in text
    destination = "destination=12.9756,77.6066"
    assert f"www.google.com/maps/dir/?api=1&amp;{destination}" in answer.text
    assert 'href="geo:12.9756,77.6066' in answer.text


def test_the_strip_shows_what_is_taken_and_what_is_yours(
    database, driver, client, place
):
    ccs2, type2 = evse_ids(database, place)
    with database.transaction() as session:
        other = make.a_user(session)
    book(database, ccs2, driver.user_id, Slot(NOON + HOUR, NOON + 2 * HOUR))
    book(database, type2, other.id, Slot(NOON + HOUR, NOON + 3 * HOUR))

    mine = driver.get(f"/locations/{place}?fragment=1").text
    anybodys = client.get(f"/locations/{place}?fragment=1").text

    assert 'aria-label="Next 24 hours: Yours 18:30–19:30."' in mine
    assert 'aria-label="Next 24 hours: Taken 18:30–20:30."' in mine
    assert 'aria-label="Next 24 hours: Taken 18:30–19:30."' in anybodys
    assert "<html" not in mine


def test_an_expired_hold_is_not_shown_as_taken(database, client, place, monkeypatch):
    ccs2, _ = evse_ids(database, place)
    with database.transaction() as session:
        user = make.a_user(session)
    book(database, ccs2, user.id, Slot(NOON + HOUR, NOON + 2 * HOUR))

    monkeypatch.setattr("evcharge.network.pages.utc_now", lambda: NOON + 11 * MINUTE)

    assert "Taken" not in client.get(f"/locations/{place}?fragment=1").text


def test_maintenance_is_shown_with_its_end(database, client, place):
    ccs2, _ = evse_ids(database, place)
    with database.transaction() as session:
        block_evse(
            session,
            evse_id=ccs2,
            slot=Slot(NOON, NOON + HOUR),
            reason="New cable",
            actor=Actor(ActorKind.OPERATOR, make.a_user(session, role="admin").id),
            cancel_bookings=False,
            now=NOON,
        )

    answer = client.get(f"/locations/{place}")

    assert "Not in service until today 18:30 Next free today 18:30" in text_of(answer)
    assert 'aria-label="Next 24 hours: Closed 17:30–18:30."' in answer.text


def test_a_reserved_evse_says_from_when_to_when(database, client, place):
    ccs2, _ = evse_ids(database, place)
    with database.transaction() as session:
        user = make.a_user(session)
    book(database, ccs2, user.id, Slot(NOON, NOON + HOUR))

    assert "Reserved 17:30–18:30" in text_of(client.get(f"/locations/{place}"))


@pytest.mark.parametrize(
    ("lifecycle", "words"),
    [
        (Lifecycle.PLANNED, "Opening soon"),
        (Lifecycle.INOPERATIVE, "Not in service"),
    ],
)
def test_what_cannot_be_booked_has_no_button(client, database, lifecycle, words):
    with database.transaction() as session:
        evse = make.an_evse(session, lifecycle=lifecycle)
        location_id = evse.charger.location_id

    answer = client.get(f"/locations/{location_id}")

    assert words in text_of(answer)
    assert "/book" not in answer.text


def test_a_removed_evse_is_hidden(client, database):
    with database.transaction() as session:
        evse = make.an_evse(session, lifecycle=Lifecycle.REMOVED)
        location_id = evse.charger.location_id

    text = text_of(client.get(f"/locations/{location_id}"))

    assert "There are no charging points here yet." in text


def test_a_closed_location_is_quiet_and_in_no_list(client, database, place):
    with database.transaction() as session:
        set_location_active(session, location_id=place, is_active=False, version=1)

    answer = client.get(f"/locations/{place}")

    assert "This location is closed" in text_of(answer)
    assert "/book" not in answer.text
    assert "MG Road" not in client.get("/").text
    assert "MG Road" not in client.get(f"/locations/cards?id={place}").text


def test_a_broken_plug_beside_a_working_one_is_marked(client, database):
    with database.transaction() as session:
        kinds = (ConnectorKind.CCS2, ConnectorKind.CHADEMO)
        evse = make.an_evse(session, kinds=kinds)
        evse.connectors[1].reported_status = ReportedStatus.FAULTED
        location_id = evse.charger.location_id

    text = text_of(client.get(f"/locations/{location_id}"))

    assert "CCS2 60 kW CHAdeMO 60 kW not working" in text
    assert "Free" in text


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ("06:00-22:00", "06:00–22:00 every day Open now"),
        ("06:00-17:00", "06:00–17:00 every day Closed now"),
    ],
)
def test_opening_hours_say_whether_it_is_open_now(client, database, hours, words):
    with database.transaction() as session:
        location = make.a_location(session, opening_hours=hours)

    assert words in text_of(client.get(f"/locations/{location.id}"))


@pytest.mark.parametrize(
    "number", ["999", "0", "9" * 18, "9" * 19, "9" * 30, "9" * 9999]
)
def test_a_location_nobody_knows_is_not_found(client, database, number):
    answer = client.get(f"/locations/{number}")

    assert answer.status_code == 404
    assert "Find a charger" in answer.text


# ── cost ─────────────────────────────────────────────────────────────────────────


def several(database, locations, evses):
    with database.transaction() as session:
        for _ in range(locations):
            location = make.a_location(session)
            for _ in range(evses):
                make.an_evse(session, location=location)
        return location.id


@pytest.mark.parametrize("locations", [1, 21])
def test_a_list_costs_the_same_few_statements_however_long(
    client, database, statements, locations
):
    several(database, locations, evses=3)
    statements.clear()

    client.get("/?near=12.9,77.6&connector=ccs2&when=now&q=road")
    plain = len(statements)
    client.get("/?when=at")
    with_slot = len(statements) - plain

    assert (plain, with_slot) == (6, 5)


@pytest.mark.parametrize("evses", [1, 6])
def test_a_location_costs_the_same_few_statements_however_many_evses(
    client, driver, database, statements, evses
):
    location_id = several(database, 1, evses)
    statements.clear()

    client.get(f"/locations/{location_id}")
    public = len(statements)
    driver.get(f"/locations/{location_id}?fragment=1")
    signed_in = len(statements) - public

    assert (public, signed_in) == (5, 6)


def test_only_whoever_runs_it_sees_what_the_charger_complains_of(
    client, driver, sign_in, database
):
    with database.transaction() as session:
        ours, other = make.an_operator(session, "Ours"), make.an_operator(session, "B")
        evse = make.an_evse(session, location=make.a_location(session, operator=ours))
        plug = evse.connectors[0]
        plug.reported_status = ReportedStatus.FAULTED
        plug.error_code, plug.vendor_error_code = "GroundFailure", "E-042"
        location_id = evse.charger.location_id
    operators = [sign_in("operator", operator=each) for each in (ours, other)]

    told = [
        "GroundFailure, E-042" in browser.get(f"/locations/{location_id}").text
        for browser in (client, driver, sign_in("admin"), *operators)
    ]

    assert told == [False, False, True, True, False]
