"""What is worked out of stations now and then."""

from functools import partial

from sqlalchemy import select

from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.jobs import renew
from evcharge.stations.models import Location
from evcharge.stations.service import record_reliability

AT_ONCE = 500


def refresh_reliability(database: Database) -> None:
    """Work out anew how reliable each location is, some at a time."""
    last = 0
    while True:
        with database.reading() as session:
            ids = session.scalars(
                select(Location.id)
                .where(Location.id > last)
                .order_by(Location.id)
                .limit(AT_ONCE)
            ).all()
        if not ids:
            return
        now = utc_now()
        database.perform(partial(record_reliability, location_ids=ids, now=now))
        last = ids[-1]
        renew(database, now=now)
