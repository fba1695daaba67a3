"""Bookings over REST. The clock stands at NOON, as on the pages."""

import threading

import pytest

import make
from api import caller, refusal
from evcharge.bookings.api import operations
from evcharge.bookings.audit import discrepancies
from evcharge.payments.providers import Providers
from evcharge.payments.providers.simulated import Simulated
from make import HOUR, MINUTE, NOON

PRICE = {"amount_paise": make.PRICE_PAISE, "currency": "INR"}
NOTHING = {"amount_paise": 0, "currency": "INR"}


@pytest.fixture(autouse=True)
def _clock(clock, monkeypatch, app, database):
    """The same time for the gateway at which a booking is paid."""
    monkeypatch.setattr(operations, "utc_now", lambda: clock.now)
    secret = app.extensions["evcharge.settings"].secret_key
    gateway = Simulated(database, secret, clock=lambda: clock.now)
    app.extensions["evcharge.providers"] = Providers(gateway)


@pytest.fixture
def mine(app, database, desk, driver):
    """A program that books for the driver at this desk's EVSE."""
    program = caller(app, database, user_id=driver.user_id)
    program.evse_id = desk.evse_id
    return program


@pytest.fixture
def stranger(app, database):
    return caller(app, database)


def wanted(evse_id, *, after_hours=2.0, hours=1.0):
    slot = make.a_slot(after_hours=after_hours, hours=hours)
    return {
        "evse_id": evse_id,
        "starts_at": slot.starts_at.isoformat(),
        "ends_at": slot.ends_at.isoformat(),
    }


def book(program, *, key=None, **when):
    headers = {"Idempotency-Key": key} if key else {}
    return program.post(
        "/api/v1/bookings", json=wanted(program.evse_id, **when), headers=headers
    )


def paid(program, **when):
    booking = book(program, **when).json
    answer = program.post(
        f"/api/v1/bookings/{booking['id']}/pay", json={"outcome": "succeed"}
    )
    assert answer.json["status"] == "PAID"
    return booking["id"]


# ── booking ──────────────────────────────────────────────────────────────────────


def test_a_slot_is_held_until_it_is_paid(mine):
    answer = book(mine)

    assert answer.status_code == 201
    booking = answer.json
    assert (booking["status"], booking["payment_status"]) == ("ACTIVE", "PENDING")
    assert booking["starts_at"] == "2026-01-15T14:00:00Z"
    assert booking["hold_expires_at"] == "2026-01-15T12:10:00Z"
    assert booking["amount"] == booking["due"] == PRICE
    assert booking["location"]["name"] == "MG Road"
    assert booking["refund"] is None


def test_the_same_key_makes_one_booking(mine):
    first, again = book(mine, key="one"), book(mine, key="one")

    assert again.status_code == 201
    assert again.json == first.json
    assert len(mine.get("/api/v1/bookings").json["items"]) == 1


def test_the_same_key_for_something_else_is_refused(mine):
    book(mine, key="one")

    assert refusal(book(mine, key="one", hours=2)) == (422, "key_reused")


def test_a_key_still_names_its_booking_after_it_was_cancelled(mine):
    first = book(mine, key="one").json
    mine.post(f"/api/v1/bookings/{first['id']}/cancel")

    again = book(mine, key="one").json

    assert (again["id"], again["status"]) == (first["id"], "CANCELLED")


def test_keys_of_two_drivers_have_nothing_to_do_with_each_other(mine, stranger):
    stranger.evse_id = mine.evse_id
    book(mine, key="one")

    answer = book(stranger, key="one", after_hours=5)

    assert answer.status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "naïve"])
def test_a_key_is_a_plain_word(mine, key):
    answer = mine.post(
        "/api/v1/bookings",
        json=wanted(mine.evse_id),
        headers={"Idempotency-Key": key},
    )

    assert refusal(answer) == (400, "invalid_request")


def test_a_slot_that_is_taken_comes_with_others(mine, stranger):
    stranger.evse_id = mine.evse_id
    book(stranger)

    answer = book(mine)

    assert refusal(answer) == (409, "slot_taken")
    offers = answer.json["alternatives"]
    assert [each["starts_at"] for each in offers] == [
        "2026-01-15T15:00:00Z",
        "2026-01-15T13:00:00Z",
        "2026-01-15T15:15:00Z",
    ]
    assert offers[0]["evse_id"] == mine.evse_id
    assert offers[0]["amount"] == PRICE
    taking = {name: offers[0][name] for name in ("evse_id", "starts_at", "ends_at")}
    assert mine.post("/api/v1/bookings", json=taking).status_code == 201


@pytest.mark.parametrize(
    ("when", "code"),
    [
        ({"after_hours": -1}, "slot_not_bookable"),
        ({"after_hours": 24 * 15}, "slot_not_bookable"),
        ({"after_hours": 1.1}, "slot_not_bookable"),
        ({"hours": 9}, "slot_not_bookable"),
        ({"hours": 0}, "slot_not_bookable"),
        ({"hours": -1}, "slot_not_bookable"),
    ],
)
def test_what_the_rules_forbid_is_understood_and_refused(mine, when, code):
    assert refusal(book(mine, **when)) == (422, code)
    assert mine.get("/api/v1/bookings").json["items"] == []


@pytest.mark.parametrize(
    "at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
def test_the_ends_of_the_calendar_are_no_slots(mine, at):
    for name in ("starts_at", "ends_at"):
        body = wanted(mine.evse_id) | {name: at}

        answer = mine.post("/api/v1/bookings", json=body)

        assert refusal(answer) == (422, "slot_not_bookable")


def test_an_evse_that_is_not_there_is_not_found(mine):
    mine.evse_id = 2**31 - 1

    assert refusal(book(mine)) == (404, "evse_not_found")


def test_there_is_an_end_to_holds(mine):
    for hours in (1, 2):
        book(mine, after_hours=hours)

    assert refusal(book(mine, after_hours=3)) == (409, "too_many_holds")


def test_of_eight_at_once_one_gets_the_slot(app, database, desk):
    programs = [caller(app, database) for _ in range(8)]
    answers = []

    def go(program):
        program.evse_id = desk.evse_id
        answers.append(book(program).status_code)

    threads = [threading.Thread(target=go, args=[each]) for each in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [201] + [409] * 7
    with database.reading() as session:
        assert discrepancies(session) == []


# ── looking ──────────────────────────────────────────────────────────────────────


def test_the_list_goes_on_by_cursors_and_shows_each_booking_once(mine, clock):
    ids = [paid(mine, after_hours=hours) for hours in (1, 2, 3, 4, 5)]

    seen, cursor = [], None
    while True:
        query = f"?limit=2&cursor={cursor}" if cursor else "?limit=2"
        page = mine.get(f"/api/v1/bookings{query}").json
        seen += [each["id"] for each in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break

    assert seen == ids[::-1]


def test_a_booking_made_meanwhile_does_not_shift_the_next_page(mine):
    for hours in (1, 2, 3):
        paid(mine, after_hours=hours)
    first = mine.get("/api/v1/bookings?limit=2").json
    paid(mine, after_hours=9)

    rest = mine.get(f"/api/v1/bookings?limit=2&cursor={first['next_cursor']}").json

    assert [each["starts_at"] for each in rest["items"]] == ["2026-01-15T13:00:00Z"]


def test_a_hold_whose_time_is_up_is_expired_before_anybody_closes_it(mine, clock):
    booking = book(mine).json
    clock.now = NOON + 11 * MINUTE

    for status, found in (("EXPIRED", [booking["id"]]), ("ACTIVE", [])):
        page = mine.get(f"/api/v1/bookings?status={status}").json
        assert [each["id"] for each in page["items"]] == found
    shown = mine.get(f"/api/v1/bookings/{booking['id']}").json
    assert (shown["status"], shown["due"]) == ("EXPIRED", NOTHING)
    assert shown["refund_if_cancelled"] is None


def test_every_status_is_a_filter(mine):
    kept, gone = paid(mine), book(mine, after_hours=4).json["id"]
    mine.post(f"/api/v1/bookings/{gone}/cancel")

    def listed(query):
        return {
            each["id"] for each in mine.get(f"/api/v1/bookings?{query}").json["items"]
        }

    assert listed("status=ACTIVE") == {kept}
    assert listed("status=CANCELLED") == {gone}
    assert listed("status=ACTIVE&status=CANCELLED") == {kept, gone}
    assert listed("status=NO_SHOW&status=EXPIRED&status=COMPLETED") == set()


def test_a_booking_moved_and_not_paid_in_full_is_still_active(mine):
    booking_id = paid(mine)
    body = wanted(mine.evse_id, hours=2)
    body["accept_amount_paise"] = 2 * make.PRICE_PAISE
    mine.post(f"/api/v1/bookings/{booking_id}/move", json=body)

    [listed] = mine.get("/api/v1/bookings?status=ACTIVE").json["items"]

    assert listed["payment_status"] == "PENDING"
    assert listed["due"] == PRICE


# ── paying ───────────────────────────────────────────────────────────────────────


def test_paying_leads_to_where_a_browser_pays(mine):
    booking = book(mine).json

    answer = mine.post(f"/api/v1/bookings/{booking['id']}/pay")

    assert answer.status_code == 201
    assert answer.json["status"] == "PENDING"
    assert answer.json["amount"] == PRICE
    assert answer.json["checkout_url"].startswith("http://localhost/")
    again = mine.post(f"/api/v1/bookings/{booking['id']}/pay").json
    assert again["payment_id"] == answer.json["payment_id"]


def test_a_simulated_payment_can_be_told_its_outcome(mine):
    booking = book(mine).json
    address = f"/api/v1/bookings/{booking['id']}/pay"

    failed = mine.post(address, json={"outcome": "fail"})
    succeeded = mine.post(address, json={"outcome": "succeed"})

    assert failed.json["status"] == "FAILED"
    assert succeeded.json["status"] == "PAID"
    assert (
        mine.get(f"/api/v1/bookings/{booking['id']}").json["payment_status"] == "PAID"
    )
    assert refusal(mine.post(address)) == (409, "nothing_to_pay")


def test_what_has_expired_is_not_paid_for(mine, clock):
    booking = book(mine).json
    clock.now = NOON + 11 * MINUTE

    answer = mine.post(f"/api/v1/bookings/{booking['id']}/pay")

    assert refusal(answer) == (409, "booking_not_active")


# ── cancelling ───────────────────────────────────────────────────────────────────


def test_cancelling_early_returns_all(mine):
    booking_id = paid(mine, after_hours=3)
    assert (
        mine.get(f"/api/v1/bookings/{booking_id}").json["refund_if_cancelled"] == PRICE
    )

    answer = mine.post(f"/api/v1/bookings/{booking_id}/cancel")

    assert answer.status_code == 200
    assert answer.json["status"] == "CANCELLED"
    assert answer.json["refund"] == PRICE | {"status": "CREATED"}
    assert answer.json["paid"] == answer.json["due"] == NOTHING


def test_cancelling_twice_refunds_once(mine):
    booking_id = paid(mine, after_hours=3)

    first = mine.post(f"/api/v1/bookings/{booking_id}/cancel")
    again = mine.post(f"/api/v1/bookings/{booking_id}/cancel")

    assert again.status_code == 200
    assert again.json == first.json


def test_whoever_expects_more_back_is_asked_again(mine, clock):
    booking_id = paid(mine, after_hours=3)
    clock.now = NOON + 2.5 * HOUR
    expecting = {"expect_refund_paise": make.PRICE_PAISE}

    answer = mine.post(f"/api/v1/bookings/{booking_id}/cancel", json=expecting)

    assert refusal(answer) == (409, "refund_shrunk")
    assert answer.json["refund"]["amount_paise"] == make.PRICE_PAISE // 2
    assert mine.get(f"/api/v1/bookings/{booking_id}").json["status"] == "ACTIVE"


# ── moving ───────────────────────────────────────────────────────────────────────


def test_a_booking_moves_to_another_time(mine):
    booking_id = paid(mine)

    answer = mine.post(
        f"/api/v1/bookings/{booking_id}/move",
        json=wanted(mine.evse_id, after_hours=5),
    )

    assert answer.status_code == 200
    assert answer.json["starts_at"] == "2026-01-15T17:00:00Z"
    assert answer.json["payment_status"] == "PAID"


def test_another_price_has_to_be_accepted(mine):
    booking_id = paid(mine)
    address, body = f"/api/v1/bookings/{booking_id}/move", wanted(mine.evse_id, hours=2)

    asked = mine.post(address, json=body)
    wrong = mine.post(address, json=body | {"accept_amount_paise": 1})
    moved = mine.post(
        address,
        json=body | {"accept_amount_paise": asked.json["amount"]["amount_paise"]},
    )

    assert refusal(asked) == refusal(wrong) == (409, "price_changed")
    assert asked.json["amount"]["amount_paise"] == 2 * make.PRICE_PAISE
    assert moved.json["due"] == PRICE


def test_a_move_onto_somebody_else_keeps_the_slot(mine, stranger):
    stranger.evse_id = mine.evse_id
    book(stranger, after_hours=5)
    booking_id = paid(mine)

    answer = mine.post(
        f"/api/v1/bookings/{booking_id}/move",
        json=wanted(mine.evse_id, after_hours=5),
    )

    assert refusal(answer) == (409, "slot_taken")
    assert len(answer.json["alternatives"]) == 3
    kept = mine.get(f"/api/v1/bookings/{booking_id}").json
    assert kept["starts_at"] == "2026-01-15T14:00:00Z"


# ── others ───────────────────────────────────────────────────────────────────────


def test_nobody_finds_what_is_not_theirs(mine, stranger, database, app):
    booking_id = paid(mine)
    move = wanted(mine.evse_id, after_hours=5)

    for other in (stranger, caller(app, database, "admin")):
        for answer in (
            other.get(f"/api/v1/bookings/{booking_id}"),
            other.post(f"/api/v1/bookings/{booking_id}/cancel"),
            other.post(f"/api/v1/bookings/{booking_id}/pay"),
            other.post(f"/api/v1/bookings/{booking_id}/move", json=move),
        ):
            assert refusal(answer) == (404, "booking_not_found")

    assert mine.get(f"/api/v1/bookings/{booking_id}").json["status"] == "ACTIVE"


def test_looking_at_the_list_takes_few_statements(mine, statements):
    for hours in (1, 2, 3, 4, 5):
        paid(mine, after_hours=hours)
    statements.clear()

    mine.get("/api/v1/bookings")

    assert len(statements) <= 3  # Who asks, the bookings, their refunds.
