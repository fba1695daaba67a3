from datetime import timedelta

import icalendar
import pytest

from desk import OPERATOR
from evcharge.bookings.calendar_file import calendar_file
from evcharge.bookings.queries import booking_of_user
from evcharge.stations.models import Location
from make import MINUTE, NOON, a_slot

LINK = "http://charge.example/bookings/1"


@pytest.fixture
def read(desk):
    """Write the file of a booking as it is now, and read it back."""

    def read(booking, *, now=NOON, place="MG Road", about="Reference"):
        with desk.database.reading() as session:
            fresh = booking_of_user(session, booking.id, booking.user_id)
            file = calendar_file(fresh, place=place, about=about, url=LINK, now=now)
        calendar = icalendar.Calendar.from_ical(file)
        (event,) = calendar.walk("VEVENT")
        return str(calendar["method"]), event

    return read


def test_a_hold_is_tentative_until_it_is_paid(desk, read):
    booking = desk.book()

    before = read(booking)
    desk.pay(booking)
    after = read(booking)

    assert (before[0], before[1]["status"]) == ("PUBLISH", "TENTATIVE")
    assert (after[0], after[1]["status"]) == ("PUBLISH", "CONFIRMED")


def test_times_are_instants_in_utc(desk, read):
    _method, event = read(desk.book())

    assert event["dtstart"].to_ical() == b"20260115T130000Z"
    assert event["dtend"].to_ical() == b"20260115T140000Z"
    assert event["dtstamp"].to_ical() == b"20260115T120000Z"


def test_a_move_is_the_same_event_with_a_higher_sequence(desk, read):
    booking = desk.book()
    desk.pay(booking)
    _, before = read(booking)

    desk.move(booking, a_slot(after_hours=5))
    method, after = read(booking)

    assert (method, after["uid"]) == ("PUBLISH", before["uid"])
    assert after["sequence"] > before["sequence"]
    assert after["dtstart"].dt == NOON + timedelta(hours=5)


@pytest.mark.parametrize("by", [None, OPERATOR])
def test_a_cancelled_booking_takes_its_event_out(desk, read, by):
    booking = desk.book()
    desk.pay(booking)
    _, before = read(booking)

    desk.cancel(booking, by=by)
    method, after = read(booking)

    assert (method, after["status"]) == ("CANCEL", "CANCELLED")
    assert after["uid"] == before["uid"]
    assert after["sequence"] > before["sequence"]


def test_a_hold_whose_time_is_up_is_taken_out_before_anyone_sweeps(desk, read):
    booking = desk.book()

    assert read(booking, now=NOON + 9 * MINUTE)[0] == "PUBLISH"
    assert read(booking, now=NOON + 10 * MINUTE)[0] == "CANCEL"


def test_names_with_commas_and_lines_come_back_as_they_were(desk, read):
    name = 'Café; "Süd", A\\B \u0939\u093f\u0928\u094d\u0926\u0940'
    with desk.database.transaction() as session:
        session.query(Location).update({"name": name})
    place = "12, MG Road; 1st floor\\back, " + "long " * 40

    _, event = read(desk.book(), place=place, about="Reference EV-1\nPlug: CCS2, AC")

    assert str(event["summary"]) == f"Charging at {name}"
    assert str(event["location"]) == place
    assert str(event["description"]) == "Reference EV-1\nPlug: CCS2, AC"
    assert str(event["url"]) == LINK
    assert event["geo"].to_ical() == "12.9756;77.6066"


def test_lines_are_folded_as_the_standard_wants(desk):
    with desk.database.reading() as session:
        booking = desk.book()
        fresh = booking_of_user(session, booking.id, booking.user_id)
        file = calendar_file(fresh, place="x" * 300, about="", url=LINK, now=NOON)

    lines = file.split(b"\r\n")
    assert max(map(len, lines)) <= 75
