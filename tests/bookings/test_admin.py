import csv
import io
import re
from datetime import timedelta

import pytest

import make
from console import a_world, in_hours, this_hour
from evcharge.accounts.models import User
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.kernel.clock import utc_now
from evcharge.payments.queries import refunds_of_item
from evcharge.payments.rules import ItemKind
from evcharge.stations.models import Charger, Evse
from evcharge.web.periods import DAY, midnight, monday, period_from_query
from make import HOUR, NOON, PRICE_PAISE


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def staff(database, sign_in, world):
    with database.transaction() as session:
        operator = make.an_operator(session)
    return sign_in("operator", operator=operator)


@pytest.fixture
def booking(world):
    return world.desk.read(world.booking_id)


def references(text):
    return set(re.findall(r"EV-[A-Z0-9]{6}", text))


def change(database, booking_id, **columns):
    with database.transaction() as session:
        stored = session.get_one(Booking, booking_id)
        for name, value in columns.items():
            setattr(stored, name, value)


# ── the list ─────────────────────────────────────────────────────────────────────


def test_the_list_shows_who_comes_when_and_what_it_costs(staff, booking):
    text = staff.get("/admin/bookings").text

    assert booking.reference in text
    assert "Driver of Test Power" in text
    assert "₹120.00" in text


def test_filters_narrow_the_list_and_stay_in_the_address(staff, world, booking):
    active = staff.get("/admin/bookings?status=ACTIVE").text
    gone = staff.get("/admin/bookings?status=CANCELLED&payment=PAID").text

    assert references(active) == {booking.reference}
    assert booking.reference not in gone
    assert len(references(gone)) == 1
    assert "status=CANCELLED&amp;payment=PAID&amp;when=today" in gone


@pytest.mark.parametrize("spelling", ["{}", " {} "])
@pytest.mark.parametrize("change_case", [str, str.lower])
def test_a_booking_is_found_by_its_reference(staff, booking, spelling, change_case):
    text = spelling.format(change_case(booking.reference))

    found = staff.get("/admin/bookings", query_string={"q": text}).text

    assert references(found) == {booking.reference}


def test_bookings_are_found_by_the_drivers_address(database, staff, world, booking):
    with database.reading() as session:
        email = session.get_one(User, world.driver_id).email

    found = staff.get("/admin/bookings", query_string={"q": email.upper()}).text

    assert booking.reference in found
    assert "No booking fits." in staff.get("/admin/bookings?q=nobody@").text
    assert "No booking fits." in staff.get("/admin/bookings?q=%25").text


def test_the_list_keeps_to_a_location(database, staff, world, booking):
    with database.transaction() as session:
        site = make.a_location(session, name="Elsewhere")
        other = make.an_evse(session, location=site).id
        other_site = site.id
    elsewhere = world.desk.book(in_hours(3), evse_id=other, now=utc_now())

    here = staff.get(f"/admin/bookings?location={world.location_id}").text
    there = staff.get(f"/admin/bookings?location={other_site}").text

    assert booking.reference in here
    assert elsewhere.reference not in here
    assert references(there) == {elsewhere.reference}


def test_the_list_keeps_to_a_period_of_starts(database, staff, world, booking):
    today = midnight(utc_now())
    last_week = today - 5 * DAY
    change(database, booking.id, starts_at=last_week, ends_at=last_week + HOUR)

    def shown(when):
        return booking.reference in staff.get(f"/admin/bookings?when={when}").text

    assert not shown("today")
    assert not shown("upcoming")
    assert shown("7d")
    assert shown("30d")


def test_filters_that_mean_nothing_filter_nothing(staff, booking):
    url = "/admin/bookings?status=LOST&payment=x&when=never&location=x&page=-3"

    assert booking.reference in staff.get(url).text
    for text in ("%00", "x" * 10_000, "%F0%28%8C%28"):
        assert staff.get(f"/admin/bookings?q={text}").status_code == 200
    assert staff.get(f"/admin/bookings?location={9 * 10**30}").status_code == 200


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_costs_the_same_few_statements(
    database, staff, world, statements, count
):
    with database.transaction() as session:
        driver = make.a_user(session).id
    desk = world.desk.with_limits(most_upcoming=99, most_holds=99)
    for number in range(count):
        desk.book(in_hours(50 + number), user_id=driver, now=utc_now())
    statements.clear()

    staff.get("/admin/bookings")

    assert len(statements) == 4


# ── as a file ────────────────────────────────────────────────────────────────────


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


def test_the_file_has_what_the_filtered_list_has(staff, booking):
    answer = staff.get("/admin/bookings.csv?status=ACTIVE")

    rows = rows_of(answer)
    assert answer.mimetype == "text/csv"
    assert [row["reference"] for row in rows] == [booking.reference]
    assert rows[0]["amount_inr"] == "120"
    assert rows[0]["starts_at"].endswith("+05:30")


def test_the_file_runs_nothing_in_a_spreadsheet(database, staff, world):
    with database.transaction() as session:
        driver = session.get_one(User, world.driver_id)
        driver.name = "=HYPERLINK(1)"

    assert {row["driver"] for row in rows_of(staff.get("/admin/bookings.csv"))} == {
        "'=HYPERLINK(1)"
    }


def test_a_long_file_is_whole(database, staff, world):
    with database.transaction() as session:
        driver = make.a_user(session, name="x" * 120).id
    desk = world.desk.with_limits(most_upcoming=999, most_holds=999)
    for number in range(60):
        desk.book(in_hours(48 + number), user_id=driver, now=utc_now())

    rows = rows_of(staff.get("/admin/bookings.csv?q=@"))

    assert len({row["reference"] for row in rows}) == 62


def test_a_file_that_nobody_waits_for_holds_no_connection(database, staff, world):
    held = database.engine.pool.checkedout()
    answer = staff.get("/admin/bookings.csv")

    next(answer.iter_encoded())
    answer.close()

    assert database.engine.pool.checkedout() == held


# ── one booking ──────────────────────────────────────────────────────────────────


def test_a_booking_shows_everything(staff, booking):
    text = staff.get(f"/admin/bookings/{booking.id}").text

    assert "Driver of Test Power" in text
    assert "Held the slot" in text
    assert "₹120.00 paid" in text
    assert "by the payment provider" in text
    assert "UPI" in text


def test_a_refund_that_failed_shows_why(staff, world):
    lost = staff.get("/admin/bookings?status=CANCELLED").text
    url = re.search(r"/admin/bookings/[0-9a-f-]{36}", lost)[0]

    text = staff.get(url).text

    assert "account closed" in text
    assert "−₹120.00" in text


def test_an_operator_cancels_and_everything_goes_back(database, staff, world, booking):
    url = f"/admin/bookings/{booking.id}/cancel"

    asked = staff.get(url)
    answer = staff.post(url, data={"reason": "The cable is damaged"})

    assert "Cancel and refund ₹120.00" in asked.text
    assert answer.status_code == 303
    assert world.desk.read(booking.id).status == BookingStatus.CANCELLED
    with database.reading() as session:
        refunds = refunds_of_item(session, ItemKind.BOOKING, booking.id)
        assert [refund.amount_paise for refund in refunds] == [PRICE_PAISE]
    shown = staff.get(f"/admin/bookings/{booking.id}").text
    assert "The cable is damaged" in shown
    assert "by Asha Rao" in shown


@pytest.mark.parametrize("reason", ["", " \t ", "x" * 201, "a\0b", "a\u202eb"])
def test_cancelling_asks_for_a_reason(staff, world, booking, reason):
    answer = staff.post(f"/admin/bookings/{booking.id}/cancel", data={"reason": reason})

    assert answer.status_code == 422
    assert "reason-error" in answer.text
    assert world.desk.read(booking.id).status == BookingStatus.ACTIVE


def test_cancelling_twice_refunds_once(database, staff, booking):
    url = f"/admin/bookings/{booking.id}/cancel"
    staff.post(url, data={"reason": "The cable is damaged"})

    assert staff.post(url, data={"reason": "Again"}).status_code == 303
    assert staff.get(url).status_code == 303
    with database.reading() as session:
        assert len(refunds_of_item(session, ItemKind.BOOKING, booking.id)) == 1


def test_what_is_over_cannot_be_cancelled(database, staff, booking):
    change(database, booking.id, status=BookingStatus.COMPLETED)

    answer = staff.post(f"/admin/bookings/{booking.id}/cancel", data={"reason": "Late"})

    assert answer.status_code == 409
    assert "This booking is over" in answer.text


# ── drivers who did not come ─────────────────────────────────────────────────────


@pytest.fixture
def begun(database, world):
    """The booking began an hour ago, and the charger was heard of since."""
    started = this_hour() - HOUR
    change(database, world.booking_id, starts_at=started, ends_at=started + 4 * HOUR)
    with database.transaction() as session:
        box = session.get_one(Charger, session.get_one(Evse, world.evse_id).charger_id)
        box.last_seen_at = utc_now()
    return world.booking_id


def test_a_driver_who_did_not_come_is_marked(staff, world, begun):
    page = staff.get(f"/admin/bookings/{begun}").text
    answer = staff.post(f"/admin/bookings/{begun}/no-show")

    assert "Mark as missed" in page
    assert answer.status_code == 303
    assert world.desk.read(begun).status == BookingStatus.NO_SHOW


def test_nobody_is_marked_before_they_are_late(staff, booking):
    page = staff.get(f"/admin/bookings/{booking.id}").text
    answer = staff.post(f"/admin/bookings/{booking.id}/no-show")

    assert "Mark as missed" not in page
    assert answer.status_code == 409
    assert "Wait until 15 minutes after the start." in answer.text


def test_nobody_is_marked_while_the_charger_was_silent(database, staff, world, begun):
    with database.transaction() as session:
        box = session.get_one(Charger, world.charger_id)
        box.last_seen_at = this_hour() - timedelta(days=1)

    answer = staff.post(f"/admin/bookings/{begun}/no-show")

    assert answer.status_code == 409
    assert "full refund instead" in answer.text


# ── periods ──────────────────────────────────────────────────────────────────────


def test_today_begins_at_midnight_in_india():
    assert midnight(NOON) == NOON.replace(hour=18, minute=30) - DAY
    assert monday(NOON) == midnight(NOON) - 3 * DAY  # A Thursday.


def test_a_period_is_compared_with_one_that_ended_at_the_same_time_of_day():
    period = period_from_query("7d", now=NOON)

    assert period.since == midnight(NOON) - 6 * DAY
    assert period.previous_since == period.since - 7 * DAY
    assert period.previous_until == NOON - 7 * DAY


def test_a_period_nobody_offers_is_the_usual_one():
    assert period_from_query("90y", now=NOON).name == "7d"
    assert period_from_query(None, now=NOON).days == 7
