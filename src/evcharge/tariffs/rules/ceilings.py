"""What the government says a service charge should not be above: a warning only.

Source: Ministry of Power, Guidelines for Installation and Operation of Electric
Vehicle Charging Infrastructure, 17 September 2024: by current and solar hours.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import time

from evcharge.kernel.money import rupees_short
from evcharge.tariffs.rules.stretches import holds_at
from evcharge.tariffs.rules.terms import ComponentType, Part, Restrictions, Terms

SOLAR_FROM = time(9)
SOLAR_UNTIL = time(16)
PERIODS = {"solar": "from 09:00 to 16:00", "other": "before 09:00 and from 16:00"}


@dataclass(frozen=True)
class Ceiling:
    """Before GST. `current`: AC or DC; `period`: solar (09:00–16:00) or other."""

    current: str
    period: str
    paise_per_kwh: int
    source: str


def warnings(
    terms: Terms, *, current: str, ceilings: Iterable[Ceiling]
) -> tuple[str, ...]:
    """Return a sentence for each ceiling that the terms may go above."""
    return tuple(
        _warning(part, price, ceiling)
        for ceiling in ceilings
        if ceiling.current == current
        for part in (Part.SERVICE, Part.CHARGING)
        for price in [_highest(terms, part, ceiling.period)]
        if price > ceiling.paise_per_kwh
    )


def _warning(part: Part, price: int, ceiling: Ceiling) -> str:
    when = PERIODS[ceiling.period]
    high, most = rupees_short(price), rupees_short(ceiling.paise_per_kwh)
    limit = f"the ceiling of {most} on the service charge ({ceiling.source})"
    if part == Part.SERVICE:
        return (
            f"{ceiling.current}, {when}: the service charge is {high} per kWh, "
            f"above {limit}."
        )
    return (
        f"{ceiling.current}, {when}: energy costs {high} per kWh as a whole, above "
        f"{limit}. If electricity is part of it, give both prices."
    )


def _highest(terms: Terms, part: Part, period: str) -> int:
    return max(
        (_highest_at(terms, part, at) for at in _times(terms, period)), default=0
    )


def _times(terms: Terms, period: str) -> Iterator[time]:
    """Yield every time of a period at which something may begin."""
    bounds = {time.min, SOLAR_FROM, SOLAR_UNTIL}
    for element in terms.elements:
        said = element.restrictions
        bounds |= {at for at in (said.start_time, said.end_time) if at is not None}
    for at in bounds:
        if (SOLAR_FROM <= at < SOLAR_UNTIL) == (period == "solar"):
            yield at


def _highest_at(terms: Terms, part: Part, at: time) -> int:
    """Return the highest price of energy at a time, on any day, for any charge."""
    highest = 0
    for element in terms.elements:
        said = element.restrictions
        if said.is_reservation or not holds_at(at, said):
            continue
        for component in element.components:
            if component.type == ComponentType.ENERGY and component.part == part:
                highest = max(highest, component.price_paise)
                if _is_sure(said):
                    return highest  # Nothing after it is ever asked.
    return highest


def _is_sure(said: Restrictions) -> bool:
    """Return whether an element holds whenever its time of day does."""
    return said == Restrictions(start_time=said.start_time, end_time=said.end_time)
