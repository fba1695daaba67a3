"""Money is an integer number of paise. Rupees exist only on screens and invoices."""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

HOUR = timedelta(hours=1)


def round_to_paise(amount: Decimal) -> int:
    """Round a computed amount (in paise) half up, as tax invoices do."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def share(amount_paise: int, *, percent: int) -> int:
    """Return so many percent of an amount, rounded half up."""
    return round_to_paise(Decimal(amount_paise) * percent / 100)


def for_started_hours(length: timedelta, *, paise_per_hour: int) -> int:
    """Return the price of a stretch of time in which every started hour counts."""
    return -(-length // HOUR) * paise_per_hour
