"""What happens to charging by itself, every few seconds."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from evcharge.charging.service import on_answered
from evcharge.charging.service.budget import charging_on_budget, stop_if_spent
from evcharge.charging.service.claims import roll_all_claims
from evcharge.charging.service.lost import fail_overdue, heal_lost
from evcharge.charging.service.overrun import Overrun, overruns, settle
from evcharge.charging.service.prepaid import drop_unpaid
from evcharge.charging.service.reservations import cancel_over, reserve_soon
from evcharge.charging.service.settling import settle_booking, settle_session
from evcharge.control.service import expire_commands, purge_words
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.errors import DomainError
from evcharge.payments.rules import ItemKind
from evcharge.stations.service.outages import note_return, note_silence

log = logging.getLogger(__name__)

Sweep = Callable[[Session, datetime], int]


def tidy(database: Database) -> None:
    """Note silence, end what was lost or is spent, protect who comes next."""
    _sweep(database, lambda session, now: note_silence(session, now=now))
    _sweep(database, lambda session, now: note_return(session, now=now))
    _sweep(database, lambda session, now: fail_overdue(session, now=now))
    _sweep(database, lambda session, now: heal_lost(session, now=now))
    _sweep(database, lambda session, now: roll_all_claims(session, now=now))
    _sweep(database, lambda session, now: drop_unpaid(session, now=now))
    _stop_the_spent(database)
    _protect(database)
    _sweep(database, lambda session, now: cancel_over(session, now=now))
    _sweep(database, lambda session, now: reserve_soon(session, now=now))


def _sweep(database: Database, sweep: Sweep) -> None:
    while database.perform(lambda session: sweep(session, utc_now())):
        pass


def _stop_the_spent(database: Database) -> None:
    with database.reading() as session:
        found = charging_on_budget(session, now=utc_now())
    for session_id in found:
        database.perform(partial(stop_if_spent, session_id=session_id, now=utc_now()))


def _protect(database: Database) -> None:
    with database.reading() as session:
        found = overruns(session, now=utc_now())
    for overrun in found:
        _settle(database, overrun)


def _settle(database: Database, overrun: Overrun) -> None:
    try:
        database.perform(lambda session: settle(session, overrun, now=utc_now()))
    except DomainError as refusal:  # Somebody was quicker; the next round looks anew.
        log.info("booking %s stays for now: %s", overrun.booking_id, refusal)


def give_up(database: Database) -> None:
    """Close commands that no charger answered, and do what follows from that."""
    while database.perform(lambda session: _give_up(session, now=utc_now())):
        pass


def _give_up(session: Session, *, now: datetime) -> int:
    overdue = expire_commands(session, now=now)
    for command in overdue:
        on_answered(session, command, now)
    return len(overdue)


def settle_item(database: Database, *, kind: str, item_id: str) -> None:
    """Bill a booking or a charge that is over. Repeating it changes nothing."""
    work_out = settle_booking if kind == ItemKind.BOOKING else settle_session
    item = UUID(item_id)
    database.perform(lambda session: work_out(session, item, now=utc_now()))


def purge(database: Database, *, keep: timedelta) -> None:
    """Forget what chargers said longer ago than that."""
    _sweep(
        database, lambda session, now: purge_words(session, older_than=keep, now=now)
    )
