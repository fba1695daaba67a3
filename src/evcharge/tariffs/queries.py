"""Which tariff applies where. Nothing here changes anything."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, case, func, or_, select
from sqlalchemy.orm import Session

from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.tariffs.models import Tariff, TariffAssignment
from evcharge.tariffs.rules import Terms
from evcharge.tariffs.rules.agreed import Agreed
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
