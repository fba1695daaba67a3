"""A tariff as it was agreed to, kept with a booking or session: no edit reaches it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from evcharge.kernel.money import rupees_short
from evcharge.tariffs.rules.cost import Cost, CostLine, cost_of, cost_together
from evcharge.tariffs.rules.explained import explained
from evcharge.tariffs.rules.stretches import Reading, Usage
from evcharge.tariffs.rules.terms import ComponentType, Part, Restrictions, Terms
from evcharge.taxes.rules import Taxed, Treatment, add_tax

# A charge is strong at its begin and weak at its end: over a whole slot it is about
# this part of what the plug could give.
MEAN_PERCENT = 60
# An AC charger, where nobody said: it asks for the least in advance.
UNKNOWN_POWER_W = 7_400
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

    def cost_together(self, usages: Sequence[Usage]) -> Cost:
        """Return what several charges under one booking cost."""
        return cost_together(self.terms, usages, self.zone)

    def taxed(self, usage: Usage) -> Taxed:
        """Return what it costs with tax."""
        return add_tax(self.cost(usage).net_paise, self.tax)

    def expected_wh(self, length: timedelta) -> int:
        """Return what a vehicle is likely to take in a slot."""
        return expected_wh(self.power_w or UNKNOWN_POWER_W, length)

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

    def explained(self) -> list[tuple[str, str]]:
        """Return the terms in rows of label and price, before tax."""
        return explained(self.terms)

    def price_words(self) -> str:
        """Return the price in a line: "₹14–18 per kWh + ₹10 a charge + GST"."""
        tax = " + GST" if self.tax.percent else ""
        charging = _spans(self.terms, CHARGING_UNITS)
        # Who only pays for standing too long should be told that much.
        spans = charging or _spans(self.terms, STANDING_UNITS)
        return f"{' + '.join(spans)}{tax}" if spans else "Nothing to pay"


def expected_wh(power_w: int, length: timedelta) -> int:
    possible = power_w * MEAN_PERCENT * (length // timedelta(minutes=1))
    return min(MOST_EXPECTED_WH, possible // (100 * 60))


CHARGING_UNITS = {
    ComponentType.ENERGY: "per kWh",
    ComponentType.TIME: "per hour",
    ComponentType.FLAT: "a charge",
}
STANDING_UNITS = {ComponentType.PARKING_TIME: "per hour after charging"}


def _spans(terms: Terms, units: dict[ComponentType, str]) -> list[str]:
    spans = []
    for kind, unit in units.items():
        prices = _prices(terms, kind)
        if any(prices):
            low, high = rupees_short(min(prices)), rupees_short(max(prices))
            span = low if low == high else f"{low}–{high.removeprefix('₹')}"
            spans.append(f"{span} {unit}")
    return spans


@lru_cache(maxsize=500)
def _prices(terms: Terms, kind: ComponentType) -> tuple[int, ...]:
    """Return what a unit may cost, whenever: the parts of the price together.

    Elements that give all parts are looked at one by one; where parts come from
    different elements, it is the sum of the lowest and the sum of the highest.
    """
    always: dict[Part, int] = {}
    reachable: list[dict[Part, int]] = []
    for element in terms.elements:
        if element.restrictions.is_reservation:
            continue
        own = {
            each.part: each.price_paise
            for each in element.components
            if each.type == kind and each.part not in always
        }
        if own:
            reachable.append(own)
        if element.restrictions == Restrictions():
            always |= own
    parts = {part for own in reachable for part in own}
    whole = [always | own for own in reachable if set(always | own) == parts]
    if whole:
        return tuple(sum(each.values()) for each in whole)
    of_part = [[own[part] for own in reachable if part in own] for part in parts]
    return (sum(map(min, of_part)), sum(map(max, of_part)))
