import random

import pytest

from evcharge.kernel.geo import EARTH_RADIUS_M, Point, around, distance_m


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [
        (Point(28.6139, 77.2090), Point(12.9716, 77.5946), 1740),  # Delhi, Bengaluru
        (Point(19.0760, 72.8777), Point(18.5204, 73.8567), 120),  # Mumbai, Pune
        (Point(10, 70), Point(10, 70), 0),
        (Point(0, 0), Point(0, 180), 20_015),
    ],
)
def test_distances_are_those_of_the_globe(one, other, km):
    assert distance_m(one, other) / 1000 == pytest.approx(km, rel=0.005, abs=0.01)
    assert distance_m(one, other) == pytest.approx(distance_m(other, one))


def test_nothing_within_an_angle_lies_outside_the_box_around():
    rng = random.Random(4)  # noqa: S311 - the same places every time.
    for _ in range(3000):
        here = Point(rng.uniform(-90, 90), rng.uniform(-180, 180))
        angle = 10 ** rng.uniform(-6, 0.5)
        box = around(here, angle)
        near = Point(
            max(-90, min(90, here.lat + rng.uniform(-2, 2) * angle * 57.3)),
            max(-180, min(180, here.lon + rng.uniform(-2, 2) * angle * 57.3)),
        )
        if distance_m(here, near) <= angle * EARTH_RADIUS_M:
            assert box.south <= near.lat <= box.north
            assert box.west <= near.lon <= box.east
