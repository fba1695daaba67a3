"""Sessions that nobody begins, and sessions that nobody ends."""

from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    and_,
    exists,
    extract,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, raiseload

from evcharge.charging.models import ChargingSession, SessionLatest
from evcharge.charging.queries import place_of_evse
from evcharge.charging.rules import PLUG_IN_WITHIN, START_WITHIN, SessionStatus
from evcharge.charging.service.failing import fail_start
from evcharge.charging.service.healing import heal
from evcharge.charging.service.starting import queue_start
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import NO_ANSWER, CommandKind, CommandState
from evcharge.kernel.db import UtcDateTime
from evcharge.stations.models import Charger, Connector, Evse
from evcharge.stations.rules import ReportedStatus, down_as

BATCH = 200
# A status and a meter value may overtake each other on their way.
SETTLING = timedelta(seconds=60)
# After that long without a word, whoever charged has left.
LONGEST_SILENCE = timedelta(hours=6)

NO_PLUG = "No vehicle was plugged in in time. Plug in, then start again."
OUT_OF_ORDER = "The charger is out of order."
PLUG_IS_BACK = "The plug is free again."
SILENT = "The charger has not been heard of for hours."


# ── never begun ──────────────────────────────────────────────────────────────────


def fail_overdue(session: Session, *, now: datetime) -> int:
    """Give up starts that did not come, at most a batch. Return how many.

    Who has paid for it is given longer to plug in: their charger is asked again.
    """
    asked_at = func.coalesce(
        ChargingSession.paid_at, ChargingSession.created_at, type_=UtcDateTime
    )
    overdue = session.scalars(
        select(ChargingSession)
        .where(
            ChargingSession.status == SessionStatus.PENDING,
            asked_at <= now - START_WITHIN,
        )
        .order_by(ChargingSession.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    given_up = 0
    for charge in overdue:
        if charge.paid_at is not None and _was_asked_lately(session, charge, now=now):
            continue
        why, is_chargers_fault = _why_not(session, charge)
        if why == NO_PLUG and _may_still_plug_in(charge, now=now):
            # A charger forgets a start when no plug came within its own minute or so.
            place = place_of_evse(session, charge.evse_id)
            queue_start(session, place, charge, None, now=now)
            continue
        fail_start(
            session, charge, why=why, is_chargers_fault=is_chargers_fault, now=now
        )
        given_up += 1
    return given_up


def _may_still_plug_in(charge: ChargingSession, *, now: datetime) -> bool:
    return charge.paid_at is not None and now - charge.paid_at < PLUG_IN_WITHIN


def _was_asked_lately(
    session: Session, charge: ChargingSession, *, now: datetime
) -> bool:
    last_asked_at = session.scalars(
        select(func.max(ChargerCommand.created_at)).where(
            ChargerCommand.session_id == charge.id,
            ChargerCommand.kind == CommandKind.START,
        )
    ).one()
    return last_asked_at is not None and last_asked_at > now - START_WITHIN


def _why_not(session: Session, charge: ChargingSession) -> tuple[str, bool]:
    """Return why it did not begin, and whether the charger is to blame for it."""
    reported = session.scalars(
        select(Connector.reported_status).where(Connector.evse_id == charge.evse_id)
    )
    if down_as(set(reported)):
        return OUT_OF_ORDER, True
    answer = session.execute(
        select(ChargerCommand.state, ChargerCommand.answer)
        .where(
            ChargerCommand.session_id == charge.id,
            ChargerCommand.kind == CommandKind.START,
        )
        .order_by(ChargerCommand.created_at.desc())
        .limit(1)
    ).one_or_none()
    if answer is not None and answer.state == CommandState.ACCEPTED:
        return NO_PLUG, False
    return (answer and answer.answer) or NO_ANSWER, True


# ── never ended ──────────────────────────────────────────────────────────────────


def heal_lost(session: Session, *, now: datetime) -> int:
    """End sessions whose stop was missed, at most a batch. Return how many."""
    return sum(
        _heal_where(session, is_lost, why=why, now=now)
        for is_lost, why in (
            (_plug_is_back(now), PLUG_IS_BACK),
            (_charger_is_silent(now), SILENT),
        )
    )


def _heal_where(
    session: Session, is_lost: ColumnElement[bool], *, why: str, now: datetime
) -> int:
    lost = session.execute(
        select(ChargingSession, SessionLatest.at, _back_at())
        .outerjoin(SessionLatest, SessionLatest.session_id == ChargingSession.id)
        .where(ChargingSession.status == SessionStatus.ACTIVE, is_lost)
        .order_by(ChargingSession.id)
        .limit(BATCH)
        .with_for_update(of=ChargingSession, skip_locked=True)
        .options(raiseload("*"))
    ).all()
    for charge, heard_at, back_at in lost:
        freed_at = back_at if why == PLUG_IS_BACK else None
        last_word = heard_at or charge.started_at or charge.created_at
        heal(session, charge, at=freed_at or last_word, why=why, now=now)
    return len(lost)


def _back_at() -> ScalarSelect[datetime | None]:
    """When the last of its plugs changed."""
    latest = select(func.max(Connector.reported_at))
    return latest.where(Connector.evse_id == ChargingSession.evse_id).scalar_subquery()


def _plug_is_back(now: datetime) -> ColumnElement[bool]:
    """Every plug has become free, well after the last word of the session."""
    is_in_use = exists().where(
        Connector.evse_id == ChargingSession.evse_id,
        or_(
            Connector.reported_status.is_(None),
            Connector.reported_status != ReportedStatus.AVAILABLE,
        ),
    )
    settling = SETTLING // timedelta(seconds=1)
    back_at = extract("epoch", _back_at())
    return and_(
        ~is_in_use,
        _back_at() < now - SETTLING,
        back_at > extract("epoch", ChargingSession.started_at) + settling,
        or_(
            SessionLatest.at.is_(None),
            back_at > extract("epoch", SessionLatest.at) + settling,
        ),
    )


def _charger_is_silent(now: datetime) -> ColumnElement[bool]:
    return exists().where(
        Evse.id == ChargingSession.evse_id,
        Charger.id == Evse.charger_id,
        Charger.last_seen_at < now - LONGEST_SILENCE,
    )
