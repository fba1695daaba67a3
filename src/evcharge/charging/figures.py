"""What a session comes to by now: how long, how much, how strong."""

from datetime import datetime, timedelta

from evcharge.charging.models import ChargingSession
from evcharge.kernel.money import for_started_hours

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def lasting(charge: ChargingSession, *, now: datetime) -> timedelta:
    """Return how long it lasts, or lasted; nothing before it began."""
    if charge.started_at is None:
        return timedelta()
    return max(timedelta(), (charge.ended_at or now) - charge.started_at)


def amount_paise(charge: ChargingSession, *, now: datetime) -> int:
    """Return what it costs up to now. One on a booking is paid with that."""
    if charge.started_at is None or charge.ended_at is not None:
        return charge.amount_paise
    return for_started_hours(
        lasting(charge, now=now), paise_per_hour=charge.price_paise_per_hour
    )


def mean_power_w(charge: ChargingSession, *, now: datetime) -> int | None:
    """Return the power over the whole time; None while that is too short to say."""
    lasts = lasting(charge, now=now)
    return None if lasts < MINUTE else round(charge.energy_wh * (HOUR / lasts))
