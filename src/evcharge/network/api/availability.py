"""When an EVSE is free, by the same claims that booking looks at."""

from datetime import datetime, timedelta

from pydantic import Field

from evcharge.bookings.asking import limits
from evcharge.bookings.queries import bookable_evse, claims_between
from evcharge.bookings.rules import Slot
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import InvalidInput
from evcharge.network.api.blueprint import api
from evcharge.network.rules import free_stretches, taken_stretches
from evcharge.stations.rules import EvseNotFound
from evcharge.web.api import Answer, Instant, Money, Query
from evcharge.web.context import public, reading

LONGEST_AVAILABILITY = timedelta(days=15)
USUAL_AVAILABILITY = timedelta(days=1)
FARTHEST_AVAILABILITY = timedelta(days=400)


class BadRange(InvalidInput):
    code = "bad_range"
    message = "Ask from a time to a later one, at most 15 days on."


class AvailabilityQuery(Query):
    since: Instant | None = Field(
        default=None, alias="from", description="Now, unless you say"
    )
    until: Instant | None = Field(
        default=None, alias="to", description="A day later, unless you say"
    )


class Stretch(Answer):
    starts_at: Instant
    ends_at: Instant


class Availability(Answer):
    """By the same claims that booking looks at: what lies in one `free` can be had."""

    evse_id: int
    since: Instant = Field(serialization_alias="from")
    until: Instant = Field(serialization_alias="to")
    is_bookable: bool
    price_per_hour: Money
    free: list[Stretch]
    taken: list[Stretch]


@api.get(
    "/evses/<int:evse_id>/availability",
    guard=public,
    refuses=(EvseNotFound, BadRange),
)
def get_availability(evse_id: int, query: AvailabilityQuery) -> Availability:
    """See when an EVSE is free and when it is taken.

    `free` ends where bookings are not open yet.
    """
    now = utc_now()
    asked = _asked_stretch(query, now)
    evse = bookable_evse(reading(), evse_id)
    quarters = asked.quarters
    claims = claims_between(
        reading(), [evse_id], quarters.start, quarters.stop, now=now
    )
    taken = {claim.slot_no for claim in claims}
    ahead = limits().ahead
    free = free_stretches(asked, taken, hours=evse.hours, ahead=ahead, now=now)
    return Availability(
        evse_id=evse_id,
        since=asked.starts_at,
        until=asked.ends_at,
        is_bookable=evse.is_open,
        price_per_hour=Money.of(evse.price_paise_per_hour),
        free=[_stretch(each) for each in free] if evse.is_open else [],
        taken=[_stretch(each) for each in taken_stretches(asked, taken)],
    )


def _asked_stretch(query: AvailabilityQuery, now: datetime) -> Slot:
    """Raises: BadRange."""
    asked = [at for at in (query.since, query.until) if at is not None]
    if any(abs(at - now) > FARTHEST_AVAILABILITY for at in asked):
        raise BadRange(f"Ask within {FARTHEST_AVAILABILITY.days} days of today.")
    since = query.since or now
    stretch = Slot(since, query.until or since + USUAL_AVAILABILITY)
    if not timedelta() < stretch.length <= LONGEST_AVAILABILITY:
        raise BadRange
    return stretch


def _stretch(slot: Slot) -> Stretch:
    return Stretch(starts_at=slot.starts_at, ends_at=slot.ends_at)
