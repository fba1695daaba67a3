"""OCPP 2.0.1: who charges may be told after charging began."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from evcharge.accounts.rules.cards import fold_uid
from evcharge.bookings.service import note_session
from evcharge.charging.models import ChargingSession, OcppTransaction
from evcharge.charging.rules import SessionEventKind, SessionStatus
from evcharge.charging.service.changes import flag, put_under, record, tell
from evcharge.charging.service.ending import locked_session
from evcharge.charging.service.judging import Verdict, judge, refuse
from evcharge.charging.service.tags import Holder, holder_of


def recognise(
    session: Session,
    charge: ChargingSession,
    transaction: OcppTransaction,
    tag: str,
    *,
    now: datetime,
) -> bool:
    """Learn, after the start, who charges (OCPP 2.0.1). Return whether they may."""
    if charge.tag == fold_uid(tag) and charge.user_id is not None:
        transaction.tag = tag  # They asked for it from their phone, and here they are.
        return transaction.is_allowed
    holder = holder_of(session, tag, charger_id=transaction.charger_id, at=now)
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


def _merge(
    session: Session, asked_id: UUID, charge: ChargingSession, *, now: datetime
) -> None:
    """The plug began a session before its driver asked for one: one of them goes on."""
    asked = locked_session(session, asked_id)
    asked.status = SessionStatus.INVALID
    asked.failure = f"It goes on as {charge.reference}."
    record(
        session,
        asked,
        SessionEventKind.FAILED,
        now=now,
        goes_on_as=str(charge.id),
    )
    tell(session, asked)
