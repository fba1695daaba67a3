"""The power of a session as a picture."""

from datetime import timedelta

import pytest

from evcharge.charging.curve import MOST_POINTS, Power, curve_of, powers
from evcharge.charging.models import MeterSample
from make import MINUTE, NOON


def a_curve(*power_w: int) -> list[Power]:
    return [Power(NOON + each * MINUTE, value) for each, value in enumerate(power_w)]


def sample(minute: float, energy_wh: int | None, power_w: int | None = None):
    return MeterSample(at=NOON + minute * MINUTE, energy_wh=energy_wh, power_w=power_w)


def test_too_little_is_no_picture():
    assert curve_of(a_curve(5_000, 5_000)) is None
    assert curve_of([]) is None


def test_readings_of_one_moment_are_no_picture():
    assert curve_of([Power(NOON, 5_000)] * 5) is None


def test_a_line_fills_the_picture_from_edge_to_edge():
    curve = curve_of(a_curve(0, 10_000, 5_000))

    assert curve is not None
    assert curve.line == "0,120.0 300,0.0 600,60.0"
    assert curve.area == "0,120 0,120.0 300,0.0 600,60.0 600,120"


@pytest.mark.parametrize(
    ("peak_w", "top_w"),
    [(0, 1_000), (3_300, 4_000), (7_400, 8_000), (58_000, 60_000), (240_000, 250_000)],
)
def test_the_scale_ends_at_a_round_number_above_the_peak(peak_w, top_w):
    curve = curve_of(a_curve(0, peak_w, 0))

    assert curve is not None
    assert (curve.peak_w, curve.top_w) == (peak_w, top_w)


def test_a_long_session_is_thinned_and_keeps_its_ends():
    values = [1_000, *([20_000] * 5_000), 3_000]

    curve = curve_of(a_curve(*values))

    assert curve is not None
    points = curve.line.split()
    assert len(points) == MOST_POINTS
    assert points[0] == "0,114.0"
    assert points[-1] == "600,102.0"
    assert {each.split(",")[1] for each in points[1:-1]} == {"0.0"}


def test_where_power_is_told_it_is_taken_at_its_word():
    found = powers([sample(0, 1_000, 7_000), sample(1, 1_500), sample(2, 2_000, 0)])

    assert [each.power_w for each in found] == [7_000, 0]


def test_where_only_energy_is_counted_power_is_its_rise():
    found = powers([sample(0, 1_000), sample(6, 2_000), sample(12, 2_000)])

    assert found == [
        Power(NOON + 6 * MINUTE, 10_000),
        Power(NOON + 12 * MINUTE, 0),
    ]


def test_a_meter_that_went_backwards_or_came_twice_says_nothing():
    found = powers([sample(0, 5_000), sample(1, 100), sample(1, 200), sample(2, 300)])

    assert found == [Power(NOON + timedelta(minutes=2), 6_000)]
