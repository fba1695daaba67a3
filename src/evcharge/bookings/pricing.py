"""What a slot costs before it begins: one place for whoever offers, books or moves."""

from evcharge.bookings.rules import Slot
from evcharge.kernel.money import for_started_hours
from evcharge.tariffs.rules.agreed import Agreed


def price_of_slot(slot: Slot, agreed: Agreed | None, paise_per_hour: int) -> int:
    """Return what is paid for a slot at booking, tax included.

    Under a tariff an advance, of which the rest comes back; else its price for every
    started hour.
    """
    if agreed is None:
        return for_started_hours(slot.length, paise_per_hour=paise_per_hour)
    return agreed.quote(slot.starts_at, slot.ends_at).taxed.total_paise
