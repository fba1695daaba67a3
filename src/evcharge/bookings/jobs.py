"""What happens to bookings by itself. Only tidiness: nobody waits for it."""

import logging
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.bookings.service import (
    cancel_unpaid,
    complete_bookings,
    expire_holds,
    finish_blocks,
    mark_missed,
    return_let_down,
)
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.metrics import AUDIT_FINDINGS

log = logging.getLogger(__name__)

Sweep = Callable[[Session, datetime], int]
Audit = Callable[[Session], list[str]]


def tidy(database: Database) -> None:
    """Close holds, bookings and maintenance whose time is over, in small batches."""
    _sweep(database, lambda session, now: expire_holds(session, now=now))
    _sweep(database, lambda session, now: cancel_unpaid(session, now=now))
    _sweep(database, lambda session, now: mark_missed(session, now=now))
    _sweep(database, lambda session, now: return_let_down(session, now=now))
    _sweep(database, lambda session, now: complete_bookings(session, now=now))
    _sweep(database, lambda session, now: finish_blocks(session, now=now))


def _sweep(database: Database, sweep: Sweep) -> None:
    while database.perform(lambda session: sweep(session, utc_now())):
        pass


def audit(database: Database, *, discrepancies: Audit) -> None:
    """Say in the log and the metrics what does not agree, if anything.

    Its questions are asked one after the other while people go on booking, so only
    what two rounds find counts.
    """
    findings = _findings(database, discrepancies)
    if findings:
        findings &= _findings(database, discrepancies)
    for finding in sorted(findings):
        log.error("audit: %s", finding)
    AUDIT_FINDINGS.set(len(findings))


def _findings(database: Database, discrepancies: Audit) -> set[str]:
    with database.reading() as session:
        return set(discrepancies(session))
