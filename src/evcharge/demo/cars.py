"""How cars come and go at a demo charging point: decisions, without a database."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from evcharge.bookings.rules import Limits, slot_no
from evcharge.demo.demand import ARRIVALS, INDIA, MINUTE
from evcharge.stations.rules import IN_USE, OCCUPIED, ClaimedBy, Plug, ReportedStatus
from evcharge.stations.rules.opening import OpeningHours

SECOND = timedelta(seconds=1)
HOUR_IN_QUARTERS = 4
# Drivers who booked and have not come yet do so with this chance in each quarter hour.
PUNCTUAL = 0.75
LINGERING = 0.2
LONGEST_STAY = Limits().longest


@dataclass(frozen=True)
class Report:
    """What a plug says, or said last, and when."""

    plug: Plug
    status: ReportedStatus
    at: datetime


@dataclass(frozen=True)
class Point:
    """A charging point: its plugs, and who owns which quarter hours from now on.

    `is_promised`: somebody has paid for this very moment.
    """

    evse_id: int
    reports: Sequence[Report]
    hours: OpeningHours
    claims: Mapping[int, ClaimedBy]
    is_promised: bool

    @property
    def busy(self) -> Report | None:
        """The plug with a car, if there is one."""
        return next((r for r in self.reports if r.status in IN_USE | OCCUPIED), None)

    @property
    def broken(self) -> Report | None:
        return next(
            (r for r in self.reports if r.status == ReportedStatus.FAULTED), None
        )

    @property
    def is_idle(self) -> bool:
        return all(r.status == ReportedStatus.AVAILABLE for r in self.reports)

    def is_unclaimed(self, now: datetime) -> bool:
        """For the next hour."""
        first = slot_no(now)
        return self.claims.keys().isdisjoint(range(first, first + HOUR_IN_QUARTERS))


def next_report(point: Point, now: datetime) -> Report | None:
    """Return what a plug of this point has to say by now; None if nothing changed.

    Chance is drawn from what is stored, so it does not matter how often we ask, nor
    whether the program was restarted in between.
    """
    if point.busy is not None:
        return _moved_on(point, point.busy, now)
    if point.broken is not None:
        repaired = _drawn(point.broken, 20, 45, MINUTE)
        return _after(point.broken, repaired, ReportedStatus.AVAILABLE, now)
    if not point.is_idle:
        return Report(_unwell(point).plug, ReportedStatus.AVAILABLE, now)
    return _booked_arrival(point, now)


def _moved_on(point: Point, seen: Report, now: datetime) -> Report | None:
    if seen.status == ReportedStatus.PREPARING:
        return _after(seen, _drawn(seen, 20, 60, SECOND), ReportedStatus.CHARGING, now)
    if seen.status in IN_USE:
        if not _must_leave(point, seen, now):
            return None
        return Report(seen.plug, ReportedStatus.FINISHING, now)
    dice = _chance(seen)
    # Most drivers wait beside the car, some are still having lunch.
    longest = 900 if dice.random() < LINGERING else 150
    leaves = dice.uniform(40, longest) * SECOND
    return _after(seen, leaves, ReportedStatus.AVAILABLE, now)


def _must_leave(point: Point, seen: Report, now: datetime) -> bool:
    """Who has booked stays to the end; others until full, or until it is booked."""
    stayed = now - seen.at
    if stayed > LONGEST_STAY:  # The program was stopped meanwhile.
        return True
    number = slot_no(now)
    owner = point.claims.get(number)
    if owner is not None:
        return owner == ClaimedBy.BLOCK
    return number + 1 in point.claims or is_full(seen, now)


def is_full(seen: Report, now: datetime) -> bool:
    """Whether a car that began to charge then is done by now."""
    return now - seen.at >= _drawn(seen, 20, 75, MINUTE)


def _booked_arrival(point: Point, now: datetime) -> Report | None:
    dice = random.Random(f"{point.evse_id}:{slot_no(now)}")  # noqa: S311
    if not point.is_promised or dice.random() >= PUNCTUAL:
        return None
    return Report(point.reports[0].plug, ReportedStatus.PREPARING, now)


def occupied_share(now: datetime) -> float:
    """Of all points, how many have a car: a quarter at night, a third at the peak."""
    return 0.22 + 0.11 * ARRIVALS[now.astimezone(INDIA).hour] / max(ARRIVALS)


def _unwell(point: Point) -> Report:
    return next(r for r in point.reports if r.status != ReportedStatus.AVAILABLE)


def _after(
    seen: Report, wait: timedelta, status: ReportedStatus, now: datetime
) -> Report | None:
    return Report(seen.plug, status, now) if now - seen.at >= wait else None


def _drawn(seen: Report, low: int, high: int, unit: timedelta) -> timedelta:
    return _chance(seen).uniform(low, high) * unit


def _chance(seen: Report) -> random.Random:
    return random.Random(f"{seen.plug}:{seen.at.timestamp()}")  # noqa: S311
