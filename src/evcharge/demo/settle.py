"""What the demo's plugs say when it opens: as if cars had come and gone before."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime

from evcharge.bookings.rules import BookingStatus
from evcharge.demo.demand import ARRIVALS, INDIA, MINUTE
from evcharge.demo.rows import Row
from evcharge.stations.models import Evse
from evcharge.stations.rules import ReportedStatus

BROKEN = 3
LEFT_STANDING = 2  # Full, and the driver has not come back.
NOT_FREE_BEFORE = 60 * MINUTE


def settle(
    evses: Sequence[Evse], bookings: Sequence[Row], rng: random.Random, now: datetime
) -> None:
    """Give the plugs of these EVSEs the status that bookings and the hour suggest."""
    wanted = {
        booking["evse_id"]: booking["starts_at"]
        for booking in sorted(
            bookings, key=lambda each: each["starts_at"], reverse=True
        )
        if booking["status"] == BookingStatus.ACTIVE
        and booking["starts_at"] < now + NOT_FREE_BEFORE
    }
    for evse in evses:
        if (starts_at := wanted.get(evse.id)) and starts_at <= now:
            _say(evse, ReportedStatus.CHARGING, starts_at)
    free = [evse for evse in evses if evse.id not in wanted]
    rng.shuffle(free)
    walk_ins = round(occupied_share(now) * len(evses)) - _charging(wanted, now)
    for _ in range(BROKEN):
        _say(free.pop(), ReportedStatus.FAULTED, now - rng.uniform(1, 19) * MINUTE)
    for _ in range(LEFT_STANDING):
        _say(free.pop(), ReportedStatus.FINISHING, now - rng.uniform(0, 5) * MINUTE)
    for _ in range(max(0, walk_ins)):
        evse = free.pop()
        _say(evse, ReportedStatus.CHARGING, now - rng.uniform(0, 60) * MINUTE)


def occupied_share(now: datetime) -> float:
    """Of all points, how many have a car: a quarter at night, a third at the peak."""
    return 0.22 + 0.11 * ARRIVALS[now.astimezone(INDIA).hour] / max(ARRIVALS)


def _charging(wanted: Mapping[int, datetime], now: datetime) -> int:
    return sum(starts_at <= now for starts_at in wanted.values())


def _say(evse: Evse, status: ReportedStatus, at: datetime) -> None:
    plug = evse.connectors[0]
    plug.reported_status, plug.reported_at = status, at
