"""A tariff as it was agreed to, kept with a booking or session: no edit reaches it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from evcharge.tariffs.rules.cost import Cost, CostLine, cost_of
from evcharge.tariffs.rules.stretches import Reading, Stretch, Usage
from evcharge.tariffs.rules.terms import ComponentType, Terms
from evcharge.taxes.rules import Taxed, Treatment, add_tax

HOUR = timedelta(hours=1)
# A charge is strong at its begin and weak at its end: over a whole slot it is about
# this part of what the plug could give.
MEAN_PERCENT = 60
# Few batteries in India take more from near empty to 80 %.
MOST_EXPECTED_WH = 40_000


@dataclass(frozen=True)
class Quote:
    """What is paid at booking. `lines` and `net_paise` are before tax.

    `is_deposit`: a fixed sum instead of the estimate; `energy_wh` is expected anyway.
    """

    lines: tuple[CostLine, ...]
    energy_wh: int
    net_paise: int
    taxed: Taxed
    is_deposit: bool


@dataclass(frozen=True)
class Agreed:
    """`power_w`: the strongest plug of the EVSE; `zone`: the location's time zone."""

    tariff_id: int
    name: str
    terms: Terms
    zone: str
    power_w: int
    tax: Treatment

    def as_json(self) -> dict[str, Any]:
        return {
            "tariff_id": self.tariff_id,
            "name": self.name,
            "terms": self.terms.as_json(),
            "zone": self.zone,
            "power_w": self.power_w,
            "tax_percent": self.tax.percent,
            "is_within_state": self.tax.is_within_state,
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Agreed":
        """Read what `as_json` wrote; nobody else writes it."""
        return cls(
            tariff_id=kept["tariff_id"],
            name=kept["name"],
            terms=Terms.from_json(kept["terms"]),
            zone=kept["zone"],
            power_w=kept["power_w"],
            tax=Treatment(kept["tax_percent"], kept["is_within_state"]),
        )

    def cost(self, usage: Usage) -> Cost:
        return cost_of(self.terms, usage, self.zone)

    def expected_wh(self, length: timedelta) -> int:
        """Return what a vehicle is likely to take in a slot."""
        possible = self.power_w * MEAN_PERCENT * (length // timedelta(minutes=1))
        return min(MOST_EXPECTED_WH, possible // (100 * 60))

    def quote(self, starts_at: datetime, ends_at: datetime) -> Quote:
        """Return what is to be paid for a slot before it: a deposit, or an estimate."""
        energy_wh = self.expected_wh(ends_at - starts_at)
        if self.terms.deposit_paise is not None:
            paise = self.terms.deposit_paise
            line = CostLine("Deposit", "deposit", "1", "", str(paise), paise)
            lines: tuple[CostLine, ...] = (line,)
            net = paise
        else:
            readings = (Reading(starts_at, 0), Reading(ends_at, energy_wh))
            slot = (starts_at, ends_at)
            cost = self.cost(Usage(starts_at, ends_at, readings, ends_at, slot))
            lines, net = cost.lines, cost.net_paise
        taxed = add_tax(net, self.tax)
        is_deposit = self.terms.deposit_paise is not None
        return Quote(lines, energy_wh, net, taxed, is_deposit)

    def price_words(self) -> str:
        """Return what matters most in a few words: "₹14–18 per kWh + GST"."""
        tax = " + GST" if self.tax.percent else ""
        for kind, unit in (
            (ComponentType.ENERGY, "per kWh"),
            (ComponentType.TIME, "per hour"),
            (ComponentType.FLAT, "a charge"),
        ):
            prices = _prices(self.terms, kind)
            if any(prices):
                low, high = _rupees(min(prices)), _rupees(max(prices))
                span = low if low == high else f"{low}–{high.removeprefix('₹')}"
                return f"{span} {unit}{tax}"
        return "Nothing to pay"


def _rupees(paise: int) -> str:
    rupees = Decimal(paise) / 100
    return f"₹{rupees:.2f}".removesuffix(".00")


@lru_cache(maxsize=500)
def _prices(terms: Terms, kind: ComponentType) -> tuple[int, ...]:
    """Return what a unit costs at any hour of any day of a week, without repeats."""
    monday = datetime(2026, 1, 5, tzinfo=ZoneInfo("UTC"))
    hours = (_price_at(terms, kind, monday + hour * HOUR) for hour in range(7 * 24))
    return tuple({price for price in hours if price is not None})


def _price_at(terms: Terms, kind: ComponentType, wall: datetime) -> int | None:
    moment = Stretch(Fraction(0), Fraction(1), Fraction(0), Fraction(0), wall)
    parts: dict[str, int] = {}
    for element in terms.elements:
        if element.restrictions.is_reservation or not moment.fits(element.restrictions):
            continue
        for component in element.components:
            if component.type == kind:
                parts.setdefault(component.part, component.price_paise)
    return sum(parts.values()) if parts else None
