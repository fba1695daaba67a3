from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from evcharge.bookings.calendar import (
    Calendar,
    Quarter,
    claimed_quarters,
    first_day_with_room,
    lengths,
    quarters_ahead,
)
from evcharge.bookings.queries import Claimed
from evcharge.bookings.rules import Limits, Slot, check_slot, slot_no
from evcharge.stations.rules import ClaimedBy
from evcharge.stations.rules.opening import OpeningHours
from make import HOUR, MINUTE, NOON, a_slot

INDIA = ZoneInfo("Asia/Kolkata")
BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 1, 15)  # NOON is 17:30 in India.
TOMORROW = TODAY + timedelta(days=1)


def a_calendar(*taken: Slot, quarter=Quarter.TAKEN, zone=INDIA, **parts):
    claimed = {number: quarter for slot in taken for number in slot.quarters}
    hours = OpeningHours("24/7", zone.key)
    defaults = {"limits": Limits(), "now": NOON, "hours": hours}
    return Calendar(zone=zone, claimed=claimed, **(defaults | parts))


def clocks(starts, zone=INDIA):
    return [f"{start.slot.starts_at.astimezone(zone):%H:%M}" for start in starts]


def test_today_begins_with_the_current_quarter_hour():
    calendar = a_calendar(now=NOON + 7 * MINUTE)

    assert clocks(calendar.starts(TODAY, HOUR))[0] == "17:30"


def test_a_later_day_is_offered_from_midnight_to_midnight_at_the_charger():
    offered = clocks(a_calendar().starts(TOMORROW, HOUR))

    assert (offered[0], offered[-1], len(offered)) == ("00:00", "23:45", 96)


def test_a_start_is_taken_when_any_of_its_time_is():
    calendar = a_calendar(a_slot(after_hours=3))

    taken = [each for each in calendar.starts(TODAY, HOUR) if not each.is_free]

    assert clocks(taken) == [
        "19:45", "20:00", "20:15", "20:30", "20:45", "21:00", "21:15",
    ]  # fmt: skip
    assert {each.quarter for each in taken} == {Quarter.TAKEN}


def test_everything_offered_as_free_may_be_booked():
    calendar = a_calendar(a_slot(after_hours=3), a_slot(after_hours=30, hours=4))

    for on in [day.on for day in calendar.days(2 * HOUR)]:
        for start in calendar.starts(on, 2 * HOUR):
            check_slot(start.slot, limits=Limits(), now=NOON)
            assert start.is_free == calendar.is_free(start.slot)


def test_a_booking_that_moves_is_not_in_its_own_way():
    own = a_slot(after_hours=3)
    calendar = a_calendar(own, a_slot(after_hours=5), own=own.quarters)

    assert calendar.is_free(a_slot(after_hours=3.5))
    assert not calendar.is_free(a_slot(after_hours=4.5))


def test_a_day_is_full_when_the_length_fits_nowhere():
    gaps = [
        Slot(NOON + hours * HOUR, NOON + hours * HOUR + 45 * MINUTE)
        for hours in range(8)
    ]
    calendar = a_calendar(*gaps, now=NOON)

    short, long = calendar.days(15 * MINUTE)[0], calendar.days(8 * HOUR)[0]

    assert (short.on, short.is_full) == (TODAY, False)
    assert (long.on, long.is_full) == (TODAY, True)


def test_there_are_as_many_days_as_bookings_open_ahead():
    days = a_calendar().days(HOUR)

    assert [days[0].on, days[-1].on] == [TODAY, TODAY + timedelta(days=13)]


def test_who_has_not_chosen_a_day_sees_the_first_with_room():
    rest_of_today = Slot(NOON, NOON + 6.5 * HOUR)
    days = a_calendar(rest_of_today).days(HOUR)

    assert first_day_with_room(days, TODAY) == TOMORROW
    assert first_day_with_room([replace(day, is_full=True) for day in days], TODAY) == (
        TODAY
    )


def test_starts_are_grouped_by_the_clock_at_the_charger():
    parts = a_calendar().parts(TOMORROW, HOUR)

    assert [(part.name, clocks(part.starts)[0], part.free) for part in parts] == [
        ("Night", "00:00", 24),
        ("Morning", "06:00", 24),
        ("Afternoon", "12:00", 20),
        ("Evening", "17:00", 28),
    ]
    assert [part.name for part in a_calendar().parts(TODAY, HOUR)] == ["Evening"]


def test_the_picture_of_today_shows_the_24_hours_from_this_hour():
    calendar = a_calendar(a_slot(after_hours=1))

    cells = calendar.cells(TODAY)

    assert f"{calendar.starts_of_picture(TODAY):%H:%M}" == "17:00"
    assert len(cells) == 96
    assert cells[:2] == [Quarter.PAST] * 2
    assert cells[2:6] == [Quarter.FREE] * 4
    assert cells[6:10] == [Quarter.TAKEN] * 4
    assert cells[10:] == [Quarter.FREE] * 86
    assert calendar.now_index(TODAY) == 2


def test_the_picture_of_another_day_is_that_day():
    calendar = a_calendar()

    assert f"{calendar.starts_of_picture(TOMORROW):%H:%M}" == "00:00"
    assert len(calendar.cells(TOMORROW)) == 96
    assert calendar.now_index(TOMORROW) is None


@pytest.mark.parametrize(
    ("on", "count"), [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100)]
)
def test_days_on_which_clocks_change_are_shorter_or_longer(on, count):
    calendar = a_calendar(zone=BERLIN, now=datetime(2026, 3, 20, tzinfo=UTC))

    assert len(calendar.cells(on)) == count


def test_whose_a_quarter_hour_is_depends_on_who_looks():
    claims = [
        Claimed(1, 10, ClaimedBy.BOOKING, user_id=7),
        Claimed(1, 11, ClaimedBy.BOOKING, user_id=8),
        Claimed(1, 12, ClaimedBy.BLOCK, user_id=None),
    ]
    yours, taken, blocked = Quarter.YOURS, Quarter.TAKEN, Quarter.BLOCKED

    assert claimed_quarters(claims, user_id=7) == {10: yours, 11: taken, 12: blocked}
    assert claimed_quarters(claims, user_id=None) == {10: taken, 11: taken, 12: blocked}


def test_all_that_a_booking_could_touch_is_asked_for():
    ahead = quarters_ahead(Limits(), NOON + 7 * MINUTE)
    last = NOON + timedelta(days=14) + 8 * HOUR

    assert ahead.start == slot_no(NOON)
    assert set(Slot(last - 8 * HOUR, last).quarters) <= set(ahead)


def test_lengths_end_at_the_limit_and_include_the_chosen_one():
    limits = Limits(shortest=30 * MINUTE, longest=3 * HOUR)

    offered = [length // MINUTE for length in lengths(limits, 75 * MINUTE)]

    assert offered == [30, 45, 60, 75, 90, 120, 180]


def test_only_times_within_opening_hours_are_offered():
    calendar = a_calendar(hours=OpeningHours("08:00-18:00", INDIA.key))

    offered = clocks(calendar.starts(TOMORROW, 2 * HOUR))

    assert (offered[0], offered[-1]) == ("08:00", "16:00")
    assert calendar.cells(TOMORROW)[:33] == [Quarter.BLOCKED] * 32 + [Quarter.FREE]
