"""A charge cut into stretches in which nothing changes that a tariff looks at."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from evcharge.tariffs.rules.terms import DAYS, Restrictions, Terms

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
WH_SECONDS_IN_W = 3600


@dataclass(frozen=True)
class Reading:
    """How much a charge had given out by a moment, since its start."""

    at: datetime
    energy_wh: int


@dataclass(frozen=True)
class Usage:
    """What a tariff is applied to. `charged_until`: when energy stopped flowing.

    `reserved`: the slot that was kept, if it was. Readings may come in any order and
    more than once; energy between two of them flowed evenly.
    """

    starts_at: datetime
    ends_at: datetime
    readings: tuple[Reading, ...]
    charged_until: datetime
    reserved: tuple[datetime, datetime] | None = None


@dataclass(frozen=True)
class Stretch:
    """`begins` and `lasts` in seconds, `had_wh` at its begin, `gives_wh` within it."""

    begins: Fraction
    lasts: Fraction
    had_wh: Fraction
    gives_wh: Fraction
    wall: datetime

    def fits(self, said: Restrictions) -> bool:
        return (
            _on_day(self.wall, said)
            and _at_time(self.wall, said)
            and _within(self.had_wh, said.min_wh, said.max_wh)
            and _within(self.begins, said.min_seconds, said.max_seconds)
            and _within(self._power_w, said.min_w, said.max_w)
        )

    @property
    def _power_w(self) -> Fraction:
        return self.gives_wh * WH_SECONDS_IN_W / self.lasts


def _on_day(wall: datetime, said: Restrictions) -> bool:
    if said.start_date is not None and wall.date() < said.start_date:
        return False
    if said.end_date is not None and wall.date() >= said.end_date:
        return False
    return not said.day_of_week or DAYS[wall.weekday()] in said.day_of_week


def _at_time(wall: datetime, said: Restrictions) -> bool:
    at = wall.time()
    start, end = said.start_time, said.end_time
    if start is None:
        return end is None or at < end
    if end is None:
        return at >= start
    if start < end:
        return start <= at < end
    return at >= start or at < end  # Over midnight; the same twice is all day.


def _within(value: Fraction, least: int | None, most: int | None) -> bool:
    return (least is None or value >= least) and (most is None or value < most)


def stretches(terms: Terms, usage: Usage, zone: str) -> Iterator[Stretch]:
    """Cut a charge wherever a restriction of the terms may begin or end to hold."""
    origin = usage.starts_at
    known = _known(usage)
    cuts = {
        *(at for at, _ in known),
        *_moments(terms, (origin, usage.ends_at), zone),
        *_durations(terms),
        *_crossings(terms, known),
        _seconds(usage.charged_until - origin),
        _seconds(
            usage.charged_until - origin + timedelta(minutes=terms.idle_grace_minutes)
        ),
    }
    end = _seconds(usage.ends_at - origin)
    inside = sorted(at for at in cuts | {Fraction(0), end} if 0 <= at <= end)
    where = ZoneInfo(zone)
    for begins, until in pairwise(inside):
        had, has = _energy_at(known, begins), _energy_at(known, until)
        wall = (origin + _delta(begins)).astimezone(where)
        yield Stretch(begins, until - begins, had, has - had, wall)


def _seconds(length: timedelta) -> Fraction:
    return Fraction(length // MICROSECOND, 1_000_000)


def _delta(seconds: Fraction) -> timedelta:
    return timedelta(microseconds=int(seconds * 1_000_000))


def _known(usage: Usage) -> list[tuple[Fraction, Fraction]]:
    """Return seconds and energy of every reading, in order and never falling."""
    highest = Fraction(0)
    found = {Fraction(0): highest}
    for reading in sorted(usage.readings, key=lambda each: (each.at, each.energy_wh)):
        at = min(max(reading.at, usage.starts_at), usage.ends_at)
        highest = max(highest, Fraction(reading.energy_wh))
        found[_seconds(at - usage.starts_at)] = highest
    return sorted(found.items())


def _energy_at(known: Sequence[tuple[Fraction, Fraction]], at: Fraction) -> Fraction:
    before = known[0]
    for after in known:
        if after[0] >= at:
            if after[0] == before[0]:
                return after[1]
            part = (at - before[0]) / (after[0] - before[0])
            return before[1] + (after[1] - before[1]) * part
        before = after
    return before[1]


def _moments(
    terms: Terms, stretch: tuple[datetime, datetime], zone: str
) -> Iterator[Fraction]:
    """Yield every midnight and every wall time that the terms name."""
    where = ZoneInfo(zone)
    starts_at, ends_at = stretch
    times = {
        each
        for element in terms.elements
        for each in (element.restrictions.start_time, element.restrictions.end_time)
        if each is not None
    }
    day = starts_at.astimezone(where).date()
    last = ends_at.astimezone(where).date()
    while day <= last:
        for wall in times | {datetime.min.time()}:
            at = datetime.combine(day, wall, where)
            yield _seconds(at.astimezone(starts_at.tzinfo) - starts_at)
        day += DAY


def _durations(terms: Terms) -> Iterator[Fraction]:
    for element in terms.elements:
        for bound in (
            element.restrictions.min_seconds,
            element.restrictions.max_seconds,
        ):
            if bound is not None:
                yield Fraction(bound)


def _crossings(
    terms: Terms, known: Iterable[tuple[Fraction, Fraction]]
) -> Iterator[Fraction]:
    """Yield when the energy reached what a restriction names."""
    bounds = {
        bound
        for element in terms.elements
        for bound in (element.restrictions.min_wh, element.restrictions.max_wh)
        if bound is not None
    }
    for (since, had), (until, has) in pairwise(known):
        for bound in bounds:
            if had < bound < has:
                yield since + (bound - had) / (has - had) * (until - since)
