"""What is done about money without anybody asking."""

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from evcharge.finance.comparing import DAY, Stretch, Theirs
from evcharge.finance.queries.reconciling import days_with_differences
from evcharge.finance.rules import INDIA
from evcharge.finance.service import (
    bill_old_bookings,
    reconcile_day,
    reconcile_rest,
    write_old_money,
)
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.errors import Unavailable
from evcharge.kernel.jobs import renew
from evcharge.payments.providers import Providers
from evcharge.payments.providers.base import Provider

log = logging.getLogger(__name__)

# What was found on a day is looked at again for so long.
LOOKED_BACK = timedelta(days=30)
# A provider dates money by when it was asked for: a day before it came, at most.
MARGIN = DAY

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


def reconcile(
    database: Database, *, providers: Providers, renew: Renew = renew
) -> None:
    """Lay what providers, we and the ledger say of yesterday and today side by side;
    and of older days with something left to explain."""
    today = utc_now().astimezone(INDIA).date()
    with database.reading() as session:
        old = days_with_differences(session, since=today - LOOKED_BACK)
    for day in sorted({today, today - DAY} | old):
        for provider in providers:
            renew(database, now=utc_now())
            _reconcile_day(database, provider, day)
    database.perform(partial(reconcile_rest, now=utc_now()), repeatable=True)


def _reconcile_day(database: Database, provider: Provider, day: date) -> None:
    stretch = Stretch(day)
    since, until = stretch.since - MARGIN, stretch.until + MARGIN
    try:
        moved = {
            (each.kind, each.ref): Theirs(each.amount_paise, each.at)
            for each in provider.movements(since, until)
        }
    except Unavailable as error:
        log.warning("%s does not say what moved on %s: %s", provider.name, day, error)
        return
    database.perform(
        partial(
            reconcile_day,
            day=day,
            provider=provider.name,
            theirs=moved,
            now=utc_now(),
        ),
        repeatable=True,
    )
