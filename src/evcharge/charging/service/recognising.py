"""OCPP 2.0.1: who charges may be told after charging began."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from evcharge.accounts.rules.cards import fold_uid
from evcharge.bookings.service import note_session
from evcharge.charging.models import ChargingSession, OcppTransaction
from evcharge.charging.rules import (
    Meter,
    SessionEventKind,
    SessionStatus,
    StartedBy,
)
from evcharge.charging.service.changes import flag, put_under, record, tell
from evcharge.charging.service.claims import release_claims, roll_claims
from evcharge.charging.service.ending import locked_session, show_meter
from evcharge.charging.service.judging import Verdict, judge, refuse
from evcharge.charging.service.tags import NOBODY, Holder, holder_of
from evcharge.kernel.db import changed
from evcharge.stations.models import Evse


def recognise(
    session: Session,
    charge: ChargingSession,
    transaction: OcppTransaction,
    tag: str,
    *,
    now: datetime,
) -> bool:
    """Learn, after the start, who charges (OCPP 2.0.1). Return whether they may."""
    if charge.tag == fold_uid(tag) and not charge.is_of_nobody:
        transaction.tag = tag  # They asked for it from their phone, and here they are.
        return transaction.is_allowed
    holder = holder_of(session, tag, charger_id=transaction.charger_id, at=now).at_evse(
        charge.evse_id
    )
    if holder.asked is not None and holder.asked.guest_id is not None:
        paid = locked_session(session, holder.asked.id)
        if paid.status == SessionStatus.PENDING:
            return _hand_over(session, charge, paid, transaction, tag, now=now)
        holder = NOBODY  # It was given up, and paid back, at this very moment.
    verdict = judge(session, charge.evse_id, holder, at=now)
    _adopt(session, charge, holder, verdict, tag, now=now)
    transaction.tag, transaction.is_allowed = tag, verdict.is_allowed
    if verdict.booking is not None:
        note_session(session, verdict.booking.id, at=now, now=now)
    if not verdict.is_allowed:
        refuse(session, charge, transaction, is_late=False, now=now)
    tell(session, charge)
    return verdict.is_allowed


def _adopt(
    session: Session,
    charge: ChargingSession,
    holder: Holder,
    verdict: Verdict,
    tag: str,
    *,
    now: datetime,
) -> None:
    charge.started_by, charge.user_id = holder.by, holder.user_id
    charge.tag = fold_uid(tag)[:36]
    if verdict.booking is not None:
        put_under(charge, verdict.booking)
    if holder.asked is not None and holder.asked.id != charge.id:
        _merge(session, holder.asked.id, charge, now=now)
    flag(charge, verdict.flags)
    charge.version += 1
    session.flush()


def _hand_over(
    session: Session,
    charge: ChargingSession,
    paid: ChargingSession,
    transaction: OcppTransaction,
    tag: str,
    *,
    now: datetime,
) -> bool:
    """Go on with the session a guest has paid for, instead of the one the plug began.

    Their money names theirs. It begins now: what the plug had begun was not theirs.
    """
    paid.status = SessionStatus.ACTIVE
    paid.connector_number = charge.connector_number
    paid.started_at = now
    paid.charging_state = charge.charging_state
    show_meter(paid, Meter(charge.meter_wh, charge.meter_wh))
    paid.version += 1
    transaction.session_id, transaction.tag = paid.id, tag
    _end_for(session, charge, paid, now=now)
    changed(
        session,
        update(Evse)
        .where(Evse.id == paid.evse_id, Evse.open_session_id == charge.id)
        .values(open_session_id=paid.id),
    )
    roll_claims(session, paid, now=now)
    record(session, paid, SessionEventKind.STARTED, now=now, by=StartedBy.APP)
    tell(session, paid)
    return True


def _end_for(
    session: Session, charge: ChargingSession, other: ChargingSession, *, now: datetime
) -> None:
    """A session of nobody is over, because another goes on in its place."""
    charge.status = SessionStatus.INVALID
    charge.failure = f"It goes on as {other.reference}."
    charge.version += 1
    session.flush()
    release_claims(session, charge.id)
    record(
        session,
        charge,
        SessionEventKind.FAILED,
        now=now,
        goes_on_as=str(other.id),
    )


def _merge(
    session: Session, asked_id: UUID, charge: ChargingSession, *, now: datetime
) -> None:
    """The plug began a session before its driver asked for one: one of them goes on."""
    asked = locked_session(session, asked_id)
    _end_for(session, asked, charge, now=now)
    tell(session, asked)
