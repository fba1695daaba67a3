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


def grouped(count: int) -> str:
    """Group digits the Indian way: `1,23,456`."""
    sign, digits = ("−", str(-count)) if count < 0 else ("", str(count))
    head, tail = digits[:-3], digits[-3:]
    pairs = []
    while head:
        head, pair = head[:-2], head[-2:]
        pairs.append(pair)
    return sign + ",".join([*reversed(pairs), tail])


def rupees_short(paise: int) -> str:
    """Without paise where there are none: `₹18`, `₹18.50`."""
    return rupees(paise).removesuffix(".00")


def rupees_typed(paise: int) -> str:
    """As people type it into a field: `18`, `1234.50`."""
    return f"{Decimal(paise) / 100:.2f}".removesuffix(".00")


def rupees(paise: int) -> str:
    """Always with paise, so that columns line up: `₹1,23,456.50`."""
    sign = "−" if paise < 0 else ""
    whole, rest = divmod(abs(paise), 100)
    return f"{sign}₹{grouped(whole)}.{rest:02d}"
