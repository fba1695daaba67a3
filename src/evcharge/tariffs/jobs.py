"""What is worked out of tariffs later, and again."""

from functools import partial

from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.jobs import renew
from evcharge.tariffs.queries import evses_to_price, evses_without_price
from evcharge.tariffs.service import refresh_prices

AT_ONCE = 500


def refresh_all_prices(database: Database, *, operator_id: int | None = None) -> None:
    """Work out anew what a kWh comes to, everywhere or at an operator's EVSEs."""
    last = 0
    while True:
        with database.reading() as session:
            ids = evses_to_price(
                session, after=last, limit=AT_ONCE, operator_id=operator_id
            )
        if not ids:
            return
        now = utc_now()
        database.perform(partial(refresh_prices, evse_ids=ids, now=now))
        last = ids[-1]
        renew(database, now=now)


def price_new(database: Database) -> None:
    """Work it out where it is not known: EVSEs that are new, or were edited."""
    while True:
        with database.reading() as session:
            ids = evses_without_price(session, limit=AT_ONCE)
        if not ids:
            return
        now = utc_now()
        database.perform(partial(refresh_prices, evse_ids=ids, now=now))
        renew(database, now=now)
