import pytest

import make
from booking_pages import chosen, fields, forms, not_offered, offered, words, written
from evcharge.stations.models import Evse, Location
from evcharge.stations.rules import Lifecycle
from make import HOUR, MINUTE, NOON, a_slot

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def booking(mine):
    """Today 18:30–19:30, paid."""
    booking = mine.book()
    mine.pay(booking)
    return booking


@pytest.fixture
def at(booking):
    return f"/bookings/{booking.id}/move"


def test_its_own_time_is_not_in_the_way_of_a_move(driver, booking, at):
    page = driver.get(at)

    assert written(NOON + 90 * MINUTE) in offered(page)
    assert "Now today 18:30–19:30 at MG Road." in words(page)


def test_the_page_opens_on_the_day_of_the_booking(driver, mine):
    booking = mine.book(a_slot(after_hours=50))

    page = driver.get(f"/bookings/{booking.id}/move")

    assert written(NOON + 49 * HOUR) in offered(page)


def test_a_move_at_the_same_price_is_one_step(driver, mine, booking, at):
    answer = driver.post(at, data=fields(a_slot(after_hours=5)), follow_redirects=True)

    assert "Moved to today 22:30–23:30." in words(answer)
    assert mine.read(booking.id).slot == a_slot(after_hours=5)
    assert mine.audit() == []


def test_the_difference_is_shown_before_it_is_accepted(driver, mine, booking, at):
    page = driver.get(f"{at}?minutes=120&starts_at={written(NOON + 3 * HOUR)}")
    (form,) = forms(page, at)
    answer = driver.post(at, data=form)

    assert "₹120.00 more than now, to be paid after the move." in words(page)
    assert "Move to 20:30–22:30" in words(page)
    assert answer.status_code == 303
    assert mine.read(booking.id).due_paise == 12_000


def test_what_a_shorter_time_saves_is_shown_and_comes_back(driver, mine, at, booking):
    mine.move(booking, a_slot(after_hours=3, hours=2), accept_amount_paise=24_000)
    mine.pay(booking)

    page = driver.get(f"{at}?minutes=60&starts_at={written(NOON + 3 * HOUR)}")
    (form,) = forms(page, at)
    shown = driver.post(at, data=form, follow_redirects=True)

    assert "₹120.00 goes back to you." in words(page)
    assert "Refund ₹120.00 on its way." in words(shown)


def test_another_price_must_be_accepted(driver, mine, booking, at):
    longer = a_slot(after_hours=3, hours=2)

    page = driver.post(at, data=fields(longer))
    accept = next(form for form in forms(page, at) if form["starts_at"])
    kept = mine.read(booking.id).slot
    answer = driver.post(at, data=accept)

    assert page.status_code == 409
    assert "You keep the time you have." in words(page)
    assert "costs ₹240.00, ₹120.00 more than now." in words(page)
    assert kept == a_slot()
    assert answer.status_code == 303
    assert mine.read(booking.id).slot == longer


def test_a_refused_move_keeps_the_slot_and_offers_others(
    driver, mine, desk, booking, at
):
    desk.book(a_slot(after_hours=5))

    page = driver.post(at, data=fields(a_slot(after_hours=5)))

    assert page.status_code == 409
    assert "Someone has already booked that time. You keep the time you have." in (
        words(page)
    )
    assert mine.read(booking.id).slot == a_slot()
    assert len([form for form in forms(page, at) if "evse_id" in form]) == 3
    assert written(NOON + 5 * HOUR) in not_offered(page)


def test_an_alternative_moves_in_one_press(driver, mine, desk, booking, at):
    (neighbour,) = desk.evses(1)
    desk.book(a_slot(after_hours=5))
    page = driver.post(at, data=fields(a_slot(after_hours=5)))

    ways_out = [form for form in forms(page, at) if "evse_id" in form]
    elsewhere = next(
        (form for form in ways_out if form["evse_id"] == str(neighbour)), ways_out[0]
    )
    answer = driver.post(at, data=elsewhere)

    assert answer.status_code == 303
    assert mine.read(booking.id).evse_id == int(elsewhere["evse_id"])
    assert mine.audit() == []


def test_its_own_charger_is_offered_at_the_price_agreed(
    driver, mine, desk, database, booking, at
):
    with database.transaction() as session:
        session.get_one(Evse, mine.evse_id).booking_price_paise = 99_900
    desk.book(a_slot(after_hours=5))

    page = driver.post(at, data=fields(a_slot(after_hours=5)))

    prices = {form["accept_amount_paise"] for form in forms(page, at)}
    assert prices == {str(make.PRICE_PAISE)}


def test_a_double_click_moves_once(driver, mine, booking, at):
    for _ in range(2):
        answer = driver.post(at, data=fields(a_slot(after_hours=5)))
        assert answer.status_code == 303

    assert mine.history(booking).count("moved") == 1


@pytest.mark.parametrize(
    "values",
    [
        {"starts_at": ""},
        {"starts_at": "NaN"},
        {"starts_at": "\0"},
        {"starts_at": "2026-01-15T13:07:00Z"},
        {"starts_at": "2026-01-15T10:00:00Z"},
        {"starts_at": "9" * 10_000},
        {"minutes": "-60"},
        {"minutes": "60.0"},
        {"minutes": "99999"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_answered_at_the_field(
    driver, mine, booking, at, values
):
    page = driver.post(at, data=fields(a_slot(after_hours=5)) | values)

    assert page.status_code == 422
    assert 'class="field-error"' in page.text
    assert mine.read(booking.id).slot == a_slot()


@pytest.mark.parametrize("evse_id", ["404404", "999999999"])
def test_a_move_to_nowhere_is_refused(driver, mine, booking, at, evse_id):
    page = driver.post(at, data=fields(a_slot(after_hours=5)) | {"evse_id": evse_id})

    assert page.status_code == 404
    assert "There is no such charging point. You keep the time you have." in words(page)
    assert mine.read(booking.id).evse_id == mine.evse_id


def test_a_move_to_a_closed_charging_point_is_refused(driver, mine, database, at):
    with database.transaction() as session:
        session.get_one(Evse, mine.evse_id).lifecycle = Lifecycle.INOPERATIVE

    page = driver.post(at, data=fields(a_slot(after_hours=5)))

    assert page.status_code == 409
    assert "cannot be booked at the moment" in words(page)


def test_a_hold_can_be_moved_and_stays_a_hold(driver, mine):
    booking = mine.book()

    driver.post(f"/bookings/{booking.id}/move", data=fields(a_slot(after_hours=5)))

    moved = mine.read(booking.id)
    assert (moved.slot, moved.payment_status) == (a_slot(after_hours=5), "PENDING")
    assert moved.hold_expires_at == NOON + 10 * MINUTE


@pytest.mark.parametrize("after", [HOUR + MINUTE, 3 * HOUR])
def test_what_has_begun_cannot_be_moved(driver, mine, booking, at, clock, after):
    clock.now = NOON + after

    asked = driver.get(at, follow_redirects=True)
    done = driver.post(at, data=fields(a_slot(after_hours=5)), follow_redirects=True)

    for page in (asked, done):
        assert page.request.path == f"/bookings/{booking.id}"
        assert "has begun or is over" in words(page)
    assert mine.read(booking.id).slot == a_slot()


def test_a_cancelled_booking_cannot_be_moved(driver, mine, booking, at):
    mine.cancel(booking)

    page = driver.post(at, data=fields(a_slot(after_hours=5)), follow_redirects=True)

    assert "has begun or is over" in words(page)


def test_the_fragment_knows_whose_time_is_moving(driver, booking, at):
    page = driver.get(f"{at}?fragment=1&minutes=120")

    assert "<html" not in page.text
    assert "₹120.00 more than now" in page.text


def test_a_time_that_has_gone_is_said_so(driver, desk, booking, at):
    desk.book(a_slot(after_hours=5))

    page = driver.get(f"{at}?starts_at={written(NOON + 5 * HOUR)}")

    assert chosen(page) == []
    assert "That time cannot be had any more." in words(page)


def test_a_zone_of_another_land_is_kept(driver, mine, database):
    with database.transaction() as session:
        session.query(Location).update({"timezone": "Europe/Berlin"})
    booking = mine.book()

    page = driver.post(
        f"/bookings/{booking.id}/move",
        data=fields(starts_at="2026-01-15T20:00"),
        follow_redirects=True,
    )

    assert "Moved to today 20:00–21:00." in words(page)
    assert mine.read(booking.id).slot == a_slot(after_hours=7)
