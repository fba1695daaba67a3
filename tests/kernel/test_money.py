from datetime import timedelta
from decimal import Decimal

import pytest

from evcharge.kernel.money import for_started_hours, round_to_paise, share


@pytest.mark.parametrize(
    ("amount", "paise"),
    [("0.4", 0), ("0.5", 1), ("1.5", 2), ("2.5", 3), ("-0.5", -1), ("7", 7)],
)
def test_halves_are_rounded_away_from_nothing(amount: str, paise: int) -> None:
    assert round_to_paise(Decimal(amount)) == paise


@pytest.mark.parametrize(
    ("amount", "percent", "part"),
    [(10_000, 50, 5_000), (101, 50, 51), (12_345, 18, 2_222), (99, 0, 0), (1, 100, 1)],
)
def test_shares_of_an_amount(amount: int, percent: int, part: int) -> None:
    assert share(amount, percent=percent) == part


@pytest.mark.parametrize(
    ("minutes", "hours"), [(0, 0), (15, 1), (60, 1), (75, 2), (120, 2), (480, 8)]
)
def test_every_started_hour_counts(minutes: int, hours: int) -> None:
    price = for_started_hours(timedelta(minutes=minutes), paise_per_hour=12_000)

    assert price == hours * 12_000
