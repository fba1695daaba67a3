"""What a search asks of a charging point, as conditions of a statement."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import aliased

from evcharge.bookings.models import SlotClaim
from evcharge.bookings.queries import is_taken
from evcharge.bookings.rules import QUARTER, Slot, slot_no, slot_start
from evcharge.network.rules import Search
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.queries import is_heard_of
from evcharge.stations.rules import (
    DOWN,
    IN_USE,
    OCCUPIED,
    ClaimedBy,
    Lifecycle,
    ReportedStatus,
)

# Made once: making an alias takes longer than all the rest of a condition.
_plug = aliased(Connector)


def has_evse(search: Search, *, now: datetime) -> ColumnElement[bool]:
    """Whether one EVSE of the location is all they want, and free when they want it."""
    evse = (
        select(Evse.id)
        .join(Charger, Charger.id == Evse.charger_id)
        .where(Charger.location_id == Location.id, *_conditions(search, now=now))
    )
    return evse.correlate(Location).exists()


def is_free_now(now: datetime) -> ColumnElement[bool]:
    """Whether an EVSE can be used, whatever its plugs are."""
    return and_(*_conditions(Search(is_free_now=True), now=now))


def _conditions(search: Search, *, now: datetime) -> Iterator[ColumnElement[bool]]:
    if search.is_working or search.is_free_now or search.slot is not None:
        yield Evse.lifecycle == Lifecycle.ACTIVE
    else:
        yield Evse.lifecycle != Lifecycle.REMOVED
    if search.most_paise_per_kwh is not None:
        yield Evse.paise_per_kwh <= search.most_paise_per_kwh
    if search.is_working:
        yield is_heard_of(now)
        yield ~_is_blocked(now)
    if search.kinds or search.min_power_w or search.is_free_now or search.is_working:
        yield _has_plug(search)
    if search.is_free_now:
        yield _is_available(now)
    if search.slot is not None:
        yield ~is_taken(Evse.id, search.slot, now=now)


def _has_plug(search: Search) -> ColumnElement[bool]:
    wanted = [_plug.evse_id == Evse.id]
    if search.kinds:
        wanted.append(_plug.kind.in_(search.kinds))
    if search.min_power_w:
        wanted.append(_plug.power_w >= search.min_power_w)
    if search.is_free_now:  # A broken plug beside a working one is of no use.
        wanted.append(_plug.reported_status == ReportedStatus.AVAILABLE)
    elif search.is_working:
        wanted.append(_plug.reported_status.not_in(DOWN))
    return exists().where(*wanted)


def _is_blocked(now: datetime) -> ColumnElement[bool]:
    return exists().where(
        SlotClaim.evse_id == Evse.id,
        SlotClaim.slot_no == slot_no(now),
        SlotClaim.kind == ClaimedBy.BLOCK,
    )


def _is_available(now: datetime) -> ColumnElement[bool]:
    """`status_of(…) == AVAILABLE` in SQL, for an active EVSE with a working plug.

    The tests compare the two over random worlds.
    """
    busy = exists().where(
        _plug.evse_id == Evse.id,
        _plug.reported_status.in_([*IN_USE, *OCCUPIED, ReportedStatus.RESERVED]),
    )
    quarter = slot_start(slot_no(now))
    claimed = is_taken(Evse.id, Slot(quarter, quarter + QUARTER), now=now)
    unused = Evse.open_session_id.is_(None)
    return and_(is_heard_of(now), unused, ~busy, ~claimed)
