"""Standing at a charger: its code, what it is, and starting there."""

from dataclasses import replace

import pytest

import make
from booking_pages import forms, words
from box import Box
from charging_clock import Clock, stop_clocks
from desk import Desk
from evcharge.bookings.rules import Actor, ActorKind
from evcharge.bookings.service import block_evse
from evcharge.charging.rules import SessionStatus
from evcharge.stations.models import Connector, Evse, Location
from evcharge.stations.rules import Lifecycle, ReportedStatus
from evcharge.stations.rules.codes import evse_code
from make import HOUR, MINUTE, NOON, a_slot


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> Clock:
    return stop_clocks(monkeypatch)


@pytest.fixture
def mine(desk, driver) -> Desk:
    return replace(desk, user_id=driver.user_id)


@pytest.fixture
def here(box) -> str:
    return f"/c/{evse_code(box.evse_id)}"


def reported(database, status: ReportedStatus) -> None:
    with database.transaction() as session:
        session.query(Connector).update({"reported_status": status})


# ── the code ─────────────────────────────────────────────────────────────────────


def test_a_code_that_was_typed_leads_to_the_charging_point(client, box, here):
    typed = evse_code(box.evse_id).lower()

    answer = client.get(f"/c?code=+{typed[:3]}-{typed[3:]}")

    assert (answer.status_code, answer.location) == (303, here)


@pytest.mark.parametrize("address", ["/c?code=22222", "/c/22222", "/c/nonsense"])
def test_a_mistyped_code_says_so_and_can_be_put_right(client, address):
    page = client.get(address)

    assert page.status_code == 404
    assert "No charging point has this code." in words(page)
    assert f'value="{address[-5:]}"' in page.text or "nonsense" in page.text


def test_a_code_of_no_charging_point_says_so(client):
    page = client.get(f"/c/{evse_code(9_999)}")

    assert page.status_code == 404
    assert "No charging point has this code." in words(page)


def test_the_code_of_a_charging_point_that_was_removed_leads_nowhere(
    client, box, here, database
):
    with database.transaction() as session:
        session.get_one(Evse, box.evse_id).lifecycle = Lifecycle.REMOVED

    assert client.get(here).status_code == 404


def test_without_a_code_one_is_asked_for(client):
    assert "Code on the charger" in words(client.get("/c"))


# ── what it is ───────────────────────────────────────────────────────────────────


def test_a_free_one_says_until_when_and_what_it_costs(client, here, desk):
    desk.book(a_slot(after_hours=2))

    page = client.get(here)

    assert "Free Until today 19:30" in words(page)
    assert "₹120 per started hour, tax included" in words(page)


def test_whoever_is_not_logged_in_is_led_back_here(client, here):
    page = client.get(here)

    assert f'href="/login?next={here}"' in page.text
    assert forms(page, here) == []


def test_a_free_one_starts_in_one_press(driver, box, here):
    page = driver.get(here)
    answer = driver.post(here)
    [charge] = box.sessions()

    assert len(forms(page, here)) == 1
    assert (answer.status_code, answer.location) == (303, f"/sessions/{charge.id}")
    assert (charge.status, charge.user_id) == (SessionStatus.PENDING, driver.user_id)


def test_pressing_twice_starts_once(driver, box, here):
    first, second = driver.post(here), driver.post(here)

    assert first.location == second.location
    assert len(box.sessions()) == len(box.commands()) == 1


def test_nobody_starts_without_logging_in(client, box, here):
    assert client.post(here).status_code == 401
    assert box.sessions() == []


def test_a_vehicle_that_is_plugged_in_can_be_started(driver, here, database):
    reported(database, ReportedStatus.PREPARING)

    page = driver.get(here)

    assert "Start only if it is yours." in words(page)
    assert len(forms(page, here)) == 1


def test_ones_own_booking_is_started_instead(driver, box, here, mine):
    booking = mine.book(a_slot(after_hours=0))
    mine.pay(booking)

    page = driver.get(here)
    [_form] = forms(page, f"/bookings/{booking.id}/start")
    driver.post(f"/bookings/{booking.id}/start")

    assert "You have booked this, today 17:30–18:30." in words(page)
    assert box.of_booking(booking.id).tag == booking.reference


def test_a_hold_of_ones_own_is_to_be_paid_first(driver, here, mine):
    booking = mine.book(a_slot(after_hours=0))

    page = driver.get(here)

    assert "You hold this, and it is not paid yet." in words(page)
    assert f'href="/bookings/{booking.id}"' in page.text
    assert forms(page, here) == []


def test_starting_an_unpaid_hold_says_what_is_missing(driver, mine, box):
    booking = mine.book(a_slot(after_hours=0))

    answer = driver.post(f"/bookings/{booking.id}/start")

    assert answer.status_code == 409
    assert "Pay for your booking first, then start." in words(answer)
    assert box.commands() == []


def test_the_time_of_somebody_else_is_not_offered(driver, here, desk):
    desk.pay(desk.book(a_slot(after_hours=0)))

    page = driver.get(here)

    assert "Someone has booked this time." in words(page)
    assert "It is taken until today 18:30." in words(page)
    assert forms(page, here) == []


def test_pressing_start_in_the_time_of_somebody_else_is_refused(driver, here, desk):
    desk.pay(desk.book(a_slot(after_hours=0)))

    answer = driver.post(here)

    assert answer.status_code == 409
    assert "Someone has booked this charging point for now." in words(answer)


def test_ones_own_time_has_to_wait_for_the_one_before(driver, here, mine, desk):
    desk.pay(desk.book(a_slot(after_hours=0, hours=0.25)))
    mine.pay(mine.book(a_slot(after_hours=0.25)))

    page = driver.get(here)

    assert "Your own time here begins at 17:45." in words(page)
    assert forms(page, here) == []


def test_ones_own_charge_leads_to_its_page(driver, box, here):
    charge = box.ask(driver.user_id)
    box.start(charge.tag)

    page = driver.get(here)

    assert "You are charging here." in words(page)
    assert f'href="/sessions/{charge.id}"' in page.text


def test_the_charge_of_somebody_else_is_not_shown(driver, box, here, asha):
    charge = box.ask(asha)
    box.start(charge.tag)

    page = driver.get(here)

    assert "Somebody is charging here." in words(page)
    assert str(charge.id) not in page.text


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (ReportedStatus.FAULTED, "It is out of order."),
        (ReportedStatus.UNAVAILABLE, "The operator has closed it for now."),
    ],
)
def test_one_that_cannot_charge_says_why(driver, here, database, status, told):
    reported(database, status)

    page = driver.get(here)

    assert told in words(page)
    assert forms(page, here) == []


def test_under_maintenance_nothing_starts(driver, here, desk, database):
    with database.transaction() as session:
        block_evse(
            session,
            evse_id=desk.evse_id,
            slot=a_slot(after_hours=0),
            reason="Cleaning",
            actor=Actor(ActorKind.OPERATOR, desk.user_id),
            cancel_bookings=False,
            now=NOON,
        )

    page = driver.get(here)

    assert "It cannot charge just now." in words(page)
    assert forms(page, here) == []


def test_a_charger_that_is_not_heard_of_is_not_started(driver, here, clock):
    clock.now = NOON + 2 * HOUR

    page = driver.get(here)

    assert "We do not hear this charger." in words(page)
    assert forms(page, here) == []


def test_outside_opening_hours_nothing_is_offered(driver, here, database):
    with database.transaction() as session:
        session.query(Location).one().opening_hours = "06:00-12:00"

    page = driver.get(here)

    assert "The site is closed now. It is open 06:00–12:00." in words(page)
    assert forms(page, here) == []


def test_where_it_does_not_go_the_free_ones_at_the_site_are_a_press_away(
    driver, box, here, database
):
    with database.transaction() as session:
        location = session.query(Location).one()
        alike = make.an_evse(session, location=location).id
        broken = make.an_evse(
            session, location=location, reported=ReportedStatus.FAULTED
        ).id
    box.start("somebody")

    page = driver.get(here)

    assert "Free here now" in words(page)
    assert f'href="/c/{evse_code(alike)}"' in page.text
    assert evse_code(broken) not in page.text


def test_a_charger_without_a_connection_is_said_to_have_none(driver, database, clock):
    with database.transaction() as session:
        evse_id = make.an_evse(session).id

    answer = driver.post(f"/c/{evse_code(evse_id)}")

    assert answer.status_code == 409
    assert "The charger is not connected just now." in words(answer)


def test_the_part_that_changes_comes_alone(driver, here):
    page = driver.get(here + "?fragment=1")

    assert "<html" not in page.text
    assert "Start charging now" in words(page)


# ── from the page of the location ────────────────────────────────────────────────


def test_the_location_says_when_each_last_charged_a_vehicle(
    driver, box: Box, here, monkeypatch
):
    monkeypatch.setattr("evcharge.network.pages.utc_now", lambda: NOON + HOUR)
    number = box.start("card").number
    box.stop(number, at=NOON + 30 * MINUTE, meter=9_000)

    with_it = driver.get("/locations/1")

    assert "Last charged a vehicle 30 min ago" in words(with_it)


def test_a_handshake_is_not_a_charge(driver, box, monkeypatch):
    monkeypatch.setattr("evcharge.network.pages.utc_now", lambda: NOON + HOUR)
    number = box.start("card").number
    box.stop(number, at=NOON + 30 * MINUTE, meter=1_099)

    assert "Last charged a vehicle" not in words(driver.get("/locations/1"))


def test_whoever_is_logged_in_can_charge_now(driver, client, here, monkeypatch, box):
    monkeypatch.setattr("evcharge.network.pages.utc_now", lambda: NOON)

    assert f'href="{here}"' in driver.get("/locations/1").text
    assert f'href="{here}"' not in client.get("/locations/1").text


def test_whoever_presses_too_often_is_asked_to_wait(database, new_app, here, box):
    program = new_app(rate_limits=True)
    with database.transaction() as session:
        user = make.a_user(session)
        login = make.a_login(session, user)
    browser = program.test_client()
    with browser.session_transaction() as cookie:
        cookie["user_id"], cookie["login_id"] = user.id, str(login.id)

    answers = [browser.post(here).status_code for _ in range(21)]

    assert answers == [303] * 20 + [429]
