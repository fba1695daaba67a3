"""Whose time it is: decided when charging begins, or when it is known who charges."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking
from evcharge.charging.models import ChargingSession, OcppTransaction
from evcharge.charging.queries import (
    owner_of_quarter,
)
from evcharge.charging.rules import (
    Flag,
    SessionEventKind,
)
from evcharge.charging.service.changes import record
from evcharge.charging.service.tags import Holder, booking_here
from evcharge.control.rules import CommandKind
from evcharge.control.service import queue_command
from evcharge.stations.rules import ClaimedBy


@dataclass(frozen=True)
class Verdict:
    """Whether whoever started may go on, under which booking, and what is odd."""

    is_allowed: bool
    booking: Booking | None = None
    flags: frozenset[Flag] = frozenset()


def judge(
    session: Session,
    evse_id: int,
    holder: Holder,
    *,
    at: datetime,
) -> Verdict:
    """Decide whose time it is: here, and not in Authorize, which names no EVSE."""
    booking = _booking_used(session, evse_id, holder, at=at)
    owner = owner_of_quarter(session, evse_id, at=at)
    is_foreign = owner is not None and (
        owner.kind == ClaimedBy.BLOCK
        or (owner.kind == ClaimedBy.BOOKING and not _is_theirs(owner.user_id, holder))
    )
    flags = set()
    if is_foreign:
        flags.add(Flag.FOREIGN_SLOT)
    if not holder.is_known:
        flags.add(Flag.UNKNOWN_TAG)
    return Verdict(not flags, booking, frozenset(flags))


def _is_theirs(user_id: int | None, holder: Holder) -> bool:
    return user_id is not None and user_id == holder.user_id


def _booking_used(
    session: Session, evse_id: int, holder: Holder, *, at: datetime
) -> Booking | None:
    """Return the booking a driver comes with, if it is for this EVSE."""
    if holder.booking is not None and holder.booking.evse_id == evse_id:
        return holder.booking
    if holder.user_id is None:
        return None
    return booking_here(session, holder.user_id, evse_id, at=at)


def refuse(
    session: Session,
    charge: ChargingSession,
    transaction: OcppTransaction,
    *,
    is_late: bool,
    now: datetime,
) -> None:
    record(session, charge, SessionEventKind.REFUSED, now=now, flags=charge.flags)
    if not is_late:  # What is over cannot be stopped.
        ask_charger_to_stop(session, charge, transaction, by=None, now=now)


def ask_charger_to_stop(
    session: Session,
    charge: ChargingSession,
    transaction: OcppTransaction,
    *,
    by: int | None,
    now: datetime,
) -> None:
    queue_command(
        session,
        charger_id=transaction.charger_id,
        kind=CommandKind.STOP,
        arguments={"number": transaction.number, "ref": transaction.transaction_ref},
        by=by,
        now=now,
        session_id=charge.id,
    )
