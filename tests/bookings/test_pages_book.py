import pytest
from sqlalchemy import select

import make
from booking_pages import chosen, fields, forms, not_offered, offered, words, written
from evcharge.bookings.models import Booking
from evcharge.kernel.ids import new_id
from evcharge.payments.rules import ItemKind, Payer
from evcharge.payments.service import open_due
from evcharge.stations.models import Evse, Location
from evcharge.stations.rules import Lifecycle, ReportedStatus
from make import HOUR, MINUTE, NOON, Slot, a_slot

pytestmark = pytest.mark.usefixtures("clock")

HOSTILE = [
    {"starts_at": ""},
    {"starts_at": "soon"},
    {"starts_at": "NaN"},
    {"starts_at": "\0"},
    {"starts_at": "9" * 10_000},
    {"starts_at": "99999-01-01T00:00:00Z"},
    {"starts_at": "9999-12-31T23:45:00-12:00"},
    {"starts_at": "2026-01-15T13:07:00Z"},
    {"starts_at": "2026-01-15T13:00:01Z"},
    {"starts_at": "2026-01-15T11:00:00Z"},
    {"starts_at": "2026-03-15T13:00:00Z"},
    {"starts_at": "<script>alert(1)</script>"},
    {"minutes": ""},
    {"minutes": "0"},
    {"minutes": "-60"},
    {"minutes": "60.5"},
    {"minutes": "7"},
    {"minutes": "495"},
    {"minutes": "NaN"},
    {"minutes": "9" * 10_000},
    {"minutes": "60\0"},
]


@pytest.fixture
def at(desk):
    return f"/evses/{desk.evse_id}/book"


def count(database):
    with database.reading() as session:
        return session.query(Booking).count()


# ── looking ──────────────────────────────────────────────────────────────────────


def test_anyone_sees_times_price_and_terms(client, at):
    page = client.get(at)

    assert page.status_code == 200
    assert offered(page)[0] == "2026-01-15T12:00:00Z"
    assert "1 started hour × ₹120.00, tax included." in words(page)
    assert "at the charger, IST" in words(page)
    assert "Log in to hold {}" in page.text


def test_the_button_and_the_line_above_it_agree_on_midnight(driver, at):
    eleven_at_night = "2026-01-16T17:30:00Z"

    page = driver.get(f"{at}?starts_at={eleven_at_night}&minutes=60")

    assert "Hold 23:00–24:00 for 10 min" in words(page)
    assert "Tomorrow 23:00–24:00" in words(page)
    assert 'data-range="23:00–24:00"' in page.text


def test_past_times_are_hidden_and_taken_ones_cannot_be_chosen(client, desk, at):
    desk.book(a_slot(after_hours=2))

    page = client.get(at)

    taken = written(NOON + 2 * HOUR)
    assert taken in not_offered(page)
    assert taken not in offered(page)
    assert written(NOON - 15 * MINUTE) not in page.text


def test_the_times_of_an_expired_hold_are_offered_again(client, desk, at, clock):
    desk.book(a_slot(after_hours=2))
    clock.now = NOON + 10 * MINUTE

    assert written(NOON + 2 * HOUR) in offered(client.get(at))


def test_a_driver_sees_which_times_are_their_own(driver, mine, at):
    mine.book(a_slot(after_hours=2))

    assert "yours already" in words(driver.get(at))


def test_another_day_and_length_are_chosen_by_address(client, desk, at):
    desk.book(a_slot(after_hours=24))

    page = client.get(f"{at}?day=2026-01-16&minutes=120")

    assert "2 started hours × ₹120.00" in words(page)
    assert written(NOON + 23 * HOUR) in not_offered(page)
    assert "120 kWh" in words(page)


def test_a_chosen_start_is_shown_with_what_it_means(client, at):
    page = client.get(f"{at}?starts_at=2026-01-15T15:00:00Z&minutes=90")

    assert chosen(page) == ["2026-01-15T15:00:00Z"]
    assert "Today 20:30–22:00 ₹240.00" in words(page)
    assert "Free to cancel until today 19:30; half back until the start." in words(page)
    assert "Log in to hold 20:30–22:00" in words(page)


def test_the_terms_follow_the_clock(client, at):
    soon = client.get(f"{at}?starts_at={written(NOON + 30 * MINUTE)}")
    begun = client.get(f"{at}?starts_at={written(NOON)}")

    assert "If you cancel before today 18:00, half comes back." in words(soon)
    assert "no money comes back if you cancel" in words(begun)


def test_a_start_that_has_gone_is_said_so_and_not_chosen(client, desk, at):
    desk.book()

    page = client.get(f"{at}?starts_at={written(NOON + HOUR)}")

    assert chosen(page) == []
    assert "That time cannot be had any more." in words(page)


@pytest.mark.parametrize(
    "query",
    [
        "day=banana&minutes=x&starts_at=y",
        "day=9999-12-31",
        "day=2026-02-30",
        "minutes=" + "9" * 5_000,
        "starts_at=%00&day=%00&minutes=%00",
        "day=2026-01-16&day=2026-01-17&minutes[]=60",
        "starts_at=9999-12-31T23:45:00-12:00",
        "day=%F0%28%8C",
    ],
)
def test_an_address_that_makes_no_sense_shows_the_usual_choice(client, at, query):
    page = client.get(f"{at}?{query}")

    assert page.status_code == 200
    assert offered(page)


def test_who_comes_late_sees_the_first_day_with_room(client, desk, at):
    rest_of_today = a_slot(after_hours=0, hours=6.5)
    desk.book(rest_of_today)

    page = client.get(at)

    assert offered(page)[0] == "2026-01-15T18:30:00Z"


def test_a_full_day_is_marked_and_the_next_with_room_named(client, desk, at):
    desk.book(a_slot(after_hours=0, hours=6.5))

    page = client.get(f"{at}?day=2026-01-15")

    assert "Today 15 full" in words(page)
    assert "Nothing is free for 1 h today. See tomorrow" in words(page)


@pytest.mark.parametrize("asked", ["/evses/404404/book", f"/evses/{'9' * 30}/book"])
def test_an_unknown_charging_point_is_not_found(client, asked):
    assert client.get(asked).status_code == 404
    assert client.post(asked, data=fields()).status_code == 404


def test_a_removed_charging_point_is_not_found(client, database):
    with database.transaction() as session:
        gone = make.an_evse(session, lifecycle=Lifecycle.REMOVED).id

    assert client.get(f"/evses/{gone}/book").status_code == 404


def test_a_closed_charging_point_says_so(driver, desk, database, at):
    with database.transaction() as session:
        session.get_one(Evse, desk.evse_id).lifecycle = Lifecycle.INOPERATIVE

    page, answer = driver.get(at), driver.post(at, data=fields())

    assert "cannot be booked at the moment" in words(page)
    assert (answer.status_code, count(database)) == (409, 0)
    assert "cannot be booked at the moment" in words(answer)


def test_nothing_at_a_closed_location_can_be_chosen(client, database, at):
    with database.transaction() as session:
        session.query(Location).update({"is_active": False})

    assert offered(client.get(at)) == []


def test_a_charger_that_is_broken_now_comes_with_a_warning(client, database):
    with database.transaction() as session:
        broken = make.an_evse(session, reported=ReportedStatus.FAULTED).id

    assert "out of order just now" in words(client.get(f"/evses/{broken}/book"))


def test_hours_that_end_at_night_are_named(client, database, at):
    with database.transaction() as session:
        session.query(Location).update({"opening_hours": "06:00-22:00"})

    assert "Open 06:00–22:00" in words(client.get(at))


def test_the_fragment_is_the_choice_alone(client, at):
    page = client.get(f"{at}?fragment=1&minutes=30")

    assert page.text.lstrip().startswith("<div data-shown")
    assert "<form" in page.text
    assert "csrf_token" not in page.text


@pytest.mark.parametrize("days", ["", "?day=2026-01-20"])
def test_the_page_costs_the_same_few_statements_however_full(
    driver, desk, at, statements, days
):
    driver.get(at + days)
    few = len(statements)
    for user_id, after_hours in zip(desk.drivers(4), (30, 40, 50, 130), strict=True):
        desk.book(a_slot(after_hours=after_hours), user_id=user_id)
    statements.clear()

    driver.get(at + days)

    assert len(statements) == few <= 8


# ── holding ──────────────────────────────────────────────────────────────────────


def test_holding_leads_to_the_booking(driver, desk, database, at):
    answer = driver.post(at, data=fields(a_slot(hours=1.5)))

    assert answer.status_code == 303
    page = driver.get(answer.location)
    assert "Held, not paid yet" in words(page)
    assert "Pay ₹240.00" in words(page)
    assert desk.audit() == []


def test_wall_time_at_the_charger_is_understood(driver, database, at):
    driver.post(at, data=fields(starts_at="2026-01-15T18:30"))

    with database.reading() as session:
        assert session.query(Booking).one().slot == a_slot()


def test_what_costs_nothing_is_booked_at_once(driver, database):
    with database.transaction() as session:
        free = make.an_evse(session, price_paise=0).id

    answer = driver.post(f"/evses/{free}/book", data=fields())

    page = driver.get(answer.location)
    assert "Booked" in words(page)
    assert "Pay" not in words(page).split()


def test_a_double_click_books_once(driver, database, at):
    (form,) = forms(driver.get(at), at)
    sent = fields(key=form["key"])

    first, second = driver.post(at, data=sent), driver.post(at, data=sent)

    assert first.location == second.location
    assert count(database) == 1


def test_the_same_page_used_for_another_time_asks_once_more(driver, database, at):
    driver.post(at, data=fields(key="of this page"))

    page = driver.post(at, data=fields(a_slot(after_hours=5), key="of this page"))
    (form,) = forms(page, at)
    again = driver.post(at, data=fields(a_slot(after_hours=5), key=form["key"]))

    assert page.status_code == 422
    assert "Press again to hold this one too." in words(page)
    assert chosen(page) == [written(NOON + 5 * HOUR)]
    assert (again.status_code, count(database)) == (303, 2)


def test_a_visitor_logs_in_and_comes_back_to_the_slot(client, database, at):
    answer = client.post(at, data=fields(a_slot(hours=1.5)))

    assert answer.status_code == 303
    login = client.get(answer.location)
    assert login.status_code == 200
    with database.transaction() as session:
        user = make.a_user(session)
        held = make.a_login(session, user)
        user_id, login_id = user.id, held.id
    with client.session_transaction() as cookie:
        cookie["user_id"], cookie["login_id"] = user_id, str(login_id)
    back = client.get(client.get(answer.location).location)
    assert chosen(back) == [written(NOON + HOUR)]
    assert "Hold 18:30–20:00 for 10 min" in words(back)


def test_a_taken_slot_comes_with_three_ways_out(driver, desk, database, at):
    (neighbour,) = desk.evses(1)
    desk.book()

    page = driver.post(at, data=fields())

    assert page.status_code == 409
    assert "Someone has already booked that time. These are free now:" in words(page)
    assert chosen(page) == []
    others = forms(page, at) + forms(page, f"/evses/{neighbour}/book")
    ways_out = [form for form in others if form["starts_at"]]
    assert len(ways_out) == 3
    assert "MG Road ₹120.00" in words(page)
    assert len({form["key"] for form in others}) == len(others)


def test_an_alternative_is_one_press_away(driver, desk, database, at):
    desk.book()
    page = driver.post(at, data=fields())

    way_out = next(form for form in forms(page, at) if form["starts_at"])
    answer = driver.post(at, data=way_out)

    assert answer.status_code == 303
    assert desk.audit() == []


def test_too_many_holds_are_refused_with_a_link_to_them(driver, mine, database, at):
    for hours in (1, 2):
        mine.book(a_slot(after_hours=hours))

    page = driver.post(at, data=fields(a_slot(after_hours=5)))

    assert (page.status_code, count(database)) == (409, 2)
    assert "You are holding 2 slots that are not paid yet." in words(page)
    assert 'href="/bookings"' in page.text
    assert chosen(page) == [written(NOON + 5 * HOUR)]


def test_who_owes_for_long_is_led_to_where_it_is_paid(driver, database, at):
    with database.transaction() as session:
        open_due(
            session,
            payer=Payer(driver.user_id),
            item_kind=ItemKind.BOOKING,
            item_id=new_id(),
            reference="EV-7K3M9Q",
            location_id=session.scalars(select(Location.id)).first(),
            amount_paise=4_200,
            reason="You used more than you paid for",
            now=NOON - 96 * HOUR,
        )

    page = driver.post(at, data=fields())

    assert (page.status_code, count(database)) == (409, 0)
    assert "You still owe for EV-7K3M9Q. Pay that first." in words(page)
    assert 'href="/dues"' in page.text


def test_too_many_upcoming_bookings_are_refused(driver, mine, at):
    for hours in range(5):
        mine.pay(mine.book(a_slot(after_hours=hours)))

    page = driver.post(at, data=fields(a_slot(after_hours=7)))

    assert page.status_code == 409
    assert "5 upcoming bookings at a time" in words(page)


@pytest.mark.parametrize("values", HOSTILE, ids=str)
def test_what_makes_no_sense_is_answered_at_the_field(driver, database, at, values):
    page = driver.post(at, data=fields() | values)

    assert page.status_code == 422
    assert 'class="field-error"' in page.text
    assert count(database) == 0
    assert "<script>alert" not in page.text


def test_missing_fields_are_answered_too(driver, at):
    assert driver.post(at, data={}).status_code == 422
    assert driver.post(at, json=fields()).status_code == 422
    assert driver.post(
        at, data={"starts_at[]": "x", "minutes[]": "60"}
    ).status_code == (422)


def test_of_a_field_sent_twice_the_first_counts(driver, database, at):
    twice = fields() | {"minutes": ["60", "9999"], "starts_at": [written(NOON), "x"]}

    assert driver.post(at, data=twice).status_code == 303


def test_a_hostile_key_is_only_a_key(driver, database, at):
    for key in ("", "\0", "k" * 10_000, "<b>"):
        driver.post(at, data=fields(a_slot(after_hours=5), key=key))

    assert count(database) >= 1


def test_a_length_out_of_the_ordinary_stays_chosen(driver, desk, at):
    desk.book(Slot(NOON + HOUR, NOON + 2 * HOUR))

    page = driver.post(at, data=fields(Slot(NOON + HOUR, NOON + HOUR + 75 * MINUTE)))

    assert page.status_code == 409
    assert "1 h 15 min" in words(page)


def test_a_form_without_its_token_changes_nothing_and_says_what_to_do(
    driver, app, database, at
):
    app.config["WTF_CSRF_ENABLED"] = True

    answer = driver.post(at, data=fields())

    assert (answer.status_code, count(database)) == (400, 0)
    assert "Go back" in words(answer)


def test_a_form_with_its_token_is_accepted(driver, app, at):
    app.config["WTF_CSRF_ENABLED"] = True
    (form,) = forms(driver.get(at), at)

    answer = driver.post(at, data=fields(csrf_token=form["csrf_token"]))

    assert answer.status_code == 303


def test_whoever_presses_too_often_keeps_their_choice(new_app, at):
    client = new_app(rate_limits=True).test_client()

    answers = [client.post(at, data=fields(minutes="75")) for _ in range(21)]
    unknown = client.post("/evses/404404/book", data=fields())

    assert [answer.status_code for answer in answers] == [303] * 20 + [429]
    assert "Wait a minute" in words(answers[-1])
    assert chosen(answers[-1]) == [written(NOON + HOUR)]
    assert unknown.status_code == 429


def test_what_the_page_offers_can_be_had(driver, desk, at):
    desk.book(a_slot(after_hours=2))

    for start in offered(driver.get(at))[:2]:
        assert driver.post(at, data=fields(starts_at=start)).status_code in (303, 409)
        assert desk.audit() == []


def test_two_drivers_seeing_the_same_time_get_it_once(sign_in, desk, at):
    first, second = sign_in(), sign_in()

    answers = [one.post(at, data=fields()).status_code for one in (first, second)]

    assert answers == [303, 409]


def test_the_limits_of_this_installation_are_shown(new_app, at):
    app = new_app(booking_longest_minutes=60, booking_days_ahead=3)
    client = app.test_client()

    page = client.get(at)

    assert page.text.count('<a class="day') == 3
    assert "1.5 h" not in words(page)
