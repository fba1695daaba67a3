"""What happens to bookings by itself. Only tidiness: nobody waits for it."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.bookings.service import complete_bookings, expire_holds, finish_blocks
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database

Sweep = Callable[[Session, datetime], int]


def tidy(database: Database) -> None:
    """Close holds, bookings and maintenance whose time is over, in small batches."""
    _sweep(database, lambda session, now: expire_holds(session, now=now))
    _sweep(database, lambda session, now: complete_bookings(session, now=now))
    _sweep(database, lambda session, now: finish_blocks(session, now=now))


def _sweep(database: Database, sweep: Sweep) -> None:
    while database.perform(lambda session: sweep(session, utc_now())):
        pass
