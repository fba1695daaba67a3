"""What the people you can log in as find in their calendars."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from evcharge.bookings.rules import Slot, slot_no, slot_start
from evcharge.demo.demand import INDIA, MINUTE, Demand, Fate, Visit
from evcharge.stations.models import Evse

# An EVSE: the identity of its charger, and its number.
Named = tuple[str, int]


@dataclass(frozen=True)
class Entry:
    day: int  # Counted from today.
    at: str
    minutes: int
    evse: Named
    fate: Fate = Fate.KEPT


DRIVERS_WEEK = (
    Entry(-6, "08:30", 60, ("DA-BLRIND-01", 1)),
    Entry(-5, "19:00", 45, ("DA-BLRECT-01", 2)),
    Entry(-4, "18:30", 60, ("DA-BLRHEB-01", 1), Fate.CANCELLED_IN_TIME),
    Entry(-3, "09:15", 90, ("DA-BLRWHF-03", 1)),
    Entry(-2, "20:00", 60, ("DA-BLRECT-01", 1), Fate.NO_SHOW),
    Entry(-1, "07:45", 60, ("DA-BLRIND-01", 2)),
    Entry(1, "18:30", 60, ("DA-BLRIND-01", 1)),
    Entry(3, "08:00", 75, ("DA-CTANH48-01", 2)),
)
TODAY: Named = ("DA-BLRIND-02", 1)
TODAY_IN = timedelta(hours=2)

MAINTENANCE = Entry(1, "10:00", 180, ("DA-HYDGCB-01", 2))
MAINTENANCE_REASON = "New cable and software update"


def drivers_visits(
    demand: Demand, user_id: int, evses: Mapping[Named, Evse], *, now: datetime
) -> Iterator[Visit]:
    """Yield the bookings of the demo's driver: past ones, and three to come."""
    starts_at = slot_start(slot_no(now + TODAY_IN) + 1)
    soon = Slot(starts_at, starts_at + 60 * MINUTE)
    yield demand.visit(user_id, evses[TODAY], soon, Fate.KEPT)
    for entry in DRIVERS_WEEK:
        slot = slot_of(entry, now=now)
        yield demand.visit(user_id, evses[entry.evse], slot, entry.fate)


def slot_of(entry: Entry, *, now: datetime) -> Slot:
    on = now.astimezone(INDIA).date() + timedelta(days=entry.day)
    clock = time.fromisoformat(entry.at)
    starts_at = datetime.combine(on, clock, INDIA).astimezone(UTC)
    return Slot(starts_at, starts_at + entry.minutes * MINUTE)
