"""When can this EVSE be had? Days and start times as a picker shows them."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from evcharge.bookings.queries import Claimed
from evcharge.bookings.rules import (
    QUARTER,
    Limits,
    Slot,
    SlotNotBookable,
    check_slot,
    slot_no,
    slot_start,
)
from evcharge.stations.rules import ClaimedBy
from evcharge.stations.rules.opening import OpeningHours

HOUR = timedelta(hours=1)
A_DAY = timedelta(hours=24)
SHORT_LENGTHS = tuple(timedelta(minutes=minutes) for minutes in (15, 30, 45, 60, 90))

# Where one part of the day ends and the next begins, on the clock at the charger.
PARTS = ((0, "Night"), (6, "Morning"), (12, "Afternoon"), (17, "Evening"))


class Quarter(StrEnum):
    """What a quarter hour is to the one who looks; `_strip.html` draws these words."""

    FREE = "free"
    TAKEN = "taken"
    YOURS = "yours"
    BLOCKED = "blocked"
    PAST = "past"


@dataclass(frozen=True)
class Day:
    on: date
    is_full: bool


@dataclass(frozen=True)
class Start:
    """A time to begin at. `quarter` says why it cannot be had, if it cannot."""

    slot: Slot
    quarter: Quarter

    @property
    def is_free(self) -> bool:
        return self.quarter == Quarter.FREE


@dataclass(frozen=True)
class PartOfDay:
    name: str
    starts: tuple[Start, ...]

    @property
    def free(self) -> int:
        return sum(start.is_free for start in self.starts)

    def has(self, slot: Slot | None) -> bool:
        return any(start.slot == slot for start in self.starts)


@dataclass(frozen=True)
class Calendar:
    """What is not free of one EVSE, from now for as far ahead as can be booked.

    Made of `claims_between` and `check_slot`, as booking is: what it offers can be
    had, unless someone else is quicker. `own` is in nobody's way: the quarter hours
    of a booking that is about to move.
    """

    zone: ZoneInfo
    limits: Limits
    now: datetime
    claimed: dict[int, Quarter]
    hours: OpeningHours
    own: range = range(0)

    def is_bookable(self, slot: Slot) -> bool:
        """May it be booked at all, if nobody had it?"""
        try:
            check_slot(slot, limits=self.limits, now=self.now)
        except SlotNotBookable:
            return False
        return self.hours.covers(slot.starts_at, slot.ends_at)

    def is_free(self, slot: Slot) -> bool:
        return self.is_bookable(slot) and self._in_the_way(slot) == Quarter.FREE

    def days(self, length: timedelta) -> list[Day]:
        """The days to choose from. A day is full when `length` fits nowhere in it."""
        today = self.day_of(self.now)
        days = (
            today + timedelta(days=ahead) for ahead in range(self.limits.ahead.days)
        )
        return [Day(on, is_full=not self.has_room(on, length)) for on in days]

    def has_room(self, on: date, length: timedelta) -> bool:
        return any(self.is_free(slot) for slot in self._slots(on, length))

    def starts(self, on: date, length: timedelta) -> list[Start]:
        """Every start of the day that is not past, free or not."""
        return [
            Start(slot, self._in_the_way(slot))
            for slot in self._slots(on, length)
            if self.is_bookable(slot)
        ]

    def parts(self, on: date, length: timedelta) -> list[PartOfDay]:
        """The same starts, by the part of the day; parts without any are left out."""
        starts = self.starts(on, length)
        ends = [hour for hour, _ in PARTS[1:]] + [24]
        parts = (
            PartOfDay(name, tuple(self._between(starts, begin, end)))
            for (begin, name), end in zip(PARTS, ends, strict=True)
        )
        return [part for part in parts if part.starts]

    def cells(self, on: date) -> list[Quarter]:
        """What each quarter hour is, for the picture of the day."""
        return [self._cell(number) for number in self._pictured(on)]

    def starts_of_picture(self, on: date) -> datetime:
        return slot_start(self._pictured(on).start).astimezone(self.zone)

    def now_index(self, on: date) -> int | None:
        """Where in the picture of the day now is; None on any other day."""
        current, pictured = slot_no(self.now), self._pictured(on)
        return current - pictured.start if current in pictured else None

    def _pictured(self, on: date) -> range:
        """The day; for today the 24 hours from this hour, as much of it may be over."""
        if on != self.day_of(self.now):
            return self._quarters(on)
        hour = self.now.astimezone(self.zone).replace(minute=0)
        first = slot_no(hour)
        return range(first, first + A_DAY // QUARTER)

    def _cell(self, number: int) -> Quarter:
        if number < slot_no(self.now):
            return Quarter.PAST
        is_open = self.hours.is_open(slot_start(number))
        return self.claimed.get(number, Quarter.FREE if is_open else Quarter.BLOCKED)

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def _slots(self, on: date, length: timedelta) -> Iterator[Slot]:
        for number in self._quarters(on):
            starts_at = slot_start(number)
            yield Slot(starts_at, starts_at + length)

    def _quarters(self, on: date) -> range:
        """Ninety-six, but for days on which the clocks change."""
        begin, end = (
            datetime.combine(day, time(), self.zone).astimezone(UTC)
            for day in (on, on + timedelta(days=1))
        )
        return range(slot_no(begin), slot_no(end))

    def _in_the_way(self, slot: Slot) -> Quarter:
        """Return whose the first quarter hour is that is not to be had."""
        foreign = (number for number in slot.quarters if number not in self.own)
        quarters = (self.claimed.get(number) for number in foreign)
        return next((quarter for quarter in quarters if quarter), Quarter.FREE)

    def _between(
        self, starts: Iterable[Start], begin: int, end: int
    ) -> Iterator[Start]:
        for start in starts:
            if begin <= start.slot.starts_at.astimezone(self.zone).hour < end:
                yield start


def quarters_ahead(limits: Limits, now: datetime) -> range:
    """Return all the quarter hours that a booking made now could touch."""
    latest = now + limits.ahead + limits.longest
    return range(slot_no(now), slot_no(latest) + 1)


def claimed_quarters(
    claims: Iterable[Claimed], *, user_id: int | None
) -> dict[int, Quarter]:
    return {claim.slot_no: _claimed_as(claim, user_id) for claim in claims}


def _claimed_as(claim: Claimed, user_id: int | None) -> Quarter:
    if claim.kind == ClaimedBy.BLOCK:
        return Quarter.BLOCKED
    is_mine = user_id is not None and claim.user_id == user_id
    return Quarter.YOURS if is_mine else Quarter.TAKEN


def lengths(limits: Limits, chosen: timedelta) -> list[timedelta]:
    """Return the lengths to choose from, the chosen one among them."""
    hours = range(2, limits.longest // HOUR + 1)
    usual = {*SHORT_LENGTHS, *(hour * HOUR for hour in hours)}
    return sorted({each for each in usual if fits(each, limits)} | {chosen})


def fits(length: timedelta, limits: Limits) -> bool:
    return not length % QUARTER and limits.shortest <= length <= limits.longest


def first_day_with_room(days: Collection[Day], today: date) -> date:
    """Return the day to show to someone who has not chosen one."""
    return next((day.on for day in days if not day.is_full), today)
