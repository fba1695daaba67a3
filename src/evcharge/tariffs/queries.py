"""Which tariff applies where. Nothing here changes anything."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, case, func, or_, select
from sqlalchemy.orm import Session, selectinload

from evcharge.accounts.models import Operator
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import DC_KINDS, Lifecycle
from evcharge.tariffs.models import PriceCeiling, Tariff, TariffAssignment
from evcharge.tariffs.rules import Terms
from evcharge.tariffs.rules.agreed import Agreed
from evcharge.tariffs.rules.ceilings import Ceiling
from evcharge.tariffs.rules.refusals import TariffNotFound
from evcharge.taxes.queries import treatments


def agreed_at(
    session: Session, evse_ids: Collection[int], *, at: datetime
) -> dict[int, Agreed]:
    """Return the tariff of each EVSE as it would be agreed to at a moment.

    The nearest wins: of the EVSE, then of its location, then of its operator; among
    equals the one that began last. An EVSE without any is absent.
    """
    rows = session.execute(_APPLYING, {"evse_ids": list(evse_ids), "at": at}).all()
    # In order of nearness, the nearest last, so that it is the one that stays.
    nearest = {row.evse_id: row for row in rows}
    if not nearest:
        return {}
    taxes = treatments(session, {row.location_id for row in rows}, at=at)
    return {
        evse_id: Agreed(
            row.tariff_id,
            row.name,
            Terms.from_json(row.terms),
            row.timezone,
            row.power_w,
            taxes[row.location_id],
        )
        for evse_id, row in nearest.items()
    }


_NEARNESS = case(
    (TariffAssignment.evse_id.is_not(None), 2),
    (TariffAssignment.location_id.is_not(None), 1),
    else_=0,
)
_POWER = (
    select(func.max(Connector.power_w))
    .where(Connector.evse_id == Evse.id)
    .scalar_subquery()
)
_APPLYING = (
    select(
        Evse.id.label("evse_id"),
        Location.id.label("location_id"),
        Location.timezone,
        Tariff.id.label("tariff_id"),
        Tariff.name,
        Tariff.terms,
        func.coalesce(_POWER, 0).label("power_w"),
    )
    .join(Charger, Charger.id == Evse.charger_id)
    .join(Location, Location.id == Charger.location_id)
    .join(TariffAssignment, TariffAssignment.operator_id == Location.operator_id)
    .join(Tariff, Tariff.id == TariffAssignment.tariff_id)
    .where(
        Evse.id.in_(bindparam("evse_ids", expanding=True)),
        Tariff.is_active,
        TariffAssignment.valid_from <= bindparam("at"),
        or_(
            TariffAssignment.valid_until.is_(None),
            TariffAssignment.valid_until > bindparam("at"),
        ),
        or_(
            TariffAssignment.evse_id == Evse.id,
            TariffAssignment.location_id == Location.id,
            TariffAssignment.evse_id.is_(None) & TariffAssignment.location_id.is_(None),
        ),
    )
    .order_by(_NEARNESS, TariffAssignment.valid_from, TariffAssignment.id)
)


# ── whose price is to be worked out ──────────────────────────────────────────────


def evses_to_price(
    session: Session, *, after: int, limit: int, operator_id: int | None
) -> Sequence[int]:
    """Return EVSEs by id: those of an operator, or everybody's."""
    query = (
        select(Evse.id)
        .where(Evse.id > after, Evse.lifecycle != Lifecycle.REMOVED)
        .order_by(Evse.id)
        .limit(limit)
    )
    if operator_id is not None:
        query = (
            query.join(Charger, Charger.id == Evse.charger_id)
            .join(Location, Location.id == Charger.location_id)
            .where(Location.operator_id == operator_id)
        )
    return session.scalars(query).all()


def evses_without_price(session: Session, *, limit: int) -> Sequence[int]:
    return session.scalars(
        select(Evse.id)
        .where(Evse.paise_per_kwh.is_(None), Evse.lifecycle != Lifecycle.REMOVED)
        .order_by(Evse.id)
        .limit(limit)
    ).all()


# ── for those who run a network ──────────────────────────────────────────────────


@dataclass(frozen=True)
class Place:
    """Where a tariff may apply: an EVSE, or a location as a whole."""

    location_id: int
    evse_id: int | None
    name: str
    zone: str


def tariffs_in_scope(
    session: Session, scope: Collection[int] | None
) -> list[tuple[Tariff, str]]:
    """Return tariffs with the name of their operator, and where each applies."""
    query = (
        select(Tariff, Operator.name)
        .join(Operator, Operator.id == Tariff.operator_id)
        .options(selectinload(Tariff.assignments))
        .order_by(Operator.name, Tariff.is_active.desc(), Tariff.name, Tariff.id)
    )
    if scope is not None:
        query = query.where(Tariff.operator_id.in_(scope))
    return [(row[0], row[1]) for row in session.execute(query)]


def tariffs_after(
    session: Session, scope: Collection[int] | None, *, after: int, limit: int
) -> list[Tariff]:
    """Return the next tariffs by id, with where each applies."""
    query = (
        select(Tariff)
        .where(Tariff.id > after)
        .options(selectinload(Tariff.assignments))
        .order_by(Tariff.id)
        .limit(limit)
    )
    if scope is not None:
        query = query.where(Tariff.operator_id.in_(scope))
    return list(session.scalars(query))


def tariff_in_scope(
    session: Session,
    tariff_id: int,
    scope: Collection[int] | None,
    *,
    lock: bool = False,
) -> Tariff:
    """Raises: TariffNotFound, also for another operator's."""
    query = (
        select(Tariff)
        .where(Tariff.id == tariff_id)
        .options(selectinload(Tariff.assignments))
    )
    if lock:
        query = query.with_for_update(of=Tariff)
    tariff = session.scalar(query.execution_options(populate_existing=True))
    if tariff is None or (scope is not None and tariff.operator_id not in scope):
        raise TariffNotFound(tariff_id=tariff_id)
    return tariff


def places_of_operator(session: Session, operator_id: int) -> list[Place]:
    """Return locations, each followed by its EVSEs, by name."""
    rows = session.execute(
        select(
            Location.id,
            Location.name,
            Location.timezone,
            Evse.id,
            Charger.identity,
            Evse.number,
        )
        .outerjoin(Charger, Charger.location_id == Location.id)
        .outerjoin(
            Evse, (Evse.charger_id == Charger.id) & (Evse.lifecycle != "removed")
        )
        .where(Location.operator_id == operator_id)
        .order_by(Location.name, Location.id, Charger.identity, Evse.number)
    )
    places: list[Place] = []
    for location_id, name, zone, evse_id, identity, number in rows:
        if not places or places[-1].location_id != location_id:
            places.append(Place(location_id, None, name, zone))
        if evse_id is not None:
            point = f"{name}, {identity} point {number}"
            places.append(Place(location_id, evse_id, point, zone))
    return places


def currents_of(session: Session, tariff: Tariff) -> list[str]:
    """Return AC, DC or both: what charges where the tariff is assigned.

    Both where it is assigned nowhere yet.
    """
    applies = (
        (TariffAssignment.evse_id == Evse.id)
        | (TariffAssignment.location_id == Location.id)
        | (
            TariffAssignment.evse_id.is_(None)
            & TariffAssignment.location_id.is_(None)
            & (TariffAssignment.operator_id == Location.operator_id)
        )
    )
    kinds = session.scalars(
        select(Connector.kind)
        .distinct()
        .join(Evse, Evse.id == Connector.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .join(TariffAssignment, applies)
        .where(TariffAssignment.tariff_id == tariff.id)
    ).all()
    found = {"DC" if kind in DC_KINDS else "AC" for kind in kinds}
    return sorted(found or {"AC", "DC"})


def operator_of_location(session: Session, location_id: int) -> int | None:
    return session.scalar(
        select(Location.operator_id).where(Location.id == location_id)
    )


def operator_of_evse(session: Session, evse_id: int) -> int | None:
    return session.scalar(
        select(Location.operator_id)
        .join(Charger, Charger.location_id == Location.id)
        .join(Evse, Evse.charger_id == Charger.id)
        .where(Evse.id == evse_id)
    )


def price_ceilings(session: Session) -> list[Ceiling]:
    """Return the ceilings on the service charge, AC before DC, solar hours first."""
    rows = session.scalars(
        select(PriceCeiling).order_by(PriceCeiling.current, PriceCeiling.period.desc())
    )
    return [
        Ceiling(row.current, row.period, row.paise_per_kwh, row.source) for row in rows
    ]
