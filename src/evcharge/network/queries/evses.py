"""How EVSEs are doing: their status, their claims, when they are free again."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import Session

from evcharge.bookings.queries import Claimed, claims_between
from evcharge.bookings.rules import Slot, slot_no
from evcharge.network.rules import (
    LOOK_AHEAD,
    EvseNow,
    PlugNow,
    claimed_stretch,
    next_free_at,
    status_since,
)
from evcharge.stations.models import (
    Charger,
    Connector,
    Evse,
    Location,
)
from evcharge.stations.rules import (
    Facts,
    Lifecycle,
    status_of,
)
from evcharge.stations.rules.opening import OpeningHours
from evcharge.tariffs.queries import agreed_at
from evcharge.tariffs.rules.agreed import Agreed


def evses_now(
    session: Session,
    location_ids: Collection[int],
    *,
    now: datetime,
    stretch: Slot | None = None,
    slot: Slot | None = None,
    with_prices: bool = False,
) -> dict[int, list[EvseNow]]:
    """Return what is to be said of the EVSEs of each location, removed ones apart.

    Claims are those from now on for a day, and those of `stretch`; with a `slot`
    each EVSE also says whether it is free for it. Two statements, with a slot three.
    `with_prices`: also those of tariffs; one statement more, and one for their tax.
    """
    evses = _evses(session, location_ids)
    ids = [rows[0].id for rows in evses]
    first, end = _quarters(now, stretch)
    claims = _by_evse(claims_between(session, ids, first, end, now=now))
    free = _free_for(session, ids, slot, now=now)
    agreed = agreed_at(session, ids, at=now) if with_prices else {}
    found: dict[int, list[EvseNow]] = {each: [] for each in location_ids}
    for rows in evses:
        id_ = rows[0].id
        evse = _evse_now(rows, claims[id_], id_ in free, agreed.get(id_), now=now)
        found[evse.location_id].append(evse)
    return found


def _quarters(now: datetime, stretch: Slot | None) -> tuple[int, int]:
    first, end = slot_no(now), slot_no(now + LOOK_AHEAD)
    if stretch is None:
        return first, end
    return min(first, stretch.quarters.start), max(end, stretch.quarters.stop)


def _by_evse(claims: Iterable[Claimed]) -> Mapping[int, Mapping[int, Claimed]]:
    found: defaultdict[int, dict[int, Claimed]] = defaultdict(dict)
    for claim in claims:
        found[claim.evse_id][claim.slot_no] = claim
    return found


def _free_for(
    session: Session, evse_ids: Sequence[int], slot: Slot | None, *, now: datetime
) -> set[int]:
    if slot is None:
        return set()
    quarters = slot.quarters
    claims = claims_between(session, evse_ids, quarters.start, quarters.stop, now=now)
    return set(evse_ids) - {claim.evse_id for claim in claims}


def _evses(
    session: Session, location_ids: Collection[int]
) -> list[list[Row[*tuple[Any, ...]]]]:
    """Return the rows of each EVSE, one for each plug; one without plugs has one."""
    rows = session.execute(_EVSE_ROWS, {"location_ids": list(location_ids)})
    return [list(group) for _, group in groupby(rows, key=attrgetter("id"))]


_EVSE_ROWS: Select[*tuple[Any, ...]] = (
    select(
        Evse.id,
        Evse.number,
        Evse.lifecycle,
        Evse.booking_price_paise,
        Evse.paise_per_kwh,
        Evse.open_session_id,
        Charger.location_id,
        Charger.identity,
        Charger.last_seen_at,
        Charger.heartbeat_seconds,
        Location.opening_hours,
        Location.timezone,
        Connector.number.label("plug_number"),
        Connector.kind,
        Connector.power_w,
        Connector.reported_status,
        Connector.reported_at,
        Connector.error_code,
        Connector.vendor_error_code,
    )
    .join(Charger, Charger.id == Evse.charger_id)
    .join(Location, Location.id == Charger.location_id)
    .outerjoin(Connector, Connector.evse_id == Evse.id)
    .where(
        Evse.lifecycle != Lifecycle.REMOVED,
        Charger.location_id.in_(bindparam("location_ids", expanding=True)),
    )
    .order_by(Charger.identity, Evse.number, Evse.id, Connector.number)
)


def _evse_now(
    rows: Sequence[Row[*tuple[Any, ...]]],
    claims: Mapping[int, Claimed],
    is_free_for_slot: bool,
    agreed: Agreed | None,
    *,
    now: datetime,
) -> EvseNow:
    evse = rows[0]
    plugs = tuple(
        PlugNow(
            row.plug_number,
            row.kind,
            row.power_w,
            row.reported_status,
            row.reported_at,
            tuple(filter(None, (row.error_code, row.vendor_error_code))),
        )
        for row in rows
        if row.plug_number is not None
    )
    claim = claims.get(slot_no(now))
    facts = Facts(
        lifecycle=evse.lifecycle,
        reported=tuple(plug.reported for plug in plugs),
        last_seen_at=evse.last_seen_at,
        heartbeat=timedelta(seconds=evse.heartbeat_seconds),
        claimed_by=None if claim is None else claim.kind,
        has_session=evse.open_session_id is not None,
    )
    status = status_of(facts, now=now)
    return EvseNow(
        evse_id=evse.id,
        location_id=evse.location_id,
        charger=evse.identity,
        number=evse.number,
        lifecycle=evse.lifecycle,
        price_paise=evse.booking_price_paise,
        price_words=agreed.price_words() if agreed else None,
        paise_per_kwh=evse.paise_per_kwh,
        plugs=plugs,
        status=status,
        status_at=status_since(status, plugs, seen_at=evse.last_seen_at),
        seen_at=evse.last_seen_at,
        claimed=claimed_stretch(claims, now=now),
        next_free_at=next_free_at(
            status,
            evse.lifecycle,
            claims,
            hours=OpeningHours(evse.opening_hours, evse.timezone),
            now=now,
        ),
        claims=claims,
        is_free_for_slot=is_free_for_slot and evse.lifecycle == Lifecycle.ACTIVE,
    )
