"""What a kWh comes to, so that prices by energy, by time and by charge compare."""

from datetime import datetime, timedelta
from functools import lru_cache

from evcharge.tariffs.rules.agreed import UNKNOWN_POWER_W, Agreed, expected_wh
from evcharge.tariffs.rules.stretches import Reading, Usage
from evcharge.tariffs.rules.terms import Terms

HOUR = timedelta(hours=1)
HOURS_AHEAD = 7 * 24
WH_PER_KWH = 1000


def hourly_paise_per_kwh(paise_per_hour: int, power_w: int) -> int:
    """Return what a kWh comes to where an hour has a price, tax included."""
    return _per_kwh(paise_per_hour, expected_wh(power_w or UNKNOWN_POWER_W, HOUR))


@lru_cache(maxsize=2000)
def paise_per_kwh(agreed: Agreed, first_hour: datetime) -> int:
    """Return what a kWh comes to in a charge of an hour, tax included.

    By the dearest hour of the week from `first_hour`: whoever asks for less than a
    price should not pay more because they come in the evening.
    """
    hours = HOURS_AHEAD if _depends_on_time(agreed.terms) else 1
    return max(_in_hour(agreed, first_hour + each * HOUR) for each in range(hours))


def _in_hour(agreed: Agreed, starts_at: datetime) -> int:
    ends_at = starts_at + HOUR
    energy_wh = agreed.expected_wh(HOUR)
    readings = (Reading(starts_at, 0), Reading(ends_at, energy_wh))
    taxed = agreed.taxed(Usage(starts_at, ends_at, readings, ends_at))
    return _per_kwh(taxed.total_paise, energy_wh)


def _per_kwh(paise: int, energy_wh: int) -> int:
    """A price that no driver could ever see is kept to what a column holds."""
    return min(paise * WH_PER_KWH // max(energy_wh, 1), 10**9)


def _depends_on_time(terms: Terms) -> bool:
    return any(
        each.restrictions.start_time
        or each.restrictions.end_time
        or each.restrictions.start_date
        or each.restrictions.end_date
        or each.restrictions.day_of_week
        for each in terms.elements
    )
