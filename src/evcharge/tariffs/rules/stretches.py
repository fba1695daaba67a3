"""A charge cut into stretches in which nothing changes that a tariff looks at."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from evcharge.tariffs.rules.terms import DAYS, Restrictions, Terms

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

    @property
    def seconds(self) -> Fraction:
        """How long it lasted; never below 0, whatever clocks said."""
        return max(Fraction(0), _seconds(self.ends_at - self.starts_at))

    @property
    def charged_seconds(self) -> Fraction:
        return max(Fraction(0), _seconds(self.charged_until - self.starts_at))


@dataclass(frozen=True)
class Stretch:
    """`begins` and `lasts` in seconds, `had_wh` at its begin, `gives_wh` within it.

    One that lasts 0 is what was given out at the very start.
    """

    begins: Fraction
    lasts: Fraction
    had_wh: Fraction
    gives_wh: Fraction
    wall: datetime

    def fits(self, said: Restrictions) -> bool:
        return (
            _on_day(self.wall, said)
            and holds_at(self.wall.time(), said)
            and _within(self.had_wh, said.min_wh, said.max_wh)
            and _within(self.begins, said.min_seconds, said.max_seconds)
            and _within(self._power_w, said.min_w, said.max_w)
        )

    @property
    def _power_w(self) -> Fraction:
        # In no time no power is known; it counts as none.
        if not self.lasts:
            return Fraction(0)
        return self.gives_wh * WH_SECONDS_IN_W / self.lasts


def _on_day(wall: datetime, said: Restrictions) -> bool:
    if said.start_date is not None and wall.date() < said.start_date:
        return False
    if said.end_date is not None and wall.date() >= said.end_date:
        return False
    return not said.day_of_week or DAYS[wall.weekday()] in said.day_of_week


def holds_at(at: time, said: Restrictions) -> bool:
    """Return whether a wall time lies between the times of a restriction."""
    start = said.start_time or time.min
    if said.end_time is None:
        return at >= start
    if start < said.end_time:
        return start <= at < said.end_time
    return at >= start or at < said.end_time  # Over midnight; twice the same: all day.


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
        usage.charged_seconds,
        usage.charged_seconds + terms.idle_grace_minutes * 60,
    }
    end = usage.seconds
    inside = sorted(at for at in cuts | {Fraction(0), end} if 0 <= at <= end)
    where = ZoneInfo(zone)
    if at_once := known[0][1]:
        nothing = Fraction(0)
        yield Stretch(nothing, nothing, nothing, at_once, origin.astimezone(where))
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
        at = _seconds(reading.at - usage.starts_at)
        highest = max(highest, Fraction(reading.energy_wh))
        found[min(max(at, Fraction(0)), usage.seconds)] = highest
    return sorted(found.items())


def _energy_at(known: Sequence[tuple[Fraction, Fraction]], at: Fraction) -> Fraction:
    number = bisect_left(known, (at,))
    if number == len(known):
        return known[-1][1]
    until, has = known[number]
    if until == at:
        return has
    since, had = known[number - 1]
    return had + (has - had) * (at - since) / (until - since)


def _moments(
    terms: Terms, stretch: tuple[datetime, datetime], zone: str
) -> Iterator[Fraction]:
    """Yield every midnight, every wall time that the terms name, every clock change.

    A wall time that comes twice in an autumn night is yielded twice.
    """
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
            for fold in (0, 1):
                at = datetime.combine(day, wall.replace(fold=fold), where)
                yield _seconds(at.astimezone(UTC) - starts_at)
        day += DAY
    for at in _clock_changes(starts_at, ends_at, where):
        yield _seconds(at - starts_at)


def _clock_changes(
    starts_at: datetime, ends_at: datetime, where: ZoneInfo
) -> Iterator[datetime]:
    """Yield when the clocks of a zone went forward or back; never twice in a day."""
    while starts_at < ends_at:
        until = min(starts_at + DAY, ends_at)
        old, before, after = _offset(starts_at, where), starts_at, until
        if _offset(until, where) != old:
            while after - before > MICROSECOND:
                middle = before + (after - before) // 2
                if _offset(middle, where) == old:
                    before = middle
                else:
                    after = middle
            yield after
        starts_at = until


def _offset(at: datetime, where: ZoneInfo) -> timedelta | None:
    return at.astimezone(where).utcoffset()


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
