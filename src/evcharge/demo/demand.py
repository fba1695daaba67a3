"""Who wants which slot in the demo, and what becomes of it: plans, not rows yet."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from evcharge.bookings.rules import FREE_CANCELLING, Slot
from evcharge.demo.places import Place
from evcharge.stations.models import Evse
from evcharge.stations.rules.opening import OpeningHours

T = TypeVar("T")

INDIA = ZoneInfo("Asia/Kolkata")
MINUTE = timedelta(minutes=1)
DAYS_BACK, DAYS_AHEAD = 7, 3
# Bookings are made at least this long before now, so that they are paid by now.
SETTLED = timedelta(minutes=12)
MOST_UPCOMING = 4  # Below the limit, so that every driver may still book.

# How many arrive in each hour of the day: before work, and on the way home.
ARRIVALS = (
    2,
    1,
    1,
    1,
    1,
    2,
    4,
    7,
    10,
    10,
    9,
    7,
    6,
    6,
    6,
    7,
    8,
    10,
    12,
    12,
    10,
    7,
    4,
    3,
)

FAST_W = 50_000
# Minutes, and how many stay that long.
FAST_STAYS = {30: 2, 45: 3, 60: 6, 90: 3, 120: 2}
SLOW_STAYS = {60: 1, 120: 4, 180: 4, 240: 3, 360: 1}
FAST_A_DAY = {0: 4, 1: 17, 2: 32, 3: 30, 4: 17}
SLOW_A_DAY = {0: 20, 1: 50, 2: 30}
# Of the days to come little is booked yet.
BOOKED_AHEAD = {0: 0.7, 1: 0.3, 2: 0.12, 3: 0.06}


class Fate(StrEnum):
    """What becomes of a booking."""

    KEPT = "kept"
    CANCELLED_IN_TIME = "cancelled in time"
    CANCELLED_LATE = "cancelled late"
    CANCELLED_BY_OPERATOR = "cancelled by operator"
    NO_SHOW = "no-show"
    NEVER_PAID = "never paid"


# In a thousand. Late and forgetful drivers cannot be known of in advance.
FATES = {
    Fate.KEPT: 845,
    Fate.CANCELLED_IN_TIME: 50,
    Fate.CANCELLED_LATE: 20,
    Fate.CANCELLED_BY_OPERATOR: 10,
    Fate.NO_SHOW: 40,
    Fate.NEVER_PAID: 35,
}
FATES_AHEAD = {Fate.KEPT: 93, Fate.CANCELLED_IN_TIME: 4, Fate.NEVER_PAID: 3}

# Minutes between booking and coming.
LEADS = (25, 40, 90, 150, 300, 600, 1200, 2400)


@dataclass(frozen=True)
class Visit:
    """A booking, from wish to end."""

    user_id: int
    evse_id: int
    price_paise: int
    slot: Slot
    booked_at: datetime
    fate: Fate
    cancelled_at: datetime | None


@dataclass(frozen=True)
class Site:
    """A place with its EVSEs that can be booked and the drivers who come by."""

    place: Place
    evses: Sequence[Evse]
    user_ids: Sequence[int]


class Demand:
    """Plans visits that do not get in each other's way; the same `rng`, the same."""

    def __init__(self, rng: random.Random, *, now: datetime) -> None:
        self._rng = rng
        self._now = now
        self._taken: set[tuple[str, int, int]] = set()
        self._upcoming: Counter[int] = Counter()

    def visits(self, site: Site) -> Iterator[Visit]:
        """Yield a week of past visits and what is booked for the days to come."""
        today = self._now.astimezone(INDIA).date()
        hours = OpeningHours(site.place.opening_hours, INDIA.key)
        for evse in site.evses:
            for offset in range(-DAYS_BACK, DAYS_AHEAD + 1):
                for slot in self._wanted(evse, today + timedelta(days=offset), offset):
                    user_id = self._rng.choice(site.user_ids)
                    if hours.covers(slot.starts_at, slot.ends_at) and self._enter(
                        user_id, evse.id, slot
                    ):
                        yield self._visit(user_id, evse, slot, self._fate(slot))

    def visit(self, user_id: int, evse: Evse, slot: Slot, fate: Fate) -> Visit:
        """Return a visit that was to be; it is booked a day before."""
        self._taken |= _cells(user_id, evse.id, slot)
        return self._visit(user_id, evse, slot, fate, lead=timedelta(hours=20))

    def keep_free(self, evse_id: int, slot: Slot) -> None:
        self._taken |= _cells(0, evse_id, slot)

    def _wanted(self, evse: Evse, on: date, offset: int) -> Iterator[Slot]:
        is_fast = max(plug.power_w for plug in evse.connectors) >= FAST_W
        for _ in range(self._pick(FAST_A_DAY if is_fast else SLOW_A_DAY)):
            slot = self._slot(on, FAST_STAYS if is_fast else SLOW_STAYS)
            if self._is_ahead(slot):
                if self._rng.random() < BOOKED_AHEAD[max(0, offset)]:
                    yield slot
            elif slot.starts_at >= self._now - timedelta(days=DAYS_BACK):
                yield slot

    def _slot(self, on: date, stays: Mapping[int, int]) -> Slot:
        [hour] = self._rng.choices(range(24), ARRIVALS)
        clock = time(hour, self._rng.choice((0, 15, 30, 45)))
        starts_at = datetime.combine(on, clock, INDIA).astimezone(UTC)
        return Slot(starts_at, starts_at + self._pick(stays) * MINUTE)

    def _enter(self, user_id: int, evse_id: int, slot: Slot) -> bool:
        """Write it down, if driver and EVSE are free then."""
        cells = _cells(user_id, evse_id, slot)
        is_ahead = self._is_ahead(slot)
        if is_ahead and self._upcoming[user_id] >= MOST_UPCOMING:
            return False
        if not self._taken.isdisjoint(cells):
            return False
        self._taken |= cells
        self._upcoming[user_id] += is_ahead
        return True

    def _visit(
        self,
        user_id: int,
        evse: Evse,
        slot: Slot,
        fate: Fate,
        lead: timedelta | None = None,
    ) -> Visit:
        """Say when it was booked and, where that fits, cancelled; else it was kept."""
        lead = lead or self._rng.choice(LEADS) * self._rng.uniform(1, 1.2) * MINUTE
        latest = min(slot.starts_at, self._now) - SETTLED
        booked_at = min(
            slot.starts_at - lead, latest - self._rng.uniform(0, 300) * MINUTE
        )
        cancelled_at = None
        if between := _cancelled_between(fate, booked_at + SETTLED, slot.starts_at):
            first, last = between[0], min(between[1], self._now)
            cancelled_at = first + (last - first) * self._rng.random()
            if first >= last:
                fate, cancelled_at = Fate.KEPT, None
        return Visit(
            user_id=user_id,
            evse_id=evse.id,
            price_paise=evse.booking_price_paise,
            slot=slot,
            booked_at=booked_at,
            fate=fate,
            cancelled_at=cancelled_at,
        )

    def _fate(self, slot: Slot) -> Fate:
        return self._pick(FATES_AHEAD if self._is_ahead(slot) else FATES)

    def _is_ahead(self, slot: Slot) -> bool:
        return slot.ends_at > self._now

    def _pick(self, weights: Mapping[T, int]) -> T:
        [picked] = self._rng.choices(list(weights), list(weights.values()))
        return picked


def _cells(user_id: int, evse_id: int, slot: Slot) -> set[tuple[str, int, int]]:
    return {
        cell
        for number in slot.quarters
        for cell in (("evse", evse_id, number), ("user", user_id, number))
    }


def _cancelled_between(
    fate: Fate, paid_by: datetime, starts_at: datetime
) -> tuple[datetime, datetime] | None:
    free_until = starts_at - FREE_CANCELLING
    return {
        Fate.CANCELLED_IN_TIME: (paid_by, free_until),
        Fate.CANCELLED_LATE: (max(paid_by, free_until + MINUTE), starts_at),
        Fate.CANCELLED_BY_OPERATOR: (paid_by, starts_at),
    }.get(fate)
