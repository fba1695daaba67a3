"""Tariffs as most operators know them: a price of energy, bands of the day, idle time.

What does not fit in here is written as terms; `SimplePrices.of` says which do.
"""

from dataclasses import dataclass
from typing import Any

from evcharge.tariffs.rules.terms import Component, ComponentType, Part, Terms

MINUTES_IN_HOUR = 60


@dataclass(frozen=True)
class Band:
    """From one wall time until another ("22:00", "06:00"), every day."""

    start: str
    end: str
    energy_paise: int


@dataclass(frozen=True)
class SimplePrices:
    """All in paise without tax. Where `electricity_paise` is given, the other prices
    of energy are the service charge on top of it."""

    energy_paise: int
    electricity_paise: int | None = None
    bands: tuple[Band, ...] = ()
    idle_paise_per_minute: int = 0
    idle_grace_minutes: int = 0
    start_paise: int = 0
    reservation_paise_per_hour: int = 0
    min_price_paise: int | None = None
    max_price_paise: int | None = None
    deposit_paise: int | None = None

    @property
    def terms(self) -> Terms:
        """Raises: TermsInvalid."""
        elements = [
            *self._electricity(),
            *(self._band(each) for each in self.bands),
            {"components": [self._energy(self.energy_paise)]},
            *self._once_and_idle(),
            *self._reservation(),
        ]
        return Terms.from_json(
            {
                "elements": elements,
                "min_price_paise": self.min_price_paise,
                "max_price_paise": self.max_price_paise,
                "idle_grace_minutes": self.idle_grace_minutes,
                "deposit_paise": self.deposit_paise,
            }
        )

    def _electricity(self) -> list[dict[str, Any]]:
        if self.electricity_paise is None:
            return []
        return [
            {
                "components": [
                    {
                        "type": "ENERGY",
                        "part": "electricity",
                        "price_paise": self.electricity_paise,
                    }
                ]
            }
        ]

    def _energy(self, paise: int) -> dict[str, Any]:
        part = Part.CHARGING if self.electricity_paise is None else Part.SERVICE
        return {"type": "ENERGY", "part": part.value, "price_paise": paise}

    def _band(self, band: Band) -> dict[str, Any]:
        return {
            "components": [self._energy(band.energy_paise)],
            "restrictions": {"start_time": band.start, "end_time": band.end},
        }

    def _once_and_idle(self) -> list[dict[str, Any]]:
        components = []
        if self.start_paise:
            components.append({"type": "FLAT", "price_paise": self.start_paise})
        if self.idle_paise_per_minute:
            per_hour = self.idle_paise_per_minute * MINUTES_IN_HOUR
            components.append({"type": "PARKING_TIME", "price_paise": per_hour})
        return [{"components": components}] if components else []

    def _reservation(self) -> list[dict[str, Any]]:
        if not self.reservation_paise_per_hour:
            return []
        price = self.reservation_paise_per_hour
        return [
            {
                "components": [{"type": "TIME", "price_paise": price}],
                "restrictions": {"is_reservation": True},
            }
        ]

    @classmethod
    def of(cls, terms: Terms) -> "SimplePrices | None":
        """Return the prices that make just these terms; None where none do."""
        read = _read(terms)
        return read if read is not None and read.terms == terms else None


def _read(terms: Terms) -> SimplePrices | None:
    """Return what the terms look like. Whoever asks compares."""
    prices: dict[str, int] = {}
    bands: list[Band] = []
    for element in terms.elements:
        said = element.restrictions
        for component in element.components:
            if said.start_time is not None and said.end_time is not None:
                start, end = (f"{at:%H:%M}" for at in (said.start_time, said.end_time))
                bands.append(Band(start, end, component.price_paise))
            else:
                prices[_name(component, is_reservation=said.is_reservation)] = (
                    component.price_paise
                )
    if "energy" not in prices:
        return None
    return SimplePrices(
        energy_paise=prices["energy"],
        electricity_paise=prices.get("electricity"),
        bands=tuple(bands),
        idle_paise_per_minute=prices.get("idle", 0) // MINUTES_IN_HOUR,
        idle_grace_minutes=terms.idle_grace_minutes,
        start_paise=prices.get("start", 0),
        reservation_paise_per_hour=prices.get("reservation", 0),
        min_price_paise=terms.min_price_paise,
        max_price_paise=terms.max_price_paise,
        deposit_paise=terms.deposit_paise,
    )


def _name(component: Component, *, is_reservation: bool) -> str:
    if is_reservation:
        return "reservation"
    if component.type == ComponentType.ENERGY:
        is_electricity = component.part == Part.ELECTRICITY
        return "electricity" if is_electricity else "energy"
    names = {ComponentType.FLAT: "start", ComponentType.PARKING_TIME: "idle"}
    return names.get(component.type, "time")
