"""What a slot costs before it begins: one place for whoever offers, books or moves."""

from dataclasses import dataclass, field

from evcharge.bookings.rules import Slot
from evcharge.kernel.money import HOUR, for_started_hours
from evcharge.tariffs.rules.agreed import Agreed, Quote


@dataclass(frozen=True)
class Pricing:
    """How slots of an EVSE are priced: by a tariff, else by the started hour.

    The price for an hour has tax in it; what a tariff says is without.
    """

    paise_per_hour: int
    agreed: Agreed | None = None
    # A page of start times asks for amount, words and terms of every one.
    _advances: dict[Slot, Quote] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def amount_paise(self, slot: Slot) -> int:
        """Return what is paid for a slot at booking, tax included.

        Under a tariff it is an advance, of which the rest comes back.
        """
        if advance := self.advance(slot):
            return advance.taxed.total_paise
        return for_started_hours(slot.length, paise_per_hour=self.paise_per_hour)

    def advance(self, slot: Slot) -> Quote | None:
        if self.agreed is None:
            return None
        if slot not in self._advances:
            quote = self.agreed.quote(slot.starts_at, slot.ends_at)
            self._advances[slot] = quote
        return self._advances[slot]

    @staticmethod
    def started_hours(slot: Slot) -> int:
        return -(-slot.length // HOUR)
