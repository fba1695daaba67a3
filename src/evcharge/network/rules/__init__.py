"""What drivers search for, and what they are told about an EVSE."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from evcharge.bookings.rules import QUARTER, Slot, slot_no, slot_start
from evcharge.kernel.errors import InvalidInput
from evcharge.kernel.geo import Box, Point
from evcharge.stations.rules import (
    IN_USE,
    OCCUPIED,
    Access,
    ClaimedBy,
    ConnectorKind,
    EvseStatus,
    Lifecycle,
    ReportedStatus,
)
from evcharge.stations.rules.opening import OpeningHours

PER_PAGE = 20
# How far a search goes from where they are, unless the nearest come first anyway.
USUAL_RADIUS_M = 50_000
LAST_PAGE = 500  # What lies behind it nobody reads, and counting up to it costs.
LOOK_AHEAD = timedelta(hours=24)  # For the next free time.


class Order(StrEnum):
    """What comes first: the nearest or best match, the cheapest, strongest, surest."""

    DISTANCE = "distance"
    PRICE = "price"
    POWER = "power"
    RELIABILITY = "reliability"


@dataclass(frozen=True)
class Search:
    """Every condition must hold; EVSE conditions must hold for one and the same EVSE.

    `words` are folded. A free slot counts only where the EVSE can be booked for it.
    `radius_m` means nothing without `near`. `kinds`: any of them will do; all of the
    `amenities` must be there. Where a kWh comes to more than `most_paise_per_kwh`, or
    nobody knows, is not wanted. `is_working`: neither broken nor unheard of.
    """

    words: tuple[str, ...] = ()
    near: Point | None = None
    box: Box | None = None
    radius_m: int | None = None
    kinds: frozenset[ConnectorKind] = frozenset()
    min_power_w: int = 0
    amenities: frozenset[str] = frozenset()
    access: Access | None = None
    operator_id: int | None = None
    most_paise_per_kwh: int | None = None
    is_working: bool = False
    is_free_now: bool = False
    slot: Slot | None = None
    order: Order = Order.DISTANCE
    page: int = 1

    @property
    def outward_from(self) -> Point | None:
        """What the nearest to come first; None for best match, then by name."""
        if self.near is None and self.box is not None:
            return self.box.middle
        return self.near

    @property
    def is_for_index(self) -> bool:
        """Whether what they ask of an EVSE is in a row of the index: there, power and
        price may be those of different ones."""
        is_for_one = self.min_power_w > 0 and self.most_paise_per_kwh is not None
        is_live = self.is_working or self.is_free_now or self.slot is not None
        return not (is_live or is_for_one)

    def is_affordable(self, paise_per_kwh: int | None) -> bool:
        most = self.most_paise_per_kwh
        return most is None or (paise_per_kwh is not None and paise_per_kwh <= most)

    def suits(self, kind: ConnectorKind, power_w: int) -> bool:
        """Whether this is a plug they asked for."""
        return power_w >= self.min_power_w and (not self.kinds or kind in self.kinds)


@dataclass(frozen=True)
class Position:
    """Where a page of a search ended: its last site, by what the sites are ordered by.

    That is `away` for a search outward from a point, `worth` and `away` for one by
    price, power or reliability, else `rank` and `name`. It may come back from
    outside: what no page ever ended at is a ValueError.
    """

    location_id: int
    away: float | None = None
    worth: int | None = None
    rank: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        is_place = self.away is None or math.isfinite(self.away)
        if not (0 <= self.location_id < 2**31 and is_place and 0 <= self.rank <= 2):
            raise ValueError("no such position")
        if self.worth is not None and not -(2**31) < self.worth < 2**31:
            raise ValueError("no such worth")
        if "\0" in self.name:
            raise ValueError("no such name")

    def belongs_to(self, search: Search) -> bool:
        """Whether a page of such a search may have ended there."""
        if search.order != Order.DISTANCE:
            return self.away is not None and self.worth is not None
        is_outward = search.outward_from is not None
        return (self.away is not None) == is_outward and self.worth is None


class BadPosition(InvalidInput):
    code = "bad_cursor"
    message = "This is not where a page of this search ended. Start at the first one."


class Claim(Protocol):
    """Who has a quarter hour; bookings say."""

    @property
    def kind(self) -> ClaimedBy: ...
    @property
    def user_id(self) -> int | None: ...


@dataclass(frozen=True)
class PlugNow:
    number: int
    kind: ConnectorKind
    power_w: int
    reported: ReportedStatus | None
    reported_at: datetime | None
    # For those who repair it: the standard's word, and the maker's own.
    fault_codes: tuple[str, ...] = ()

    @property
    def is_broken(self) -> bool:
        return self.reported in (ReportedStatus.FAULTED, ReportedStatus.UNAVAILABLE)


@dataclass(frozen=True)
class EvseNow:
    """An EVSE as people see it. `claims`: by quarter hour, in the stretch asked for.

    `status_at`: since when the word is true, where the charger said so; for an
    unknown status, when it was last heard of. `seen_at`: how fresh all this is.
    """

    evse_id: int
    location_id: int
    charger: str
    number: int
    lifecycle: Lifecycle
    price_paise: int
    # In a line, where a tariff applies; else the price is for a started hour.
    price_words: str | None
    # To compare; None: not worked out yet.
    paise_per_kwh: int | None
    plugs: tuple[PlugNow, ...]
    status: EvseStatus
    status_at: datetime | None
    seen_at: datetime | None
    claimed: Slot | None
    next_free_at: datetime | None
    claims: Mapping[int, Claim]
    is_free_for_slot: bool = False

    @property
    def is_free(self) -> bool:
        return self.status == EvseStatus.AVAILABLE

    @property
    def is_open(self) -> bool:
        """Whether the operator lets people book it at all."""
        return self.lifecycle == Lifecycle.ACTIVE


# Which reports made the status what it is; the latest of them says since when.
_DECIDING = {
    EvseStatus.CHARGING: IN_USE,
    EvseStatus.BLOCKED: OCCUPIED,
    EvseStatus.RESERVED: {ReportedStatus.RESERVED},
    EvseStatus.AVAILABLE: {ReportedStatus.AVAILABLE},
    EvseStatus.OUT_OF_ORDER: {ReportedStatus.FAULTED},
    EvseStatus.INOPERATIVE: {ReportedStatus.FAULTED, ReportedStatus.UNAVAILABLE},
}


def status_since(
    status: EvseStatus, plugs: Sequence[PlugNow], *, seen_at: datetime | None
) -> datetime | None:
    """Return since when this is so by the charger's word, if it gave one."""
    if status == EvseStatus.UNKNOWN:
        return seen_at
    deciding = _DECIDING.get(status, ())
    return max(
        (
            plug.reported_at
            for plug in plugs
            if plug.reported in deciding and plug.reported_at is not None
        ),
        default=None,
    )


def claimed_stretch(claims: Collection[int], *, now: datetime) -> Slot | None:
    """Return the unbroken stretch of claimed quarter hours that `now` lies in."""
    first = end = slot_no(now)
    while end in claims:
        end += 1
    if end == first:
        return None
    while first - 1 in claims:
        first -= 1
    return Slot(slot_start(first), slot_start(end))


def next_free_at(
    status: EvseStatus,
    lifecycle: Lifecycle,
    claims: Mapping[int, Claim],
    *,
    hours: OpeningHours,
    now: datetime,
) -> datetime | None:
    """Return when it can next be had, if that is within a day; None for broken ones.

    A vehicle that stands there now without a claim may still leave, but not by now.
    """
    current = slot_no(now)
    taken_now = current in claims
    is_broken = status == EvseStatus.OUT_OF_ORDER or (
        status == EvseStatus.INOPERATIVE and not taken_now
    )
    if lifecycle != Lifecycle.ACTIVE or is_broken:
        return None
    first = current if status == EvseStatus.AVAILABLE else current + 1
    end = current + LOOK_AHEAD // QUARTER
    free = (slot_start(number) for number in range(first, end) if number not in claims)
    return next(filter(hours.is_open, free), None)


def day_cells(
    claims: Mapping[int, Claim],
    day: range,
    *,
    hours: OpeningHours,
    now: datetime,
    user_id: int | None,
) -> list[str]:
    """Return a word for each quarter hour of a day: what the day strip draws."""
    current = slot_no(now)
    return [
        "past"
        if number < current
        else "blocked"
        if not (number in claims or hours.is_open(slot_start(number)))
        else _cell(claims.get(number), user_id)
        for number in day
    ]


def _cell(claim: Claim | None, user_id: int | None) -> str:
    if claim is None:
        return "free"
    if claim.kind == ClaimedBy.BLOCK:
        return "blocked"
    is_mine = claim.user_id is not None and claim.user_id == user_id
    return "yours" if is_mine else "taken"


def free_stretches(
    asked: Slot,
    taken: Collection[int],
    *,
    hours: OpeningHours,
    ahead: timedelta,
    now: datetime,
) -> list[Slot]:
    """Return the stretches in which any slot can be booked, in whole quarter hours."""
    first = max(asked.quarters.start, slot_no(now))
    # Whatever starts up to there can be booked; what lies behind is for another day.
    end = min(asked.quarters.stop, slot_no(now + ahead) + 1)
    free = (
        number
        for number in range(first, end)
        if number not in taken
        and hours.covers(slot_start(number), slot_start(number + 1))
    )
    return _joined(free)


def taken_stretches(asked: Slot, taken: Collection[int]) -> list[Slot]:
    return _joined(number for number in asked.quarters if number in taken)


def _joined(numbers: Iterable[int]) -> list[Slot]:
    """Make neighbouring quarter hours into stretches."""
    found: list[range] = []
    for number in numbers:
        if found and found[-1].stop == number:
            found[-1] = range(found[-1].start, number + 1)
        else:
            found.append(range(number, number + 1))
    return [Slot(slot_start(each.start), slot_start(each.stop)) for each in found]
