from evcharge.web import pictures
from evcharge.web.pictures import Run

DAY = ["past"] * 36 + ["taken"] * 6 + ["free"] * 30 + ["taken"] * 4 + ["free"] * 20


def test_equal_neighbours_become_one_run():
    assert pictures.runs(DAY) == [
        Run("past", 0, 36),
        Run("taken", 36, 42),
        Run("free", 42, 72),
        Run("taken", 72, 76),
        Run("free", 76, 96),
    ]


def test_a_strip_says_its_taken_times_in_words():
    assert pictures.strip_text(pictures.runs(DAY)) == "Taken 09:00–10:30, 18:00–19:00."


def test_a_strip_tells_mine_from_theirs():
    day = pictures.runs(["taken", "yours", "blocked", "free"])

    assert pictures.strip_text(day) == (
        "Taken 00:00–00:15. Yours 00:15–00:30. Closed 00:30–00:45."
    )


def test_an_empty_day_says_so():
    assert pictures.strip_text(pictures.runs(["free"] * 96)) == "Nothing taken."


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
