"""Charging by programs."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from api import caller, refusal
from charging_clock import Clock, stop_clocks
from desk import Desk
from evcharge.accounts.models import Login
from evcharge.control.models import ChargerConnection
from evcharge.control.rules import CommandKind
from make import HOUR, MINUTE, NOON, a_slot

API = "/api/v1"


@pytest.fixture(autouse=True)
def clock(monkeypatch) -> Clock:
    return stop_clocks(monkeypatch)


@pytest.fixture
def program(app, database) -> FlaskClient:
    return caller(app, database)


@pytest.fixture
def mine(desk, database, program) -> Desk:
    with database.reading() as session:
        login = session.query(Login).order_by(Login.created_at.desc()).first()
        return replace(desk, user_id=login.user_id)


@pytest.fixture
def booking(mine):
    booking = mine.book(a_slot(after_hours=0))
    mine.pay(booking)
    return mine.read(booking.id)


def start(program, box):
    return program.post(f"{API}/sessions", json={"evse_id": box.evse_id})


# ── starting ─────────────────────────────────────────────────────────────────────


def test_a_charge_without_a_booking(program, box):
    answer = start(program, box)

    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{API}/sessions/{answer.json['id']}"
    assert answer.json["status"] == "PENDING"
    assert answer.json["started_by"] == "app"
    assert answer.json["booking_id"] is None
    assert answer.json["evse_id"] == box.evse_id
    assert answer.json["location"]["name"] == "MG Road"
    assert answer.json["price_per_started_hour"]["amount_paise"] == 12_000
    assert answer.json["amount"] == {"amount_paise": 0, "currency": "INR"}
    assert (answer.json["started_at"], answer.json["latest"]) == (None, None)


def test_a_charge_on_a_booking(program, box, booking):
    answer = program.post(f"{API}/bookings/{booking.id}/start")
    [command] = box.commands()

    assert answer.status_code == 201
    assert answer.json["booking_id"] == str(booking.id)
    assert answer.json["price_per_started_hour"]["amount_paise"] == 0
    assert command.arguments["tag"] == booking.reference


def test_asking_again_answers_with_the_same_session(program, box, booking):
    first = program.post(f"{API}/bookings/{booking.id}/start").json
    again = program.post(f"{API}/bookings/{booking.id}/start")

    assert again.status_code == 201
    assert again.json["id"] == first["id"]
    assert len(box.commands()) == 1


def test_a_walk_in_uses_ones_own_booking(program, box, booking):
    assert start(program, box).json["booking_id"] == str(booking.id)


def test_a_booking_that_begins_later_is_not_started(program, mine, box):
    booking = mine.book(a_slot(after_hours=2))
    mine.pay(booking)

    answer = program.post(f"{API}/bookings/{booking.id}/start")

    assert refusal(answer) == (409, "too_early_to_start")


def test_a_hold_is_not_started(program, mine, box):
    booking = mine.book(a_slot(after_hours=0))

    answer = program.post(f"{API}/bookings/{booking.id}/start")

    assert refusal(answer) == (409, "booking_not_active")
    assert box.commands() == []


def test_the_time_of_somebody_else_is_not_started(program, box, desk):
    desk.pay(desk.book(a_slot(after_hours=0)))

    assert refusal(start(program, box)) == (409, "not_your_time")


def test_where_somebody_charges_nobody_else_starts(program, box, asha):
    box.start(box.ask(asha).tag)

    assert refusal(start(program, box)) == (409, "session_under_way")


def test_a_charger_without_a_connection_starts_nothing(program, database, box):
    with database.transaction() as session:
        session.query(ChargerConnection).delete()

    assert refusal(start(program, box)) == (409, "charger_not_connected")


@pytest.mark.parametrize("body", [{}, {"evse_id": "1"}, {"evse_id": 0}, {"evse": 1}])
def test_what_names_no_charging_point_is_malformed(program, body):
    answer = program.post(f"{API}/sessions", json=body)

    assert refusal(answer) == (400, "invalid_request")


def test_a_charging_point_that_is_not_there(program):
    answer = program.post(f"{API}/sessions", json={"evse_id": 4_711})

    assert refusal(answer) == (404, "evse_not_found")


# ── looking ──────────────────────────────────────────────────────────────────────


def test_how_it_goes(program, box, clock):
    asked = start(program, box).json
    charge = box.sessions()[0]
    number = box.start(charge.tag).number
    box.meter(number, 13_440, at=NOON + 30 * MINUTE, power_w=41_500, soc_percent=68)
    clock.now = NOON + 90 * MINUTE

    seen = program.get(f"{API}/sessions/{asked['id']}").json

    assert seen["status"] == "ACTIVE"
    assert seen["energy_wh"] == 12_440
    assert seen["duration_seconds"] == 5_400
    assert seen["latest"] == {
        "at": "2026-01-15T12:30:00Z",
        "power_w": 41_500,
        "soc_percent": 68,
    }
    assert seen["amount"]["amount_paise"] == 24_000
    assert seen["flags"] == []


def test_how_it_ended(program, box, clock):
    asked = start(program, box).json
    number = box.start(box.sessions()[0].tag).number
    box.stop(number, at=NOON + HOUR, meter=None, reason="Local")

    seen = program.get(f"{API}/sessions/{asked['id']}").json

    assert (seen["status"], seen["stop_reason"]) == ("COMPLETED", "Local")
    assert seen["ended_at"] == "2026-01-15T13:00:00Z"
    assert seen["amount"]["amount_paise"] == 12_000
    assert seen["flags"] == ["meter_missing"]


def test_the_list_goes_on_where_it_ended(program, box):
    ids = []
    for minute in range(3):
        at = NOON + minute * MINUTE
        ids.append(_ended(program, box, at))

    first = program.get(f"{API}/sessions?limit=2").json
    rest = program.get(f"{API}/sessions?limit=2&cursor={first['next_cursor']}").json

    assert [each["id"] for each in first["items"]] == [ids[2], ids[1]]
    assert [each["id"] for each in rest["items"]] == [ids[0]]
    assert rest["next_cursor"] is None


def _ended(program, box, at) -> str:
    charge = start(program, box).json
    tag = next(each.tag for each in box.sessions() if str(each.id) == charge["id"])
    box.stop(box.start(tag, at=at).number, at=at, meter=2_000)
    return charge["id"]


def test_the_list_by_status(program, box):
    ended = _ended(program, box, NOON)
    asked = start(program, box).json["id"]

    def listed(query: str) -> list[str]:
        found = program.get(f"{API}/sessions?{query}").json["items"]
        return [each["id"] for each in found]

    assert listed("status=PENDING") == [asked]
    assert listed("status=COMPLETED") == [ended]
    assert set(listed("status=COMPLETED&status=PENDING")) == {asked, ended}


# Like one of ours, but for an instant that does not say where.
NO_ZONE = f'{{"created_at": "2026-01-15T12:00:00", "id": "{UUID(int=1)}"}}'


@pytest.mark.parametrize("position", ["[]", NO_ZONE])
def test_a_cursor_that_nobody_gave(program, position):
    cursor = urlsafe_b64encode(position.encode()).decode().rstrip("=")

    answer = program.get(f"{API}/sessions?cursor={cursor}")

    assert refusal(answer) == (422, "bad_cursor")


# ── stopping ─────────────────────────────────────────────────────────────────────


def test_a_stop_is_asked_of_the_charger_once(program, box):
    charge = start(program, box).json
    box.start(box.sessions()[0].tag)

    answers = [program.post(f"{API}/sessions/{charge['id']}/stop") for _ in range(2)]

    assert [each.status_code for each in answers] == [202, 202]
    assert answers[0].json["status"] == "ACTIVE"
    assert [each.kind for each in box.commands()][1:] == [CommandKind.STOP]


def test_a_start_is_called_off_at_once(program, box):
    charge = start(program, box).json

    answer = program.post(f"{API}/sessions/{charge['id']}/stop")

    assert answer.status_code == 202
    assert answer.json["status"] == "INVALID"
    assert answer.json["failure"] == "You called it off."


def test_what_has_ended_is_not_stopped(program, box):
    ended = _ended(program, box, NOON)

    answer = program.post(f"{API}/sessions/{ended}/stop")

    assert refusal(answer) == (409, "session_not_active")


def test_the_plug_is_unlocked(program, box):
    charge = start(program, box).json
    box.start(box.sessions()[0].tag)

    answer = program.post(f"{API}/sessions/{charge['id']}/unlock")

    assert answer.status_code == 202
    assert [each.kind for each in box.commands()][1:] == [CommandKind.UNLOCK]


def test_a_plug_is_not_unlocked_long_afterwards(program, box, clock):
    ended = _ended(program, box, NOON)
    clock.now = NOON + HOUR

    answer = program.post(f"{API}/sessions/{ended}/unlock")

    assert refusal(answer) == (409, "session_not_active")


def test_nobody_unlocks_the_plug_of_whoever_came_next(program, box, asha):
    ended = _ended(program, box, NOON)
    box.start(box.ask(asha).tag)
    before = len(box.commands())

    answer = program.post(f"{API}/sessions/{ended}/unlock")

    assert refusal(answer) == (409, "session_not_active")
    assert len(box.commands()) == before


# ── whose it is ──────────────────────────────────────────────────────────────────


def test_the_sessions_of_others_are_not_found(program, box, app, database):
    charge = start(program, box).json
    stranger = caller(app, database)
    own = f"{API}/sessions/{charge['id']}"

    assert refusal(stranger.get(own)) == (404, "session_not_found")
    assert refusal(stranger.post(f"{own}/stop")) == (404, "session_not_found")
    assert refusal(stranger.post(f"{own}/unlock")) == (404, "session_not_found")
    assert stranger.get(f"{API}/sessions").json["items"] == []


def test_the_booking_of_somebody_else_is_not_started(app, database, booking):
    answer = caller(app, database).post(f"{API}/bookings/{booking.id}/start")

    assert refusal(answer) == (404, "booking_not_found")


def test_what_is_no_session(program):
    answer = program.get(f"{API}/sessions/{uuid4()}")

    assert refusal(answer) == (404, "session_not_found")
