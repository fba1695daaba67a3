"""What a tariff says, line by line, for people who want to know before they pay."""

from collections.abc import Iterator

from evcharge.kernel.money import rupees_short
from evcharge.tariffs.rules.cost import text_of
from evcharge.tariffs.rules.terms import (
    Component,
    ComponentType,
    Part,
    Restrictions,
    Terms,
)

MINUTES_IN_HOUR = 60
Row = tuple[str, str]


def explained(terms: Terms) -> list[Row]:
    """Return label and price of each row: ("Service, 09:00–16:00", "₹9 per kWh").

    Before tax. What can never apply, because an element before it always does, is
    left out.
    """
    return [*_components(terms), *_bounds(terms)]


def _components(terms: Terms) -> Iterator[Row]:
    always: set[tuple[ComponentType, Part, bool]] = set()
    sometimes: set[tuple[ComponentType, Part, bool]] = set()
    for element in terms.elements:
        said = element.restrictions
        for component in element.components:
            what = (component.type, component.part, said.is_reservation)
            if what in always:
                continue
            label = text_of(component, said)
            if said in (Restrictions(), Restrictions(is_reservation=True)):
                always.add(what)
                label += " at other times" if what in sometimes else ""
            sometimes.add(what)
            yield label, _price(component, terms.idle_grace_minutes)


def _price(component: Component, grace_minutes: int) -> str:
    paise = component.price_paise
    if component.type == ComponentType.ENERGY:
        return f"{rupees_short(paise)} per kWh"
    if component.type == ComponentType.FLAT:
        return f"{rupees_short(paise)} once"
    if component.type == ComponentType.TIME or paise % MINUTES_IN_HOUR:
        return f"{rupees_short(paise)} an hour"
    free = f", first {grace_minutes} min free" if grace_minutes else ""
    return f"{rupees_short(paise // MINUTES_IN_HOUR)} a minute{free}"


def _bounds(terms: Terms) -> Iterator[Row]:
    bounds = (
        ("At least", terms.min_price_paise, " a charge"),
        ("At most", terms.max_price_paise, " a charge"),
        ("Deposit at booking", terms.deposit_paise, ""),
    )
    for label, paise, unit in bounds:
        if paise is not None:
            yield label, f"{rupees_short(paise)}{unit}"
