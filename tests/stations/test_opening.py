from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from evcharge.stations.rules.opening import OpeningHours

INDIA = ZoneInfo("Asia/Kolkata")


def at(clock, day=15):
    hours, minutes = map(int, clock.split(":"))
    return datetime(2026, 1, day, hours, minutes, tzinfo=INDIA)


@pytest.mark.parametrize(
    ("hours", "starts", "ends", "covered"),
    [
        ("24/7", at("03:00"), at("11:00"), True),
        ("06:00-22:00", at("06:00"), at("22:00"), True),
        ("06:00-22:00", at("05:45"), at("06:45"), False),
        ("06:00-22:00", at("21:45"), at("22:15"), False),
        ("06:00-22:00", at("21:00"), at("07:00", day=16), False),
        ("18:00-02:00", at("23:00"), at("01:00", day=16), True),
        ("18:00-02:00", at("01:00"), at("02:00"), True),
        ("18:00-02:00", at("01:45"), at("02:15"), False),
        ("06:00-00:00", at("23:00"), at("00:00", day=16), True),
        ("06:00-00:00", at("23:30"), at("00:30", day=16), False),
        ("06:00-24:00", at("23:00"), at("00:00", day=16), True),
        ("00:00-24:00", at("00:00"), at("00:00", day=16), True),
        ("00:00-24:00", at("23:30"), at("00:30", day=16), False),
    ],
)
def test_a_stay_is_covered_when_the_site_is_open_throughout(
    hours, starts, ends, covered
):
    assert OpeningHours(hours, "Asia/Kolkata").covers(starts, ends) is covered


@pytest.mark.parametrize(
    ("clock", "is_open"),
    [("05:59", False), ("06:00", True), ("21:59", True), ("22:00", False)],
)
def test_a_site_opens_on_the_minute_and_closes_on_the_minute(clock, is_open):
    assert OpeningHours("06:00-22:00", "Asia/Kolkata").is_open(at(clock)) is is_open
