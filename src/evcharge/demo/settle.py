"""What the demo's plugs say when it opens: as if cars had come and gone before."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime

from evcharge.bookings.rules import BookingStatus
from evcharge.demo.cars import Report, is_full, occupied_share
from evcharge.demo.demand import MINUTE
from evcharge.demo.rows import Row
from evcharge.stations.models import Evse
from evcharge.stations.rules import Plug, ReportedStatus

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
        _say(evse, ReportedStatus.CHARGING, _came_at(evse, rng, now))


def _came_at(evse: Evse, rng: random.Random, now: datetime) -> datetime:
    """When a car came that is still charging: some are nearly done, some are not."""
    plug = Plug(evse.charger.identity, evse.number, evse.connectors[0].number)
    while True:
        at = now - rng.uniform(0, 75) * MINUTE
        if not is_full(Report(plug, ReportedStatus.CHARGING, at), now):
            return at


def _charging(wanted: Mapping[int, datetime], now: datetime) -> int:
    return sum(starts_at <= now for starts_at in wanted.values())


def _say(evse: Evse, status: ReportedStatus, at: datetime) -> None:
    plug = evse.connectors[0]
    plug.reported_status, plug.reported_at = status, at
