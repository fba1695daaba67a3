"""What reports count, and how numbers of two stretches of time are compared.

Days are those of the clock in India, wherever a charger stands; its zone has no
summer time, so a day is always as long as another.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import accumulate

from evcharge.bookings.rules import slot_no

SECONDS_EAST = 19_800  # India is five and a half hours ahead of UTC.
DAY_SECONDS = 86_400
QUARTER_SECONDS = 900
QUARTERS_EAST = SECONDS_EAST // QUARTER_SECONDS
QUARTERS_A_DAY = DAY_SECONDS // QUARTER_SECONDS
QUARTERS_AN_HOUR = 4
THURSDAY = 3  # The first day of the epoch.
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = range(24)
_EPOCH = date(1970, 1, 1)


class JobState(StrEnum):
    """Where a job is: `kernel.jobs` keeps instants, people want a word."""

    FAILED = "failed"
    RUNNING = "running"
    WAITING = "waiting"
    DONE = "done"


def day_no(at: datetime) -> int:
    """Return the number of the day, counted in India from the epoch."""
    return (int(at.timestamp()) + SECONDS_EAST) // DAY_SECONDS


def second_of_day(at: datetime) -> int:
    return (int(at.timestamp()) + SECONDS_EAST) % DAY_SECONDS


def date_of(day: int) -> date:
    return _EPOCH + timedelta(days=day)


# ── what happened on which day ───────────────────────────────────────────────────


@dataclass(frozen=True)
class PerDay:
    """Sums by day number: of the whole day, and up to the time of day it is now.

    With both, half of today is compared with half of another day.
    """

    whole: Mapping[int, int]
    early: Mapping[int, int]

    def until_now(self, days: int, today: int) -> int:
        """Sum the last `days` days, today included."""
        return self._sum(today - days + 1, today)

    def the_time_before(self, days: int, today: int) -> int:
        """Sum as many days before those, up to the same time of day."""
        return self._sum(today - 2 * days + 1, today - days)

    def _sum(self, first: int, last: int) -> int:
        whole = sum(self.whole.get(day, 0) for day in range(first, last))
        return whole + self.early.get(last, 0)

    def since_monday(self, today: int) -> int:
        return self.until_now(weekday(today) + 1, today)

    def last_week(self, today: int) -> int:
        """Sum the week before this one up to the same weekday and time."""
        return self._sum(today - weekday(today) - 7, today - 7)

    def each(self, days: int, today: int) -> list[int]:
        return [self.whole.get(day, 0) for day in range(today - days + 1, today + 1)]


def weekday(day: int) -> int:
    """Monday is 0."""
    return (day + THURSDAY) % 7


# ── how much of the time on offer was booked ─────────────────────────────────────


class StretchKind(StrEnum):
    BOOKED = "booked"
    BLOCKED = "blocked"
    OFFERED = "offered"


@dataclass(frozen=True)
class Stretch:
    """So many EVSEs are booked, blocked or offered over the quarters `[first, end)`."""

    kind: StretchKind
    first: int
    end: int
    count: int


@dataclass(frozen=True)
class Usage:
    """How many EVSEs were booked, and on offer, by quarter hour from `first` on."""

    first: int
    booked: Sequence[int]
    offered: Sequence[int]

    @property
    def end(self) -> int:
        return self.first + len(self.booked)

    def share(self, first: int, end: int) -> float:
        """Return the booked part of what was on offer in `[first, end)`, 0 to 1."""
        within = slice(max(0, first - self.first), max(0, end - self.first))
        return _share(sum(self.booked[within]), sum(self.offered[within]))

    def each_day(self, first: int, end: int) -> list[float]:
        """Return the share of every day that a stretch of days consists of."""
        return [
            self.share(start, min(end, start + QUARTERS_A_DAY))
            for start in range(first, max(end, first + 1), QUARTERS_A_DAY)
        ]

    def by_hour(self, first: int, end: int) -> list[list[float]]:
        """Return the share by weekday, Monday first, and hour of the day."""
        booked = [[0] * len(HOURS) for _ in WEEKDAYS]
        offered = [[0] * len(HOURS) for _ in WEEKDAYS]
        for quarter in range(max(first, self.first), min(end, self.end)):
            day, within = divmod(quarter + QUARTERS_EAST, QUARTERS_A_DAY)
            row, hour = weekday(day), within // QUARTERS_AN_HOUR
            booked[row][hour] += self.booked[quarter - self.first]
            offered[row][hour] += self.offered[quarter - self.first]
        return [
            [_share(*pair) for pair in zip(taken, all_, strict=True)]
            for taken, all_ in zip(booked, offered, strict=True)
        ]


def usage_of(stretches: Iterable[Stretch], *, first: int, end: int) -> Usage:
    """Add up stretches quarter hour by quarter hour, within `[first, end)`."""
    steps = {kind: [0] * (end - first + 1) for kind in StretchKind}
    for stretch in stretches:
        start, stop = max(first, stretch.first), min(end, stretch.end)
        if start < stop:
            steps[stretch.kind][start - first] += stretch.count
            steps[stretch.kind][stop - first] -= stretch.count
    booked, blocked, offered = (
        list(accumulate(steps[kind]))[:-1] for kind in StretchKind
    )
    there = [all_ - out for all_, out in zip(offered, blocked, strict=True)]
    return Usage(first, booked, there)


def _share(part: int, whole: int) -> float:
    return part / whole if whole > 0 else 0.0


@dataclass(frozen=True)
class Quarters:
    """The quarter hours of a period that are over, and of the time before it."""

    first: int
    end: int
    days: int

    @classmethod
    def of(cls, *, since: datetime, until: datetime, days: int) -> "Quarters":
        return cls(slot_no(since), slot_no(until), days)

    @property
    def previous_first(self) -> int:
        return self.first - self.days * QUARTERS_A_DAY

    @property
    def previous_end(self) -> int:
        return self.end - self.days * QUARTERS_A_DAY
