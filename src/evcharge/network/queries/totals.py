"""How much there is to find: the network in a line."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcharge.network.queries.search_evses import is_free_now
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.rules import Lifecycle


@dataclass(frozen=True)
class Totals:
    """What there is to find, counted as the cards count."""

    locations: int
    points: int
    free: int
    counted_at: datetime


def totals(session: Session, *, now: datetime) -> Totals:
    """Count. It looks at every point there is: pages ask `network/tally.py`."""
    is_counted = Evse.lifecycle != Lifecycle.PLANNED
    row = session.execute(
        select(
            func.count(Location.id.distinct()),
            func.count().filter(is_counted),
            func.count().filter(is_free_now(now)),
        )
        .select_from(Evse)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .where(Location.is_active, Evse.lifecycle != Lifecycle.REMOVED)
    ).one()
    return Totals(*row, counted_at=now)
