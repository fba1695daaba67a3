from datetime import timedelta
from uuid import uuid4

import icalendar
import pytest

from booking_pages import forms, words
from desk import OPERATOR
from evcharge.bookings.models import Booking
from evcharge.bookings.pages.view import qr
from evcharge.bookings.service import cancel_booking, cancel_unpaid, mark_no_show
from evcharge.payments.models import Payment, Refund
from evcharge.payments.rules import RefundStatus
from evcharge.stations.models import Charger
from make import HOUR, MINUTE, NOON, a_slot

pytestmark = pytest.mark.usefixtures("clock")


def path(booking, rest=""):
    return f"/bookings/{booking.id}{rest}"


# ── one booking ──────────────────────────────────────────────────────────────────


def test_a_hold_shows_how_long_it_lasts_and_how_to_pay(driver, mine):
    booking = mine.book()

    page = driver.get(path(booking))

    assert booking.reference in words(page)
    assert "Today 18:30–19:30 Held, not paid yet" in words(page)
    assert "10:00 left to pay" in words(page)
    assert "Pay ₹120.00" in words(page)
    assert 'data-countdown-to="2026-01-15T12:10:00Z"' in page.text
    assert "You held the slot Today 18:30" not in words(page)
    assert "You held the slot today 18:30–19:30, ₹120.00" in words(page)


def test_a_paid_booking_shows_its_code_and_its_payment(driver, mine):
    booking = mine.book()
    mine.pay(booking)

    page = driver.get(path(booking))

    assert f"QR code of {booking.reference}" in page.text
    assert "<svg" in page.text
    assert "style=" not in page.text
    assert "It is yours." in words(page)
    assert "₹120.00 paid" in words(page)
    assert "Today 17:30" not in words(page)
    assert "today 17:30 · UPI Paid ₹120.00" in words(page)
    assert "Free to cancel until today 17:30; half back until the start." in words(page)


def test_the_code_is_one_that_phones_read():
    picture = qr("EV-7K3M9Q")

    # A Micro QR code, which cameras of phones do not read, has 17 modules a side at
    # most. Around the 21 of the smallest full one stay four on each side.
    assert 'viewBox="0 0 29 29"' in picture


def test_what_is_going_on_is_told_by_the_clock(driver, mine, clock):
    booking = mine.book()
    mine.pay(booking)

    clock.now = NOON + 90 * MINUTE
    running = driver.get(path(booking))
    clock.now = NOON + 3 * HOUR
    over = driver.get(path(booking))

    assert "Your time now" in words(running)
    assert path(booking, "/move") not in running.text
    assert "Done" in words(over)
    assert path(booking, "/cancel") not in over.text


def test_a_hold_that_ran_out_offers_the_same_slot_first(driver, mine, clock):
    booking = mine.book()
    clock.now = NOON + 10 * MINUTE

    page = driver.get(path(booking))
    offers = forms(page, f"/evses/{mine.evse_id}/book")
    again = driver.post(f"/evses/{mine.evse_id}/book", data=offers[0])

    assert "You were not charged. Still free" in words(page)
    assert offers[0]["starts_at"] == "2026-01-15T13:00:00Z"
    assert again.status_code == 303
    assert again.location != path(booking)
    assert mine.audit() == []


def test_a_hold_that_ran_out_and_went_offers_others(driver, mine, desk, clock):
    booking = mine.book()
    late = NOON + 11 * MINUTE
    desk.book(now=late)
    clock.now = late

    page = driver.get(path(booking))

    assert "Free instead" in words(page)
    offers = forms(page, f"/evses/{mine.evse_id}/book")
    assert offers
    assert "2026-01-15T13:00:00Z" not in {offer["starts_at"] for offer in offers}


def test_a_hold_for_a_time_that_has_passed_offers_the_page(driver, mine, clock):
    booking = mine.book()
    clock.now = NOON + 30 * HOUR

    page = driver.get(path(booking))

    assert "Choose another time" in words(page)
    assert forms(page, f"/evses/{mine.evse_id}/book") == []


def test_money_that_came_too_late_is_told_to_come_back(driver, mine, desk, clock):
    booking = mine.book()
    ref = mine.start_paying(booking)
    late = NOON + 17 * MINUTE
    desk.book(now=late)
    mine.capture(ref, now=late)
    clock.now = late

    page = driver.get(path(booking))

    assert "Your payment came after that, so it goes back to you." in words(page)
    assert "₹120.00 came in after the slot was gone" in words(page)
    assert "Refund ₹120.00 on its way." in words(page)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (RefundStatus.SENT, "₹120.00 on its way."),
        (RefundStatus.DONE, "₹120.00 went back today 18:30."),
        (RefundStatus.FAILED, "did not go through; we are looking into it."),
    ],
)
def test_where_a_refund_is_can_be_seen(driver, mine, database, status, said):
    booking = mine.book()
    mine.pay(booking)
    mine.cancel(booking)
    with database.transaction() as session:
        refund = session.query(Refund).one()
        refund.status, refund.done_at = status, NOON + HOUR

    assert said in words(driver.get(path(booking)))


def test_an_operators_cancelling_comes_with_the_reason(driver, mine, database):
    booking = mine.book()
    mine.pay(booking)
    with database.transaction() as session:
        cancel_booking(
            session,
            booking_id=booking.id,
            actor=OPERATOR,
            reason="Cable stolen",
            now=NOON,
        )

    page = driver.get(path(booking))

    assert "The operator had to cancel this booking: Cable stolen." in words(page)
    assert "by the operator" in words(page)


def test_a_booking_never_paid_in_full_says_why_it_ended(driver, mine, database):
    booking = mine.book()
    mine.pay(booking)
    moved = mine.move(booking, a_slot(hours=2), accept_amount_paise=24_000)
    with database.transaction() as session:
        cancel_unpaid(session, now=moved.starts_at)

    page = driver.get(path(booking))

    assert "ended. Not all of it was paid before it began." in words(page)
    assert "₹120.00 goes back" in words(page)


def test_a_missed_booking_says_so(driver, mine, database, clock):
    booking = mine.book()
    mine.pay(booking)
    clock.now = NOON + 2 * HOUR
    with database.transaction() as session:
        session.query(Charger).update({"last_seen_at": clock.now})
        mark_no_show(session, booking_id=booking.id, actor=OPERATOR, now=clock.now)

    page = driver.get(path(booking))

    assert "Missed" in words(page)
    assert "Nobody came within 15 minutes of the start" in words(page)


def test_after_a_dearer_move_the_rest_can_be_paid(driver, mine):
    booking = mine.book()
    mine.pay(booking)
    mine.move(booking, a_slot(after_hours=4, hours=2), accept_amount_paise=24_000)

    page = driver.get(path(booking))

    assert "₹120.00 is still to be paid." in words(page)
    assert "Pay ₹120.00" in words(page)
    assert "left to pay" not in words(page)
    assert "Moved to today 21:30–23:30 It was today 18:30–19:30" in words(page)


def test_the_fragment_is_the_booking_without_the_frame(driver, mine):
    booking = mine.book()

    page = driver.get(path(booking, "?fragment=1"))

    assert "<html" not in page.text
    assert "Held, not paid yet" in words(page)


def test_the_page_may_be_watched_by_its_driver_alone(driver, mine):
    booking = mine.book()

    page = driver.get(path(booking))

    assert f'data-live-topic="booking:{booking.id}"' in page.text
    assert "data-live-token=" in page.text


@pytest.mark.parametrize("rest", ["", "/move", "/cancel", "/calendar.ics"])
@pytest.mark.parametrize("whose", ["another's", "unknown", "malformed"])
def test_what_is_not_ones_own_is_not_found(driver, desk, rest, whose):
    ids = {"another's": desk.book().id, "unknown": uuid4(), "malformed": "42"}

    assert driver.get(f"/bookings/{ids[whose]}{rest}").status_code == 404


@pytest.mark.parametrize("rest", ["/pay", "/cancel", "/move"])
def test_nobody_acts_on_anothers_booking(driver, desk, rest):
    booking = desk.book()
    form = {"starts_at": "2026-01-15T18:00:00Z", "minutes": "60"}

    assert driver.post(path(booking, rest), data=form).status_code == 404
    assert driver.post(f"/bookings/{uuid4()}{rest}", data=form).status_code == 404
    assert desk.history(booking) == ["booked"]


@pytest.mark.parametrize("rest", ["", "/move", "/cancel", "/calendar.ics"])
def test_a_visitor_is_asked_to_log_in_and_comes_back(client, desk, rest):
    booking = desk.book()

    answer = client.get(path(booking, rest))

    assert answer.status_code == 303
    assert str(booking.id) in answer.location


# Each page: what it may cost, whatever happened to the booking.
@pytest.mark.parametrize(
    ("rest", "most"), [("", 8), ("/move", 6), ("/cancel", 5), ("/calendar.ics", 5)]
)
def test_pages_cost_the_same_few_statements_however_long_the_story(
    driver, mine, statements, rest, most
):
    booking = mine.book()
    mine.pay(booking)
    statements.clear()
    driver.get(path(booking, rest))
    few = len(statements)
    for hours in (3, 4, 5, 6):
        mine.move(booking, a_slot(after_hours=hours))
    statements.clear()

    assert driver.get(path(booking, rest)).status_code == 200
    assert len(statements) == few <= most


@pytest.fixture
def gateway(app, clock, monkeypatch):
    """The simulated gateway believes the same clock."""
    gateway = app.extensions["evcharge.providers"].named("simulated")
    monkeypatch.setattr(gateway, "_now", lambda: clock.now)


# ── paying ───────────────────────────────────────────────────────────────────────


def test_paying_leads_to_the_provider_and_keeps_the_slot_longer(driver, mine):
    booking = mine.book()

    answer = driver.post(path(booking, "/pay"))

    assert answer.status_code == 303
    assert answer.location.startswith("/simulated-gateway/")
    assert mine.read(booking.id).hold_expires_at == NOON + 16 * MINUTE


def test_pressing_pay_twice_goes_on_with_the_same_attempt(driver, mine, database):
    booking = mine.book()

    first, second = (driver.post(path(booking, "/pay")) for _ in range(2))

    assert first.location == second.location
    with database.reading() as session:
        assert session.query(Payment).count() == 1


@pytest.mark.usefixtures("gateway")
def test_the_way_from_the_provider_leads_back_to_the_booking(driver, mine):
    booking = mine.book()
    checkout = driver.post(path(booking, "/pay")).location
    sent = driver.post(checkout, data={"choice": "pay", "method": "upi"})

    back = driver.get(sent.location, follow_redirects=True)

    assert back.request.path == path(booking)
    assert "You paid ₹120.00." in words(back)
    assert "Booked" in words(back)
    assert mine.read(booking.id).payment_status == "PAID"


@pytest.mark.usefixtures("gateway")
def test_a_failed_payment_leaves_the_hold_and_the_button(driver, mine):
    booking = mine.book()
    checkout = driver.post(path(booking, "/pay")).location
    sent = driver.post(checkout, data={"choice": "fail", "method": "upi"})

    back = driver.get(sent.location, follow_redirects=True)

    assert "Payment did not go through. No money was taken." in words(back)
    assert "left to pay. Your slot is still held." in words(back)
    assert "Pay ₹120.00" in words(back)
    assert "Payment failed" in words(back)


def test_paying_after_the_hold_ran_out_explains_itself(driver, mine, clock):
    booking = mine.book()
    clock.now = NOON + 10 * MINUTE

    answer = driver.post(path(booking, "/pay"), follow_redirects=True)

    assert answer.request.path == path(booking)
    assert "This booking is over" in words(answer)
    assert "Still free" in words(answer)


def test_paying_what_is_paid_explains_itself(driver, mine):
    booking = mine.book()
    mine.pay(booking)

    answer = driver.post(path(booking, "/pay"), follow_redirects=True)

    assert "There is nothing left to pay here." in words(answer)


# ── cancelling ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("minutes_before", "back"),
    [(90, "₹120.00 of ₹120.00"), (30, "₹60.00 of ₹120.00"), (-5, "₹0.00 of ₹120.00")],
)
def test_what_comes_back_is_shown_before_cancelling(
    driver, mine, clock, minutes_before, back
):
    booking = mine.book(a_slot(after_hours=3))
    mine.pay(booking)
    clock.now = NOON + 3 * HOUR - minutes_before * MINUTE

    page = driver.get(path(booking, "/cancel"))

    assert f"You get {back} back." in words(page)


def test_cancelling_gives_back_what_was_shown(driver, mine, database):
    booking = mine.book(a_slot(after_hours=3))
    mine.pay(booking)
    (form,) = forms(driver.get(path(booking, "/cancel")), path(booking, "/cancel"))

    page = driver.post(path(booking, "/cancel"), data=form, follow_redirects=True)

    assert "Your booking is cancelled." in words(page)
    assert "You cancelled ₹120.00 goes back" in words(page)
    with database.reading() as session:
        assert session.query(Refund).one().amount_paise == 12_000
    assert mine.audit() == []


def test_who_waits_past_the_deadline_is_asked_again(driver, mine, clock):
    booking = mine.book(a_slot(after_hours=3))
    mine.pay(booking)
    (form,) = forms(driver.get(path(booking, "/cancel")), path(booking, "/cancel"))
    clock.now = NOON + 2 * HOUR + MINUTE

    page = driver.post(path(booking, "/cancel"), data=form)
    (fresh,) = forms(page, path(booking, "/cancel"))

    assert page.status_code == 409
    assert "It was ₹120.00 when you opened this page." in words(page)
    assert "You get ₹60.00 of ₹120.00 back." in words(page)
    assert mine.read(booking.id).status == "ACTIVE"
    assert driver.post(path(booking, "/cancel"), data=fresh).status_code == 303
    assert mine.read(booking.id).status == "CANCELLED"


def test_cancelling_a_hold_costs_nothing(driver, mine):
    booking = mine.book()

    page = driver.get(path(booking, "/cancel"))
    driver.post(path(booking, "/cancel"))

    assert "You have not paid, so nothing is charged." in words(page)
    assert mine.read(booking.id).status == "CANCELLED"


def test_cancelling_twice_is_success_and_returns_money_once(driver, mine, database):
    booking = mine.book(a_slot(after_hours=3))
    mine.pay(booking)

    for _ in range(2):
        page = driver.post(path(booking, "/cancel"), follow_redirects=True)

    assert "Your booking is cancelled." in words(page)
    with database.reading() as session:
        assert session.query(Refund).count() == 1


def test_what_is_over_cannot_be_cancelled(driver, mine, clock):
    booking = mine.book()
    desk_time = NOON + 10 * MINUTE
    clock.now = desk_time
    (other,) = mine.drivers(1)
    mine.book(user_id=other, now=desk_time)

    asked = driver.get(path(booking, "/cancel"), follow_redirects=True)
    done = driver.post(path(booking, "/cancel"), follow_redirects=True)

    assert "This booking is over already." in words(asked)
    assert "This booking is over" in words(done)
    assert mine.read(booking.id).status == "EXPIRED"


@pytest.mark.parametrize("refund", ["", "x", "-1", "9" * 5_000, "\0"])
def test_a_hostile_confirmation_cancels_by_the_terms(driver, mine, refund):
    booking = mine.book(a_slot(after_hours=3))
    mine.pay(booking)

    answer = driver.post(path(booking, "/cancel"), data={"refund_paise": refund})

    assert answer.status_code == 303
    assert mine.read(booking.id).paid_paise == 0


@pytest.mark.parametrize("rest", ["/pay", "/cancel", "/move"])
def test_forms_without_a_token_change_nothing(driver, app, mine, rest):
    booking = mine.book()
    app.config["WTF_CSRF_ENABLED"] = True

    answer = driver.post(path(booking, rest))

    assert answer.status_code == 400
    assert mine.history(booking) == ["booked"]


# ── the calendar file ────────────────────────────────────────────────────────────


def test_the_calendar_file_can_be_read_by_a_calendar(driver, mine):
    booking = mine.book()
    mine.pay(booking)

    answer = driver.get(path(booking, "/calendar.ics"))

    assert answer.mimetype == "text/calendar"
    assert f"{booking.reference}.ics" in answer.headers["Content-Disposition"]
    (event,) = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")
    assert event["dtstart"].dt == NOON + HOUR
    assert str(event["location"]) == "MG Road, 12 MG Road, Bengaluru 560001, Karnataka"
    assert booking.reference in str(event["description"])
    assert str(event["url"]) == f"http://localhost{path(booking)}"


# ── the list ─────────────────────────────────────────────────────────────────────


def many(mine, count):
    """Bookings of a driver who may have that many."""
    generous = mine.with_limits(most_upcoming=99, most_holds=99, ahead=timedelta(60))
    return [generous.book(a_slot(after_hours=2 * each)) for each in range(count)]


def test_an_empty_list_says_what_to_do(driver):
    assert "Find a charger" in words(driver.get("/bookings"))
    assert "No bookings that are over." in words(driver.get("/bookings?tab=past"))
    assert "not cancelled anything" in words(driver.get("/bookings?tab=cancelled"))


def test_each_booking_is_in_one_list(driver, mine, clock):
    held, paid, cancelled, expired = many(mine, 4)
    mine.pay(paid)
    mine.cancel(cancelled)
    mine.pay(held)
    clock.now = NOON + 11 * MINUTE

    upcoming, past, gone = (
        words(driver.get(f"/bookings?tab={tab}"))
        for tab in ("upcoming", "past", "cancelled")
    )

    for booking, right in (
        (held, upcoming),
        (paid, upcoming),
        (cancelled, gone),
        (expired, gone),
    ):
        found = [page for page in (upcoming, past, gone) if booking.reference in page]
        assert found == [right]
    assert "Hold ended" in gone


def test_a_booking_that_is_over_is_listed_as_past(driver, mine, clock):
    booking = mine.book()
    mine.pay(booking)
    clock.now = NOON + 3 * HOUR

    assert booking.reference in words(driver.get("/bookings?tab=past"))
    assert booking.reference not in words(driver.get("/bookings"))


def test_a_hold_in_the_list_counts_down(driver, mine):
    mine.book()

    page = driver.get("/bookings")

    assert "Today 18:30–19:30 MG Road, Bengaluru EV-" in words(page)
    assert "₹120.00 Held, not paid yet until 17:40 left to pay" in words(page)
    assert "data-countdown-reload" in page.text


def test_somebody_elses_bookings_are_not_listed(driver, desk):
    booking = desk.book()

    assert booking.reference not in words(driver.get("/bookings"))


def test_long_lists_are_paged(driver, mine):
    references = [booking.reference for booking in many(mine, 12)]

    first, second = driver.get("/bookings"), driver.get("/bookings?page=2")

    assert [name for name in references if name in words(first)] == references[:10]
    assert [name for name in references if name in words(second)] == references[10:]
    assert "Page 2 of 2 · 12 in all" in words(second)


@pytest.mark.parametrize(
    "query", ["page=99", "page=-1", "page=x", "page=" + "9" * 99, "tab=x", "tab=%00"]
)
def test_a_page_that_does_not_exist_shows_one_that_does(driver, mine, query):
    booking = mine.book()

    page = driver.get(f"/bookings?{query}")

    assert page.status_code == 200
    assert booking.reference in words(page)


def test_the_list_costs_the_same_few_statements_however_long(driver, mine, statements):
    many(mine, 1)
    statements.clear()
    driver.get("/bookings")
    few = len(statements)
    mine = mine.with_limits(most_upcoming=99, most_holds=99)
    for hours in (30, 40, 50, 60):
        mine.book(a_slot(after_hours=hours), evse_id=mine.evses(1)[0])
    statements.clear()

    driver.get("/bookings")

    assert len(statements) == few <= 7


def test_the_list_is_for_those_who_are_logged_in(client, database):
    assert client.get("/bookings").status_code == 303
    with database.reading() as session:
        assert session.query(Booking).count() == 0
