from evcharge.demo.settle import occupied_share
from make import HOUR, NOON


def test_more_plugs_are_in_use_by_day_than_at_night():
    shares = [occupied_share(NOON + hours * HOUR) for hours in range(24)]

    assert 0.2 < min(shares) < max(shares) <= 0.34
