"""Stretches of days that people in the console choose from, by the clock in India."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from evcharge.web.formats import INDIA

DAY = timedelta(days=1)
# What the address says, and what people read.
CHOICES = (("today", "Today"), ("7d", "7 days"), ("30d", "30 days"))
_DAYS = {"today": 1, "7d": 7, "30d": 30}
USUAL = "7d"


@dataclass(frozen=True)
class Period:
    """The last `days` days up to `until`, today included, and as many before.

    Both stretches end at the same time of day, so that half a day is never compared
    with a whole one.
    """

    name: str
    days: int
    since: datetime
    until: datetime

    @property
    def previous_since(self) -> datetime:
        return self.since - self.days * DAY

    @property
    def previous_until(self) -> datetime:
        return self.until - self.days * DAY


def midnight(now: datetime) -> datetime:
    """Return when today began."""
    today = now.astimezone(INDIA).date()
    return datetime.combine(today, time(), INDIA).astimezone(UTC)


def monday(now: datetime) -> datetime:
    """Return when this week began."""
    return midnight(now) - now.astimezone(INDIA).weekday() * DAY


def period_from_query(asked: str | None, *, now: datetime) -> Period:
    """Return the period of that name; the usual one if there is none."""
    name = asked if asked in _DAYS else USUAL
    days = _DAYS[name]
    return Period(name, days, midnight(now) - (days - 1) * DAY, now)
