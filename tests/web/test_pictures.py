from datetime import datetime
from zoneinfo import ZoneInfo

from evcharge.web import pictures
from evcharge.web.pictures import Run, Strip

INDIA = ZoneInfo("Asia/Kolkata")
MIDNIGHT = datetime(2026, 11, 23, tzinfo=INDIA)
EVENING = datetime(2026, 11, 23, 21, tzinfo=INDIA)
DAY = ["past"] * 36 + ["taken"] * 6 + ["free"] * 30 + ["taken"] * 4 + ["free"] * 20


def ticks(strip):
    return [(tick.at, tick.label) for tick in strip.ticks]


def test_equal_neighbours_become_one_run():
    assert pictures.runs(DAY) == [
        Run("past", 0, 36),
        Run("taken", 36, 42),
        Run("free", 42, 72),
        Run("taken", 72, 76),
        Run("free", 76, 96),
    ]


def test_a_strip_says_its_taken_times_in_words():
    assert Strip(DAY, MIDNIGHT).text == "Taken 09:00–10:30, 18:00–19:00."


def test_a_strip_tells_mine_from_theirs():
    strip = Strip(["taken", "yours", "blocked", "free"], MIDNIGHT)

    assert strip.text == ("Taken 00:00–00:15. Yours 00:15–00:30. Closed 00:30–00:45.")


def test_an_empty_day_says_so():
    assert Strip(["free"] * 96, MIDNIGHT).text == "Nothing taken."


def test_a_strip_that_begins_in_the_evening_says_what_is_tomorrow():
    cells = ["past"] + ["taken"] * 3 + ["free"] * 4 + ["yours"] * 6 + ["free"] * 30
    cells += ["taken"] * 4 + ["free"] * 48

    text = Strip(cells, EVENING).text

    assert text == (
        "Taken 21:15–22:00, tomorrow 08:00–09:00. Yours 23:00 – tomorrow 00:30."
    )


def test_what_ends_with_the_day_ends_at_24_00():
    assert Strip(["taken"] * 12 + ["free"] * 84, EVENING).text == "Taken 21:00–24:00."


def test_below_a_day_stand_its_hours():
    strip = Strip(["free"] * 96, MIDNIGHT)

    assert ticks(strip) == [(0, "00"), (24, "06"), (48, "12"), (72, "18"), (96, "24")]
    assert strip.midnights == []


def test_midnight_within_a_strip_is_marked_by_the_day_it_begins():
    strip = Strip(["free"] * 96, EVENING)

    assert ticks(strip) == [(12, "Tue"), (36, "06"), (60, "12"), (84, "18")]
    assert [tick.at for tick in strip.ticks if tick.is_midnight] == [12]
    assert strip.midnights == [12]


def test_the_first_hour_is_named_where_there_is_room():
    strip = Strip(["free"] * 96, EVENING.replace(hour=19))

    assert ticks(strip)[:2] == [(0, "19"), (20, "Tue")]


def test_hours_are_those_on_the_wall_when_the_clocks_change():
    berlin = ZoneInfo("Europe/Berlin")
    spring = Strip(["free"] * 92, datetime(2026, 3, 29, tzinfo=berlin))

    assert ticks(spring) == [(0, "00"), (20, "06"), (44, "12"), (68, "18"), (92, "24")]


def test_a_day_ends_at_24_00():
    assert pictures.quarter_clock(96) == "24:00"


def test_a_sparkline_spans_its_box():
    assert (
        pictures.polyline([0, 5, 10], width=96, height=28)
        == "0.0,26.0 48.0,14.0 96.0,2.0"
    )


def test_a_sparkline_of_equal_values_is_flat():
    assert pictures.polyline([7, 7], width=10, height=28) == "0.0,26.0 10.0,26.0"


def test_heat_has_a_level_of_its_own_for_nothing():
    levels = [
        pictures.heat_level(fraction) for fraction in (0, 0.01, 0.2, 0.5, 0.99, 1)
    ]

    assert levels == [0, 1, 2, 3, 5, 5]
