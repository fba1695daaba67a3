"""Operators look through bookings and end them by programs: /api/v1/admin/bookings."""

from base64 import urlsafe_b64encode
from datetime import timedelta
from urllib.parse import urlencode

import pytest

import make
from api import caller, refusal
from console import a_world, in_hours, this_hour
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.kernel.clock import utc_now
from evcharge.stations.models import Charger

BOOKINGS = "/api/v1/admin/bookings"
UNKNOWN = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def own(app, database, world):
    return caller(app, database, "operator", operator="Test Power")


@pytest.fixture
def stranger(app, database):
    return caller(app, database, "operator", operator="Other Power")


def read(client, path=""):
    answer = client.get(f"{BOOKINGS}{path}")
    assert answer.status_code == 200, answer.text
    return answer.json


def listed(client, **query):
    return [each["id"] for each in read(client, f"?{urlencode(query)}")["items"]]


def change(database, booking_id, **columns):
    with database.transaction() as session:
        stored = session.get_one(Booking, booking_id)
        for name, value in columns.items():
            setattr(stored, name, value)


def operations(world):
    one = f"{BOOKINGS}/{world.booking_id}"
    return [
        ("GET", BOOKINGS, None),
        ("GET", one, None),
        ("POST", f"{one}/cancel", {"reason": "Flooded"}),
        ("POST", f"{one}/no-show", None),
    ]


# ── who may ──────────────────────────────────────────────────────────────────────


def test_without_a_token_nobody_gets_in(client, world):
    for method, path, body in operations(world):
        answer = client.open(path, method=method, json=body)

        assert refusal(answer) == (401, "sign_in_required"), path


def test_drivers_are_turned_away_even_from_their_own(app, database, world):
    driver = caller(app, database, user_id=world.driver_id)

    for method, path, body in operations(world):
        answer = driver.open(path, method=method, json=body)
        assert refusal(answer) == (403, "not_your_role"), path


def test_bookings_on_other_networks_are_not_found(stranger, world):
    assert read(stranger) == {"items": [], "next_cursor": None}
    for method, path, body in operations(world)[1:]:
        answer = stranger.open(path, method=method, json=body)
        assert refusal(answer) == (404, "booking_not_found"), path
    assert world.desk.read(world.booking_id).status == BookingStatus.ACTIVE


def test_an_admin_sees_every_network(app, database, world):
    other = a_world(database, name="Other Power")
    admin = caller(app, database, "admin")

    found = listed(admin)

    assert {str(world.booking_id), str(other.booking_id)} <= set(found)
    assert read(admin, f"/{other.booking_id}")["id"] == str(other.booking_id)


# ── looking ──────────────────────────────────────────────────────────────────────


def test_the_list_says_who_comes_when_and_what_it_costs(own, world):
    (found,) = (each for each in read(own)["items"] if each["status"] == "ACTIVE")
    booking = world.desk.read(world.booking_id)

    assert found["reference"] == booking.reference
    assert found["driver"]["name"] == "Driver of Test Power"
    assert found["location"]["id"] == world.location_id
    assert (found["evse_id"], found["evse_number"]) == (world.evse_id, 1)
    assert found["payment_status"] == "PAID"
    paid = {"amount_paise": make.PRICE_PAISE, "currency": "INR"}
    assert found["amount"] == found["paid"] == paid
    assert found["starts_at"] == f"{booking.starts_at:%Y-%m-%dT%H:%M:%SZ}"


def test_filters_narrow_the_list(own, world, database):
    booking = world.desk.read(world.booking_id)
    lost = (set(listed(own)) - {str(booking.id)}).pop()
    with database.transaction() as session:
        elsewhere = make.a_location(session, operator=make.an_operator(session))
        elsewhere_id = elsewhere.id

    def only(**query):
        return listed(own, **query)

    assert only(status="ACTIVE") == [str(booking.id)]
    assert only(status="CANCELLED") == [lost]
    assert only(payment_status="PENDING") == []
    assert only(q=booking.reference) == [str(booking.id)]
    assert only(q=booking.reference.lower()) == [str(booking.id)]
    assert only(q="nobody@example.com") == []
    assert only(location_id=elsewhere_id) == []
    start = booking.starts_at
    assert only(to=(start + timedelta(minutes=1)).isoformat()) == [str(booking.id)]
    assert only(to=start.isoformat()) == []
    late = {"from": (start + timedelta(minutes=1)).isoformat()}
    assert only(**late) == [lost]
    assert only(**{"from": start.isoformat()}, status="ACTIVE") == [str(booking.id)]


def test_a_hold_that_lapsed_is_over_though_nobody_closed_it(own, world, database):
    now = utc_now()
    held = world.desk.book(in_hours(8), now=now)
    assert str(held.id) in listed(own, status="ACTIVE")

    change(database, held.id, hold_expires_at=now - timedelta(minutes=1))

    assert listed(own, status="EXPIRED") == [str(held.id)]
    assert str(held.id) not in listed(own, status="ACTIVE")
    assert read(own, f"/{held.id}")["status"] == "EXPIRED"


@pytest.mark.parametrize(
    "query",
    [
        "status=active",
        "payment_status=x",
        "from=today",
        "to=2026-01-01T00:00:00",
        "location_id=0",
        "location_id=99999999999",
        "q=%00",
        "limit=101",
        "limit=-1",
        "page=2",
    ],
)
def test_unclear_filters_are_refused(own, query):
    assert refusal(own.get(f"{BOOKINGS}?{query}")) == (400, "invalid_request")


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+05:30", "9999-12-31T23:59:59Z"])
def test_the_ends_of_the_calendar_are_times_like_others(own, world, at):
    assert listed(own, **{"from": at}) in ([], listed(own))
    assert listed(own, to=at) in ([], listed(own))


def test_a_list_read_part_by_part_misses_nothing(own, world):
    now = utc_now()
    (twin,) = world.desk.evses(1)
    for evse_id in (world.evse_id, twin):
        booking = world.desk.book(in_hours(9), evse_id=evse_id, now=now)
        world.desk.pay(booking, now=now)

    whole = read(own)["items"]
    parts, query = [], {"limit": 1}
    while query["limit"]:
        part = read(own, f"?{urlencode(query)}")
        parts += part["items"]
        query = {"limit": 1 if part["next_cursor"] else 0}
        query |= {"cursor": part["next_cursor"]}

    assert parts == whole
    assert len(whole) == 4
    starts = [each["starts_at"] for each in whole]
    assert starts == sorted(starts, reverse=True)


@pytest.mark.parametrize(
    "position",
    [
        "x",
        "null",
        "[]",
        "{}",
        f'{{"starts_at":"2026-01-01T00:00:00","id":"{UNKNOWN}"}}',
        f'{{"starts_at":"0001-01-01T00:00:00+05:30","id":"{UNKNOWN}"}}',
        f'{{"starts_at":1,"id":"{UNKNOWN}"}}',
        '{"starts_at":"2026-01-01T00:00:00Z","id":"1"}',
    ],
)
def test_foreign_cursors_are_refused(own, position):
    cursor = urlsafe_b64encode(position.encode()).decode()

    answer = own.get(f"{BOOKINGS}?cursor={cursor.rstrip('=')}")

    assert refusal(answer) == (422, "bad_cursor")


def test_a_booking_tells_its_history_and_its_money(own, world):
    found = read(own, f"/{world.booking_id}")

    kinds = [each["kind"] for each in found["history"]]
    assert kinds == ["booked", "checkout_opened", "paid"]
    assert found["history"][0]["person"] == "Driver of Test Power"
    (payment,) = found["payments"]
    assert (payment["status"], payment["method"]) == ("PAID", "upi")
    assert payment["amount"]["amount_paise"] == make.PRICE_PAISE
    assert payment["refunds"] == []


def test_no_such_booking_is_not_found(own):
    assert refusal(own.get(f"{BOOKINGS}/{UNKNOWN}")) == (404, "booking_not_found")


# ── ending one ───────────────────────────────────────────────────────────────────


def test_the_operator_s_cancelling_returns_everything(own, world):
    url = f"{BOOKINGS}/{world.booking_id}/cancel"

    first = own.post(url, json={"reason": " Flooded "})

    assert first.status_code == 200
    assert first.json["status"] == "CANCELLED"
    assert first.json["paid"]["amount_paise"] == 0
    (payment,) = first.json["payments"]
    (refund,) = payment["refunds"]
    assert refund["amount"]["amount_paise"] == make.PRICE_PAISE
    assert refund["reason"] == first.json["history"][-1]["reason"] == "Flooded"
    assert first.json == read(own, f"/{world.booking_id}")
    assert own.post(url, json={"reason": "Again"}).json == first.json
    assert world.desk.audit() == []


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        (None, (415, "unsupported_media_type")),
        ({}, (400, "invalid_request")),
        ({"reason": ""}, (400, "invalid_request")),
        ({"reason": "x" * 201}, (400, "invalid_request")),
        ({"reason": "a\0b"}, (400, "invalid_request")),
        ({"reason": 7}, (400, "invalid_request")),
        ({"reason": "Flooded", "refund": 0}, (400, "invalid_request")),
        ({"reason": "  "}, (422, "unclear_reason")),
        ({"reason": "bell\x07"}, (422, "unclear_reason")),
    ],
)
def test_nothing_is_cancelled_without_saying_why(own, world, body, refused):
    answer = own.post(f"{BOOKINGS}/{world.booking_id}/cancel", json=body)

    assert refusal(answer) == refused
    assert world.desk.read(world.booking_id).status == BookingStatus.ACTIVE


def test_what_is_over_is_not_cancelled(own, world, database):
    change(database, world.booking_id, status=BookingStatus.COMPLETED)

    answer = own.post(f"{BOOKINGS}/{world.booking_id}/cancel", json={"reason": "Late"})

    assert refusal(answer) == (409, "booking_not_active")


def test_a_driver_who_did_not_come_is_marked_so(own, world, database):
    started_at = this_hour() - timedelta(hours=1)
    ends_at = started_at + timedelta(hours=2)
    change(database, world.booking_id, starts_at=started_at, ends_at=ends_at)
    url = f"{BOOKINGS}/{world.booking_id}/no-show"

    first = own.post(url)

    assert (first.status_code, first.json["status"]) == (200, "NO_SHOW")
    assert first.json["paid"]["amount_paise"] == make.PRICE_PAISE
    assert own.post(url).json == first.json


def test_nobody_is_missed_before_they_are_late(own, world):
    answer = own.post(f"{BOOKINGS}/{world.booking_id}/no-show")

    assert refusal(answer) == (409, "too_early")
    assert "15 minutes" in answer.json["detail"]


def test_nobody_is_missed_while_the_charger_was_silent(own, world, database):
    started_at = this_hour() - timedelta(hours=1)
    change(database, world.booking_id, starts_at=started_at)
    with database.transaction() as session:
        charger = session.get_one(Charger, world.charger_id)
        charger.last_seen_at = started_at - timedelta(hours=1)

    answer = own.post(f"{BOOKINGS}/{world.booking_id}/no-show")

    assert refusal(answer) == (409, "charger_was_silent")
