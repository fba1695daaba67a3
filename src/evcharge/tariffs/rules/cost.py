"""What a charge comes to under a tariff, before tax. Exact until the last rounding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from evcharge.kernel.money import round_to_paise
from evcharge.tariffs.rules.conditions import conditions
from evcharge.tariffs.rules.stretches import Stretch, Usage, stretches
from evcharge.tariffs.rules.terms import (
    Component,
    ComponentType,
    Part,
    Restrictions,
    Terms,
)

HOUR_SECONDS = 3600
WH_IN_KWH = 1000
UNITS = {
    ComponentType.ENERGY: (WH_IN_KWH, "kWh"),
    ComponentType.TIME: (HOUR_SECONDS, "h"),
    ComponentType.PARKING_TIME: (HOUR_SECONDS, "h"),
    ComponentType.FLAT: (1, ""),
}
NAMES = {
    ComponentType.TIME: "Charging time",
    ComponentType.PARKING_TIME: "Standing after charging",
    ComponentType.FLAT: "Start",
}
PARTS = {
    Part.CHARGING: "Energy",
    Part.ELECTRICITY: "Electricity",
    Part.SERVICE: "Service",
}


@dataclass(frozen=True)
class CostLine:
    """`quantity` and `unit_price_paise` are decimals as text; `amount_paise` is rounded
    so that all lines add up to the whole."""

    text: str
    part: str
    quantity: str
    unit: str
    unit_price_paise: str
    amount_paise: int

    @property
    def label(self) -> str:
        return line_label(self.text, self.quantity, self.unit)


def line_label(text: str, quantity: str, unit: str) -> str:
    """Return what a table says of a line: "Energy, 15 kWh"."""
    return f"{text}, {quantity} {unit}" if unit else text


@dataclass(frozen=True)
class Cost:
    """In paise before tax. `exact_paise` is before rounding and before the least and
    the highest price."""

    lines: tuple[CostLine, ...]
    net_paise: int
    exact_paise: Fraction


@dataclass(frozen=True)
class _Place:
    """Which component, of which element: the lines of a bill follow this order."""

    element: int
    component: int


def cost_of(terms: Terms, usage: Usage, zone: str) -> Cost:
    """Apply a tariff. `zone` is the location's, whose wall clock restrictions mean.

    The first element that fits a moment and has a component of a type decides for it
    (for energy: of a type and part), as OCPI 2.2.1, section 11.3.1, says.
    """
    used: dict[_Place, Fraction] = {}
    _use_charge(terms, usage, zone, used)
    if usage.reserved is not None:
        _use_reservation(terms, usage.reserved, zone, used)
    _fill_steps(terms, used)
    return _priced(terms, used)


def cost_together(terms: Terms, usages: Sequence[Usage], zone: str) -> Cost:
    """Apply a tariff to several charges of one bill: least and highest price count
    once, for all of them; what is asked for a start counts for each."""
    unbounded = replace(terms, min_price_paise=None, max_price_paise=None)
    costs = [cost_of(unbounded, usage, zone) for usage in usages]
    lines = [line for cost in costs for line in cost.lines]
    exact = sum((cost.exact_paise for cost in costs), Fraction(0))
    if any(usage.starts_at < usage.ends_at for usage in usages):
        lines += _bounded(terms, sum(line.amount_paise for line in lines))
    return Cost(tuple(lines), sum(line.amount_paise for line in lines), exact)


# ── what was used of which component ─────────────────────────────────────────────


def _use_charge(
    terms: Terms, usage: Usage, zone: str, used: dict[_Place, Fraction]
) -> None:
    full_at = usage.charged_seconds
    idle_at = full_at + terms.idle_grace_minutes * 60
    has_begun = False
    for stretch in stretches(terms, usage, zone):
        amounts = {ComponentType.ENERGY: stretch.gives_wh}
        if stretch.begins < full_at:
            amounts[ComponentType.TIME] = stretch.lasts
        elif stretch.begins >= idle_at:
            amounts[ComponentType.PARKING_TIME] = stretch.lasts
        if not has_begun:
            amounts[ComponentType.FLAT] = Fraction(1)
        decided = _use(terms, stretch, amounts, used, is_reservation=False)
        has_begun |= ComponentType.FLAT in decided


def _use_reservation(
    terms: Terms,
    reserved: tuple[datetime, datetime],
    zone: str,
    used: dict[_Place, Fraction],
) -> None:
    starts_at, ends_at = reserved
    slot = Usage(starts_at, ends_at, (), ends_at)
    amounts = {ComponentType.FLAT: Fraction(1)}
    for stretch in stretches(terms, slot, zone):
        amounts[ComponentType.TIME] = stretch.lasts
        decided = _use(terms, stretch, amounts, used, is_reservation=True)
        if ComponentType.FLAT in decided:
            amounts.pop(ComponentType.FLAT, None)


def _use(
    terms: Terms,
    stretch: Stretch,
    amounts: dict[ComponentType, Fraction],
    used: dict[_Place, Fraction],
    *,
    is_reservation: bool,
) -> set[ComponentType]:
    """Add amounts to the components that decide; return the types that had one."""
    decided = set()
    for number, element in enumerate(terms.elements):
        if element.restrictions.is_reservation != is_reservation:
            continue
        if not stretch.fits(element.restrictions):
            continue
        for index, component in enumerate(element.components):
            what = (component.type, component.part)
            if what in decided or component.type not in amounts:
                continue
            decided.add(what)
            place = _Place(number, index)
            # Taken out and put back: the last one used is the last in the dict.
            so_far = used.pop(place, Fraction(0))
            used[place] = so_far + amounts[component.type]
    return {kind for kind, _ in decided}


def _fill_steps(terms: Terms, used: dict[_Place, Fraction]) -> None:
    """Bill whole steps: what is missing to the next one counts at the price used last.

    OCPI 2.2.1, section 11.4.2: the step of the component used last, on the total of its
    type; of charging and of standing after it, only the total of standing is filled up.
    """
    last: dict[tuple[ComponentType, Part, bool], _Place] = {}
    totals: dict[tuple[ComponentType, Part, bool], Fraction] = {}
    for place, amount in used.items():
        if not amount:
            continue
        component, said = _component(terms, place)
        what = (component.type, component.part, said.is_reservation)
        last[what] = place
        totals[what] = totals.get(what, Fraction(0)) + amount
    if (ComponentType.PARKING_TIME, Part.CHARGING, False) in last:
        last.pop((ComponentType.TIME, Part.CHARGING, False), None)
    for what, place in last.items():
        step = _component(terms, place)[0].step_size
        if what[0] == ComponentType.FLAT or step <= 1:
            continue
        used[place] += -(-totals[what] // step) * step - totals[what]


def _component(terms: Terms, place: _Place) -> tuple[Component, Restrictions]:
    element = terms.elements[place.element]
    return element.components[place.component], element.restrictions


# ── what that costs ──────────────────────────────────────────────────────────────


def _priced(terms: Terms, used: dict[_Place, Fraction]) -> Cost:
    drafts = []
    for place in sorted(used, key=lambda each: (each.element, each.component)):
        component, said = _component(terms, place)
        unit_size, _ = UNITS[component.type]
        amount = used[place] / unit_size * component.price_paise
        if amount:
            drafts.append((_line(component, said, used[place]), amount))
    exact = sum((amount for _, amount in drafts), Fraction(0))
    rounded = round_to_paise(_decimal(exact))
    lines = list(_shared_out(drafts, rounded))
    if _was_used(terms, used):
        lines += _bounded(terms, rounded)
    return Cost(tuple(lines), sum(each.amount_paise for each in lines), exact)


def _was_used(terms: Terms, used: dict[_Place, Fraction]) -> bool:
    """Return whether there was a charge: the least price is not for nothing at all."""
    return any(
        amount and not _component(terms, place)[1].is_reservation
        for place, amount in used.items()
    )


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _shared_out(
    drafts: list[tuple[CostLine, Fraction]], whole: int
) -> Iterator[CostLine]:
    """Round lines so that they add up: the largest remainders are rounded up."""
    missing = whole - sum(int(amount) for _, amount in drafts)
    order = sorted(range(len(drafts)), key=lambda n: drafts[n][1] % 1, reverse=True)
    up = set(order[:missing])
    for number, (line, amount) in enumerate(drafts):
        yield replace(line, amount_paise=int(amount) + (number in up))


def _bounded(terms: Terms, paise: int) -> Iterator[CostLine]:
    low, high = terms.min_price_paise, terms.max_price_paise
    if low is not None and paise < low:
        yield CostLine("Up to the least price", "least", "", "", "", low - paise)
    elif high is not None and paise > high:
        yield CostLine("Down to the highest price", "most", "", "", "", high - paise)


def _line(component: Component, said: Restrictions, used: Fraction) -> CostLine:
    size, unit = UNITS[component.type]
    return CostLine(
        text=text_of(component, said),
        part=_part(component, said),
        quantity=_number(used / size),
        unit=unit,
        unit_price_paise=str(component.price_paise),
        amount_paise=0,
    )


def _part(component: Component, said: Restrictions) -> str:
    if said.is_reservation:
        return "reservation"
    if component.type == ComponentType.ENERGY:
        return component.part.value
    return {"TIME": "time", "PARKING_TIME": "idle", "FLAT": "start"}[component.type]


def text_of(component: Component, said: Restrictions) -> str:
    """Return what a component is for, and when it applies: "Service, 09:00–16:00"."""
    if said.is_reservation:
        name = "Reservation"
    elif component.type == ComponentType.ENERGY:
        name = PARTS[component.part]
    else:
        name = NAMES[component.type]
    return ", ".join((name, *conditions(said)))


def _number(value: Fraction) -> str:
    """At most four digits after the point, without zeros at the end."""
    text = f"{_decimal(value):.4f}".rstrip("0").rstrip(".")
    return text or "0"
