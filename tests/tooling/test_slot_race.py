"""The race that docs/bookings.md quotes shows what it says."""

import pytest

from scripts.slot_race import DRIVERS, race


@pytest.mark.timeout(120)
def test_only_claims_sell_once_without_deadlocks(postgresql):
    url = postgresql().replace("postgresql+psycopg://", "postgresql://")

    lock, insert, unique, exclusion, claims = race(url, rounds=4)

    assert [way.sold_twice > 0 for way in (lock, insert, unique)] == [True] * 3
    assert exclusion.sold_twice == 0
    assert (claims.sold_twice, claims.not_sold, claims.deadlocks) == (0, 0, 0)
    assert len(claims.seconds) == 4 * DRIVERS
