"""The pages of a charging session, from asking the charger to the receipt."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

import make
from booking_pages import forms, words
from box import Box
from charging_clock import Clock, stop_clocks
from desk import Desk
from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import EventType
from evcharge.charging.service.failing import fail_start
from evcharge.charging.service.overrun import overruns, settle
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import CommandKind, CommandState
from evcharge.stations.models import Charger, Location
from evcharge.stations.rules import OverrunPolicy
from evcharge.stations.rules.codes import evse_code
from make import HOUR, MINUTE, NOON, a_slot

SECOND = timedelta(seconds=1)
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def clock(monkeypatch) -> Clock:
    return stop_clocks(monkeypatch)


@pytest.fixture
def mine(desk, driver) -> Desk:
    return replace(desk, user_id=driver.user_id)


def asked(box: Box, driver, *, now: datetime = NOON) -> ChargingSession:
    return box.ask(driver.user_id, now=now)


def charging(box: Box, driver, *, meter: int = 1000) -> tuple[ChargingSession, int]:
    charge = asked(box, driver)
    answer = box.start(charge.tag, meter=meter)
    assert answer.session_id == charge.id
    return charge, answer.number


def ended_charge(box: Box, driver, at: datetime) -> UUID:
    charge = asked(box, driver, now=at)
    number = box.start(charge.tag, at=at).number
    box.stop(number, at=at, meter=2_000)
    return charge.id


def answered(database, kind: CommandKind, state: CommandState) -> None:
    with database.transaction() as session:
        command = session.query(ChargerCommand).filter_by(kind=kind).one()
        command.state = state


def path(charge: ChargingSession, rest: str = "") -> str:
    return f"/sessions/{charge.id}{rest}"


# ── before it begins ─────────────────────────────────────────────────────────────


def test_while_the_charger_is_asked_the_page_says_to_plug_in(driver, box):
    charge = asked(box, driver)

    page = driver.get(path(charge))

    assert "Asking the charger" in words(page)
    assert "Plug in now." in words(page)
    assert "1:00 for the charger to start" in words(page)
    assert 'data-countdown-to="2026-01-15T12:01:00Z"' in page.text


def test_after_a_minute_it_no_longer_counts(driver, box, clock):
    charge = asked(box, driver)
    clock.now = NOON + 61 * SECOND

    page = driver.get(path(charge))

    assert "No answer from the charger yet." in words(page)
    assert "data-countdown-to" not in page.text


def test_a_start_can_be_called_off(driver, box):
    charge = asked(box, driver)

    answer = driver.post(path(charge, "/stop"))
    page = driver.get(answer.location)

    assert (answer.status_code, answer.location) == (303, path(charge))
    assert "Charging did not start." in words(page)
    assert "You called it off." in words(page)


def test_a_start_that_failed_says_why_and_leads_on(driver, box, database, clock):
    with database.transaction() as session:
        location = session.get_one(Charger, box.charger_id).location
        other = make.an_evse(session, location=location).id
    charge = asked(box, driver)
    with database.transaction() as session:
        fail_start(
            session,
            session.get_one(ChargingSession, charge.id),
            why="The charger said no.",
            is_chargers_fault=True,
            now=NOON,
        )

    page = driver.get(path(charge))

    assert "The charger said no." in words(page)
    assert "You pay nothing for it." in words(page)
    assert "Free here now" in words(page)
    assert f'href="/c/{evse_code(other)}"' in page.text


def test_a_booking_whose_start_failed_is_paid_back_and_says_so(
    driver, box, mine, database
):
    booking = mine.book(a_slot(after_hours=0))
    mine.pay(booking)
    charge = box.ask(driver.user_id, booking_id=booking.id)
    with database.transaction() as session:
        fail_start(
            session,
            session.get_one(ChargingSession, charge.id),
            why="The charger said no.",
            is_chargers_fault=True,
            now=NOON,
        )

    page = driver.get(path(charge))

    assert "Your money comes back. ₹120.00 goes back the way you paid" in words(page)
    assert "You pay nothing" not in words(page)


def test_where_the_plug_was_quicker_the_page_leads_to_the_charge(driver, box):
    charge = asked(box, driver)
    box.event(EventType.STARTED, meter=1_000)
    box.event(EventType.UPDATED, tag=charge.tag, meter=1_000)
    [other] = [each for each in box.sessions() if each.id != charge.id]

    page = driver.get(path(charge))
    part = driver.get(path(charge, "?fragment=1"))

    assert (page.status_code, page.location) == (303, path(other))
    assert "Your vehicle was plugged in already." in words(part)
    assert "did not start" not in words(part)
    assert path(other) in part.text


# ── while it goes on ─────────────────────────────────────────────────────────────


def test_a_charge_shows_its_energy_power_battery_time_and_cost(
    driver, box, clock, database
):
    charge, number = charging(box, driver)
    box.meter(number, 13_440, at=NOON + 30 * MINUTE, power_w=41_500, soc_percent=68)
    clock.now = NOON + 31 * MINUTE

    page = driver.get(path(charge))

    assert "Charging" in words(page)
    assert "12.4 kWh" in words(page)
    assert "Power 41.5 kW Battery 68 % Time 31 min Cost so far ₹120.00" in words(page)
    assert "Last news 1 min ago" in words(page)
    assert "You pay when you have finished" in words(page)


def test_a_second_hour_that_has_begun_costs_as_much_again(driver, box, clock):
    charge, _ = charging(box, driver)
    clock.now = NOON + 61 * MINUTE

    assert "Cost so far ₹240.00" in words(driver.get(path(charge)))


def test_a_charge_on_a_booking_is_paid_with_it(driver, box, mine):
    booking = mine.book(a_slot(after_hours=0))
    mine.pay(booking)
    charge = box.ask(driver.user_id, booking_id=booking.id)
    box.start(charge.tag)

    page = driver.get(path(charge))

    assert f"Paid with booking {booking.reference}" in words(page)
    # The bill and its papers are the booking's: the page is told of them too.
    topics = f"session:{charge.id} evse:{charge.evse_id} booking:{booking.id}"
    assert f'data-live-topic="{topics}"' in page.text
    assert "Cost so far" not in words(page)
    assert "You pay when you have finished" not in words(page)


def test_power_over_time_is_drawn_without_a_script(driver, box):
    charge, number = charging(box, driver)
    for minute, power_w in enumerate((20_000, 58_000, 30_000)):
        box.meter(number, 2000, at=NOON + minute * MINUTE, power_w=power_w)

    page = driver.get(path(charge))

    assert 'aria-label="Power from 17:30 to 17:32, 58 kW at most"' in page.text
    assert 'points="0,80.0 300,4.0 600,60.0"' in page.text
    assert "style=" not in page.text


def test_a_vehicle_that_takes_no_power_is_told_apart(driver, box, database):
    charge, _ = charging(box, driver)
    with database.transaction() as session:
        session.get_one(ChargingSession, charge.id).charging_state = "SuspendedEV"

    page = driver.get(path(charge))

    assert "Plugged in, no power" in words(page)
    assert "Your vehicle takes no power just now." in words(page)


def test_a_silent_charger_is_said_to_be_silent(driver, box, clock):
    charge, _ = charging(box, driver)
    clock.now = NOON + 2 * HOUR

    page = driver.get(path(charge))

    assert "No news from the charger since" in words(page)
    assert "The charging may well go on." in words(page)


def test_a_driver_is_told_of_the_next_booking_before_it_begins(
    driver, box, desk, clock
):
    desk.pay(desk.book(a_slot(after_hours=1)))
    charge, _ = charging(box, driver)

    early = words(driver.get(path(charge)))
    clock.now = NOON + 40 * MINUTE
    late = words(driver.get(path(charge)))

    assert "Next booking today 18:30" in early
    assert "Someone has booked this point" not in early
    assert "Someone has booked this point from 18:30. Unplug by then" in late


def test_where_the_operator_stops_at_the_next_booking_that_is_said(
    driver, box, desk, clock, database
):
    desk.pay(desk.book(a_slot(after_hours=1)))
    charge, _ = charging(box, driver)
    with database.transaction() as session:
        location = session.query(Location).one()
        location.overrun = OverrunPolicy.STOP
    clock.now = NOON + 40 * MINUTE

    assert "Charging stops by itself then." in words(driver.get(path(charge)))


def test_whoever_stays_longer_than_booked_is_told(driver, box, mine, clock):
    booking = mine.book(a_slot(after_hours=0, hours=0.25))
    mine.pay(booking)
    charge = box.ask(driver.user_id, booking_id=booking.id)
    box.start(charge.tag)
    clock.now = NOON + 16 * MINUTE

    page = words(driver.get(path(charge)))

    assert "Your slot ended at 17:45. Nobody has booked the time after you yet." in page


def test_the_part_that_changes_comes_alone(driver, box):
    charge, _ = charging(box, driver)

    page = driver.get(path(charge, "?fragment=1"))

    assert "<html" not in page.text
    assert "Stop charging" in words(page)


def test_whoever_stays_into_the_time_of_others_reads_it_in_the_history(
    driver, box, desk, clock
):
    desk.pay(desk.book(a_slot(after_hours=1)))
    charge, _ = charging(box, driver)
    clock.now = NOON + HOUR
    with box.database.reading() as session:
        found = overruns(session, now=clock.now)
    box.database.perform(lambda session: settle(session, found[0], now=clock.now))

    page = words(driver.get(path(charge)))

    assert "Someone has booked this time." in page
    assert "Somebody else's time began here It was booked from today 18:30" in page


# ── stopping and unlocking ───────────────────────────────────────────────────────


def test_stopping_is_confirmed_first(driver, box):
    charge, number = charging(box, driver)
    box.meter(number, 9_000, at=NOON)

    page = driver.get(path(charge, "/stop"))

    assert "Stop charging? 8.0 kWh in 0 min so far." in words(page)
    assert len(forms(page, path(charge, "/stop"))) == 1
    assert [each.kind for each in box.commands()] == [CommandKind.START]


def test_a_stop_goes_to_the_charger_and_the_page_says_so(driver, box):
    charge, _ = charging(box, driver)

    answer = driver.post(path(charge, "/stop"))
    page = driver.get(answer.location)

    assert answer.location == path(charge)
    assert "Stopping" in words(page)
    assert "The charger was asked to stop." in words(page)
    assert path(charge, "/stop") not in page.text
    assert [each.kind for each in box.commands()][1:] == [CommandKind.STOP]


def test_a_charger_that_does_not_stop_is_not_said_to(driver, box, database):
    charge, _ = charging(box, driver)
    driver.post(path(charge, "/stop"))
    answered(database, CommandKind.STOP, CommandState.REJECTED)

    page = driver.get(path(charge))

    assert "The charger did not stop." in words(page)
    assert path(charge, "/stop") in page.text


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (CommandState.SENT, "Asking the charger to let go of the plug…"),
        (CommandState.ACCEPTED, "The charger has let go of the plug."),
        (CommandState.REJECTED, "The charger could not let go of the plug."),
        (CommandState.TIMED_OUT, "The charger could not let go of the plug."),
    ],
)
def test_what_becomes_of_unlocking_is_told(driver, box, database, state, told):
    charge, _ = charging(box, driver)

    driver.post(path(charge, "/unlock"))
    answered(database, CommandKind.UNLOCK, state)

    assert told in words(driver.get(path(charge)))


def test_stopping_what_has_ended_says_that_it_has(driver, box, clock):
    charge, number = charging(box, driver)
    box.stop(number, at=NOON + MINUTE, meter=2000)

    answer = driver.post(path(charge, "/stop"), follow_redirects=True)

    assert answer.status_code == 200
    assert "This charging session has ended." in words(answer)


# ── afterwards ───────────────────────────────────────────────────────────────────


def test_what_was_charged_is_on_the_receipt(driver, box, clock):
    charge, number = charging(box, driver)
    ended_at = NOON + 30 * MINUTE
    box.stop(number, at=ended_at, meter=21_000, reason="EVDisconnected")
    clock.now = ended_at + MINUTE

    page = words(driver.get(path(charge)))

    assert "Done 20.0 kWh Unplugged." in page
    assert "On average 40 kW Time 30 min Cost ₹120.00" in page
    assert "Charging ended Unplugged" in page
    assert "Began today 17:30 Ended today 18:00" in page


def test_what_was_odd_is_told_in_plain_words(driver, box, database, clock):
    charge, number = charging(box, driver)
    box.stop(number, at=NOON + MINUTE, meter=None)

    page = words(driver.get(path(charge)))

    assert "Some readings of the meter did not come." in page


def test_the_plug_can_be_unlocked_for_half_an_hour_afterwards(driver, box, clock):
    charge, number = charging(box, driver)
    box.stop(number, at=NOON + MINUTE, meter=2000)

    clock.now = NOON + 30 * MINUTE
    soon = driver.get(path(charge))
    clock.now = NOON + 32 * MINUTE
    late = driver.get(path(charge))

    assert "Unlock the plug" in words(soon)
    assert "Unlock the plug" not in words(late)


def test_the_plug_of_whoever_came_next_is_not_offered_to_be_unlocked(driver, box, asha):
    charge, number = charging(box, driver)
    box.stop(number, at=NOON, meter=2000)
    box.start(box.ask(asha).tag)

    assert "Unlock the plug" not in words(driver.get(path(charge)))


# ── whose it is ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rest", ["", "/stop", "?fragment=1"])
def test_nobody_sees_the_charging_of_somebody_else(driver, sign_in, box, rest):
    charge, _ = charging(box, driver)

    assert sign_in("driver").get(path(charge, rest)).status_code == 404


@pytest.mark.parametrize("act", ["/stop", "/unlock"])
def test_nobody_stops_or_unlocks_for_somebody_else(driver, sign_in, box, act):
    charge, _ = charging(box, driver)

    assert sign_in("driver").post(path(charge, act)).status_code == 404
    assert sign_in("admin").post(path(charge, act)).status_code == 404
    assert [each.kind for each in box.commands()] == [CommandKind.START]


def test_what_is_no_session_is_not_found(driver):
    assert driver.get(f"/sessions/{uuid4()}").status_code == 404


# ── the list, the banner, the booking ────────────────────────────────────────────


def test_nothing_charged_yet_says_what_to_do(driver):
    page = words(driver.get("/sessions"))

    assert "You have not charged yet." in page
    assert "Start at a charger" in page


def test_what_goes_on_comes_before_what_was(driver, box, clock, database):
    before, number = charging(box, driver)
    box.stop(number, at=NOON + 30 * MINUTE, meter=8_000)
    now_on = asked(box, driver, now=NOON + HOUR)
    clock.now = NOON + HOUR

    page = driver.get("/sessions")

    assert "Now" in words(page)
    assert page.text.index(str(now_on.id)) < page.text.index(str(before.id))
    assert "7.0 kWh Done" in words(page)


def test_old_charges_are_on_further_pages(driver, box):
    ended = [ended_charge(box, driver, NOON + each * MINUTE) for each in range(12)]

    first = driver.get("/sessions")
    [older] = re.findall(r'href="(/sessions\?after=[^"]+)"', first.text)
    second = driver.get(older)

    assert [str(each) in first.text for each in ended] == [False] * 2 + [True] * 10
    assert [str(each) in second.text for each in ended] == [True] * 2 + [False] * 10
    assert "after=" not in second.text


def test_what_is_no_place_in_the_list_is_its_beginning(driver, box):
    charge, _ = charging(box, driver)

    page = driver.get("/sessions?after=nonsense")

    assert page.status_code == 200
    assert str(charge.id) in page.text


def test_other_pages_say_in_a_line_that_one_charges(driver, box, client):
    charge, number = charging(box, driver)
    box.meter(number, 13_440, at=NOON)

    assert "Charging at MG Road 12.4 kWh" in words(driver.get("/bookings"))
    assert path(charge) in driver.get("/").text
    assert "Charging at MG Road" not in words(client.get("/"))


def test_a_booking_can_be_started_a_quarter_of_an_hour_before(driver, mine, box, clock):
    booking = mine.book()
    mine.pay(booking)

    clock.now = NOON + 44 * MINUTE
    early = driver.get(f"/bookings/{booking.id}")
    clock.now = NOON + 45 * MINUTE
    in_time = driver.get(f"/bookings/{booking.id}")

    assert "You can start charging from here at today 18:15." in words(early)
    assert forms(early, f"/bookings/{booking.id}/start") == []
    assert len(forms(in_time, f"/bookings/{booking.id}/start")) == 1


def test_what_is_not_paid_is_not_offered_to_start(driver, mine, clock):
    booking = mine.book(a_slot(after_hours=0))

    page = driver.get(f"/bookings/{booking.id}")

    assert forms(page, f"/bookings/{booking.id}/start") == []


def test_a_booking_leads_to_its_charge_and_then_to_what_was_charged(
    driver, mine, box, clock
):
    booking = mine.book(a_slot(after_hours=0))
    mine.pay(booking)

    answer = driver.post(f"/bookings/{booking.id}/start")
    charge = box.of_booking(booking.id)
    number = box.start(booking.reference).number
    during = driver.get(f"/bookings/{booking.id}")
    box.stop(number, at=NOON + MINUTE, meter=3_000)
    after = driver.get(f"/bookings/{booking.id}")

    assert (answer.status_code, answer.location) == (303, path(charge))
    assert "Your vehicle is charging on this booking. See how it goes" in words(during)
    assert path(charge) in during.text
    assert "Cancel booking" not in words(during)
    assert "What you charged" in words(after)
    assert path(charge) in after.text


def test_starting_too_early_is_refused_at_the_charging_point(driver, mine, box):
    booking = mine.book(a_slot(after_hours=2))
    mine.pay(booking)

    answer = driver.post(f"/bookings/{booking.id}/start")

    assert answer.status_code == 409
    assert "Your slot has not begun yet." in words(answer)
    assert box.commands() == []


def test_nobody_starts_the_booking_of_somebody_else(sign_in, mine, box):
    booking = mine.book(a_slot(after_hours=0))
    mine.pay(booking)

    answer = sign_in("driver").post(f"/bookings/{booking.id}/start")

    assert answer.status_code == 404
    assert box.commands() == []
