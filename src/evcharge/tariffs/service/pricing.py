"""Keeps what a kWh comes to at each EVSE, for searches to compare."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcharge.kernel.jobs import enqueue
from evcharge.stations.models import Connector, Evse
from evcharge.stations.service import record_prices
from evcharge.tariffs.queries import agreed_at
from evcharge.tariffs.rules.per_kwh import hourly_paise_per_kwh, paise_per_kwh

JOB = "tariffs.refresh_prices"


def prices_change(session: Session, operator_id: int, *, at: datetime) -> None:
    """Have what a kWh comes to at an operator's EVSEs worked out anew, then."""
    enqueue(session, JOB, now=at, operator_id=operator_id)


def refresh_prices(
    session: Session, evse_ids: Collection[int], *, now: datetime
) -> int:
    """Work out what a kWh comes to; return at how many of the EVSEs that is new."""
    first_hour = now.replace(minute=0, second=0, microsecond=0)
    agreed = agreed_at(session, evse_ids, at=now)
    rows = session.execute(
        select(
            Evse.id,
            Evse.booking_price_paise,
            func.coalesce(func.max(Connector.power_w), 0).label("power_w"),
        )
        .outerjoin(Connector, Connector.evse_id == Evse.id)
        .where(Evse.id.in_(evse_ids))
        .group_by(Evse.id)
    )
    return record_prices(
        session,
        {
            row.id: paise_per_kwh(agreed[row.id], first_hour)
            if row.id in agreed
            else hourly_paise_per_kwh(row.booking_price_paise, row.power_w)
            for row in rows
        },
    )
