"""What is done about money without anybody asking."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from evcharge.finance.service import bill_old_bookings, write_old_money
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.jobs import renew

Renew = Callable[..., None]


def backfill(
    database: Database, *, until: str | None = None, renew: Renew = renew
) -> None:
    """Write money from before there was a ledger into it, in small batches.

    `until`: when the ledger began. Killed half way it starts again, and finds what is
    written already.
    """
    began = datetime.fromisoformat(until) if until else utc_now()
    after = _write(database, None)
    while after is not None:
        renew(database, now=utc_now())
        after = _write(database, after)
    while database.perform(partial(bill_old_bookings, until=began), repeatable=True):
        renew(database, now=utc_now())


def _write(database: Database, after: UUID | None) -> UUID | None:
    return database.perform(partial(write_old_money, after=after), repeatable=True)
