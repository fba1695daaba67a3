"""What operators ask about their network, and only about theirs.

A `scope` names the operators whose network is meant; None means every one.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    Subquery,
    and_,
    case,
    distinct,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Session, joinedload, raiseload, selectinload

from evcharge.accounts.models import Operator
from evcharge.bookings.queries import claimed_by, claimed_now
from evcharge.control.models import ChargerConnection
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.queries import Scope, in_scope, is_heard_of
from evcharge.stations.rules import (
    ClaimedBy,
    EvseStatus,
    Facts,
    Lifecycle,
    LocationNotFound,
    ReportedStatus,
    status_of,
)
from evcharge.stations.rules.entries import folded

_BY_AND_BY = {"yield_per": 500}


# ── locations ────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class LocationFilter:
    scope: Scope
    text: str = ""
    is_active: bool | None = None


def count_locations(session: Session, wanted: LocationFilter) -> int:
    statement = select(func.count(Location.id)).where(*_fits(wanted))
    return session.scalar(statement) or 0


def locations_matching(
    session: Session, wanted: LocationFilter, *, limit: int, offset: int
) -> Sequence[Location]:
    """Return a page of locations with their operators, by name."""
    return session.scalars(
        select(Location)
        .where(*_fits(wanted))
        .order_by(Location.name, Location.id)
        .limit(limit)
        .offset(offset)
        .options(joinedload(Location.operator), raiseload("*"))
    ).all()


def locations_after(
    session: Session, wanted: LocationFilter, *, after: int, limit: int
) -> Sequence[Location]:
    """Return those with a higher id than `after`, with their operators, by id."""
    return session.scalars(
        select(Location)
        .where(*_fits(wanted), Location.id > after)
        .order_by(Location.id)
        .limit(limit)
        .options(joinedload(Location.operator), raiseload("*"))
    ).all()


def every_location(session: Session, wanted: LocationFilter) -> Iterator[Location]:
    """Yield all of them, with their operators, without holding them all."""
    statement = (
        select(Location)
        .where(*_fits(wanted))
        .order_by(Location.name, Location.id)
        .options(joinedload(Location.operator), raiseload("*"))
    )
    return iter(session.scalars(statement, execution_options=_BY_AND_BY))


def _fits(wanted: LocationFilter) -> Iterable[ColumnElement[bool]]:
    yield in_scope(wanted.scope)
    if wanted.is_active is not None:
        yield Location.is_active.is_(wanted.is_active)
    for word in folded(wanted.text).split():
        yield Location.search_text.contains(word, autoescape=True)


def location_with_operator(session: Session, location_id: int) -> Location:
    """Raises: LocationNotFound."""
    location = session.scalar(
        select(Location)
        .where(Location.id == location_id)
        .options(joinedload(Location.operator), raiseload("*"))
    )
    if location is None:
        raise LocationNotFound(location_id=location_id)
    return location


def operators_in(session: Session, scope: Scope) -> Sequence[Operator]:
    """Return the operators for whom a location can be added, by name."""
    statement = select(Operator).order_by(Operator.name).options(raiseload("*"))
    if scope is not None:
        statement = statement.where(Operator.id.in_(scope))
    return session.scalars(statement).all()


# ── chargers ─────────────────────────────────────────────────────────────────────


class Link(StrEnum):
    """How we are joined to a charger."""

    CONNECTED = "connected"
    SILENT = "silent"
    NEVER = "never"


@dataclass(frozen=True)
class ChargerFilter:
    """`status`: at least one EVSE of the charger has it; `location_id`: it is there."""

    scope: Scope
    text: str = ""
    status: EvseStatus | None = None
    location_id: int | None = None
    link: Link | None = None


def chargers_of_location(session: Session, location_id: int) -> Sequence[Charger]:
    return session.scalars(
        select(Charger)
        .where(Charger.location_id == location_id)
        .order_by(Charger.identity)
        .options(raiseload("*"))
    ).all()


def count_chargers(session: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    statement = select(func.count(Charger.id)).join(Charger.location)
    return session.scalar(statement.where(*conditions)) or 0


def chargers_matching(
    session: Session,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int,
    offset: int,
) -> Sequence[Charger]:
    """Return a page of chargers with their locations, by identity."""
    return session.scalars(
        select(Charger)
        .join(Charger.location)
        .where(*conditions)
        .order_by(Charger.identity)
        .limit(limit)
        .offset(offset)
        .options(joinedload(Charger.location), raiseload("*"))
    ).all()


def chargers_after(
    session: Session,
    conditions: Sequence[ColumnElement[bool]],
    *,
    after: int,
    limit: int,
) -> Sequence[Charger]:
    """Return those with a higher id than `after`, with their EVSEs, by id."""
    return session.scalars(
        select(Charger)
        .join(Charger.location)
        .where(*conditions, Charger.id > after)
        .order_by(Charger.id)
        .limit(limit)
        .options(
            selectinload(Charger.evses).selectinload(Evse.connectors), raiseload("*")
        )
    ).all()


def every_charger(
    session: Session, conditions: Sequence[ColumnElement[bool]]
) -> Iterator[tuple[Charger, ChargerConnection | None]]:
    """Yield all of them with their locations and their latest connections, by
    identity, without holding them all."""
    statement = (
        select(Charger, ChargerConnection)
        .join(Charger.location)
        .outerjoin(ChargerConnection, ChargerConnection.charger_id == Charger.id)
        .where(*conditions)
        .order_by(Charger.identity)
        .options(joinedload(Charger.location), raiseload("*"))
    )
    rows = session.execute(statement, execution_options=_BY_AND_BY)
    return ((box, connection) for box, connection in rows)


def charger_conditions(
    wanted: ChargerFilter, groups: Sequence["FactGroup"], *, now: datetime
) -> list[ColumnElement[bool]]:
    """Return what a charger must fulfil. `groups` are those of the same scope."""
    found = [in_scope(wanted.scope)]
    if wanted.location_id is not None:
        found.append(Charger.location_id == wanted.location_id)
    for word in folded(wanted.text).split():
        found.append(
            or_(
                Charger.identity.icontains(word, autoescape=True),
                Location.search_text.contains(word, autoescape=True),
            )
        )
    if wanted.status is not None:
        suiting = [group for group in groups if group.status == wanted.status]
        found.append(Charger.id.in_(_chargers_with(suiting, wanted.scope, now=now)))
    if wanted.link is not None:
        found.append(_is_joined(wanted.link, now=now))
    return found


def _is_joined(link: Link, *, now: datetime) -> ColumnElement[bool]:
    if link == Link.SILENT:
        return case((is_heard_of(now), 0), else_=1) == 1
    theirs = ChargerConnection.charger_id == Charger.id
    # Of any charger's connections, also where the statement has joined the latest.
    connections = select(ChargerConnection.charger_id).where(theirs).correlate(Charger)
    if link == Link.NEVER:
        return ~connections.exists()
    is_open = connections.where(ChargerConnection.closed_at.is_(None)).exists()
    return and_(is_open, is_heard_of(now))


def statuses_of(
    session: Session, evses: Sequence[tuple[Charger, Evse]], *, now: datetime
) -> dict[int, EvseStatus]:
    """Return how each of these EVSEs is doing; their connectors are loaded."""
    claims = claimed_now(session, [evse.id for _, evse in evses], now=now)
    return {
        evse.id: evse.status(box, claims.get(evse.id), now=now) for box, evse in evses
    }


# ── how EVSEs are doing, counted by the database ─────────────────────────────────

_BITS = {status: 1 << place for place, status in enumerate(ReportedStatus)}
_NEVER_REPORTED = 1 << len(ReportedStatus)


@dataclass(frozen=True)
class FactGroup:
    """How many EVSEs share the facts that a status is derived from.

    The database counts the facts and `status_of` finds the word, so that no second
    rule in SQL can come to say something else.
    """

    lifecycle: Lifecycle
    is_silent: bool
    claimed_by: ClaimedBy | None
    has_session: bool
    reported_bits: int
    status: EvseStatus
    count: int


def fact_groups(session: Session, scope: Scope, *, now: datetime) -> list[FactGroup]:
    facts = _facts(scope, now=now)
    keys = [facts.c[name] for name in _KEYS]
    rows = session.execute(select(*keys, func.count()).group_by(*keys))
    return [_group(row, now=now) for row in rows]


def count_by_status(groups: Iterable[FactGroup]) -> Counter[EvseStatus]:
    counts: Counter[EvseStatus] = Counter()
    for group in groups:
        counts[group.status] += group.count
    return counts


_KEYS = ("lifecycle", "is_silent", "claimed_by", "has_session", "reported_bits")


def _facts(scope: Scope, *, now: datetime) -> Subquery:
    """One row for each EVSE; what is removed is history."""
    # A sum of different powers of two says which reports there are, in any order.
    bit = case(_BITS, value=Connector.reported_status, else_=_NEVER_REPORTED)
    reported = (
        select(func.coalesce(func.sum(distinct(bit)), 0))
        .where(Connector.evse_id == Evse.id)
        .scalar_subquery()
    )
    return (
        select(
            Evse.id,
            Evse.charger_id,
            Evse.lifecycle,
            case((is_heard_of(now), 0), else_=1).label("is_silent"),
            func.coalesce(type_coerce(claimed_by(Evse.id, now=now), String), "").label(
                "claimed_by"
            ),
            case((Evse.open_session_id.is_(None), 0), else_=1).label("has_session"),
            reported.label("reported_bits"),
        )
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .where(in_scope(scope), Evse.lifecycle != Lifecycle.REMOVED)
        .subquery()
    )


def _group(row: Row[*tuple[Any, ...]], *, now: datetime) -> FactGroup:
    lifecycle, is_silent, claim, has_session, bits, count = row
    claimed = ClaimedBy(claim) if claim else None
    reported = [status for status, bit in _BITS.items() if int(bits) & bit]
    never = [None] if int(bits) & _NEVER_REPORTED else []
    facts = Facts(
        lifecycle=lifecycle,
        reported=(*reported, *never),
        last_seen_at=None if is_silent else now,
        heartbeat=timedelta(),
        claimed_by=claimed,
        has_session=bool(has_session),
    )
    return FactGroup(
        lifecycle=lifecycle,
        is_silent=bool(is_silent),
        claimed_by=claimed,
        has_session=facts.has_session,
        reported_bits=int(bits),
        status=status_of(facts, now=now),
        count=count,
    )


def _chargers_with(
    groups: Collection[FactGroup], scope: Scope, *, now: datetime
) -> Select[int]:
    """Return a SELECT of the chargers that have an EVSE in one of the groups."""
    facts = _facts(scope, now=now)
    keys = tuple_(*(facts.c[name] for name in _KEYS))
    values = [
        (
            group.lifecycle,
            int(group.is_silent),
            group.claimed_by or "",
            int(group.has_session),
            group.reported_bits,
        )
        for group in groups
    ]
    return select(facts.c.charger_id).where(keys.in_(values))
