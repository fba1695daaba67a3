"""Figures that searches order by: worked out elsewhere or now and then, stored here."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.queries import uptime
from evcharge.stations.rules import Lifecycle
from evcharge.stations.service.search_rows import refresh_search_rows

# Long enough that one bad day is no verdict, short enough that repairs count.
LOOK_BACK = timedelta(days=30)
# Known for shorter than this, a point has proved nothing yet.
LEAST_KNOWN = timedelta(days=1)


def record_prices(session: Session, paise_per_kwh: Mapping[int, int | None]) -> int:
    """Note what a kWh comes to at these EVSEs; return at how many that is new."""
    known = session.execute(
        select(Evse.id, Evse.paise_per_kwh, Charger.location_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .where(Evse.id.in_(paise_per_kwh))
        .order_by(Evse.id)
    ).all()
    stale = [row for row in known if row.paise_per_kwh != paise_per_kwh[row.id]]
    if not stale:
        return 0
    session.connection().execute(
        _PRICE, [{"evse": row.id, "price": paise_per_kwh[row.id]} for row in stale]
    )
    refresh_search_rows(session, {row.location_id for row in stale})
    return len(stale)


def record_reliability(
    session: Session, location_ids: Sequence[int], *, now: datetime
) -> int:
    """Work out how reliable these locations are; return for how many that is new."""
    rows = session.execute(
        select(Charger.location_id, Evse.id)
        .join(Charger, Charger.id == Evse.charger_id)
        .where(
            Charger.location_id.in_(location_ids),
            Charger.created_at <= now - LEAST_KNOWN,
            Evse.lifecycle == Lifecycle.ACTIVE,
        )
    ).all()
    shares = uptime(session, [row.id for row in rows], now - LOOK_BACK, now)
    found: dict[int, list[float]] = {}
    for location_id, evse_id in rows:
        found.setdefault(location_id, []).append(shares[evse_id])
    permille = {each: _permille(found.get(each)) for each in location_ids}
    known = session.execute(
        select(Location.id, Location.reliability_permille)
        .where(Location.id.in_(location_ids))
        .order_by(Location.id)
    )
    stale: list[dict[str, Any]] = [
        {"location": id_, "permille": permille[id_]}
        for id_, before in known
        if before != permille[id_]
    ]
    if stale:
        session.connection().execute(_RELIABILITY, stale)
        refresh_search_rows(session, [each["location"] for each in stale])
    return len(stale)


def _permille(shares: Sequence[float] | None) -> int | None:
    return round(1000 * sum(shares) / len(shares)) if shares else None


# Neither is an edit: versions stay, so that no operator's form grows stale.
_PRICE = (
    update(Evse.__table__)  # type: ignore[arg-type]
    .where(Evse.id == bindparam("evse"))
    .values(paise_per_kwh=bindparam("price"))
)
_RELIABILITY = (
    update(Location.__table__)  # type: ignore[arg-type]
    .where(Location.id == bindparam("location"))
    .values(reliability_permille=bindparam("permille"))
)
