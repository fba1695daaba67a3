"""A guest's charge ends before it costs more than they have paid."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from evcharge.charging.figures import lasting, mean_power_w
from evcharge.charging.models import ChargingSession, SessionLatest
from evcharge.charging.queries import samples_of, transaction_of_session
from evcharge.charging.rules import SessionEventKind, SessionStatus
from evcharge.charging.service.changes import record, tell
from evcharge.charging.service.ending import locked_session
from evcharge.charging.service.judging import ask_charger_to_stop
from evcharge.charging.usage import usage_of
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import CommandKind
from evcharge.kernel.money import for_started_hours
from evcharge.tariffs.rules import Reading, Usage
from evcharge.tariffs.rules.agreed import Agreed

HOUR = timedelta(hours=1)
# Until we look again (15 s), and the charger has heard of it and stopped.
AHEAD = timedelta(seconds=30)
# One that says nothing of its power, or was silent for long, is not guessed about for
# longer than chargers take from one reading to the next.
LONGEST_GUESS = timedelta(minutes=2)
# A charger that did not stop is asked again, but not every time we look.
ASK_AGAIN_AFTER = timedelta(minutes=1)


def charging_on_budget(session: Session, *, now: datetime) -> list[UUID]:
    """Return the guests' sessions under way that were not asked to stop just now."""
    was_asked = exists().where(
        ChargerCommand.session_id == ChargingSession.id,
        ChargerCommand.kind == CommandKind.STOP,
        ChargerCommand.created_at > now - ASK_AGAIN_AFTER,
    )
    return list(
        session.scalars(
            select(ChargingSession.id)
            .where(
                ChargingSession.status == SessionStatus.ACTIVE,
                ChargingSession.prepaid_paise > 0,
                ~was_asked,
            )
            .order_by(ChargingSession.id)
        )
    )


def stop_if_spent(session: Session, *, session_id: UUID, now: datetime) -> bool:
    """Ask the charger to stop where going on would cost more than was paid."""
    charge = locked_session(session, session_id)
    transaction = transaction_of_session(session, session_id)
    if charge.status != SessionStatus.ACTIVE or transaction is None:
        return False
    if cost_soon(session, charge, now=now) <= charge.prepaid_paise:
        return False
    ask_charger_to_stop(session, charge, transaction, by=None, now=now)
    kind = SessionEventKind.STOP_REQUESTED
    record(session, charge, kind, now=now, spent_paise=charge.prepaid_paise)
    tell(session, charge)
    return True


def cost_soon(session: Session, charge: ChargingSession, *, now: datetime) -> int:
    """Return what it will have cost, tax included, by when it could have stopped."""
    if charge.tariff is None:
        lasts = lasting(charge, now=now) + AHEAD
        return for_started_hours(lasts, paise_per_hour=charge.price_paise_per_hour)
    agreed = Agreed.from_json(charge.tariff)
    usage = usage_of(charge, samples_of(session, charge.id), now=now)
    latest = session.get(SessionLatest, charge.id)
    soon = _going_on(usage, charge, latest, now=now)
    return agreed.taxed(soon).total_paise


def _going_on(
    usage: Usage,
    charge: ChargingSession,
    latest: SessionLatest | None,
    *,
    now: datetime,
) -> Usage:
    """Return the usage a moment from now, if power flows on as the meter said last."""
    until = now + AHEAD
    heard_at = latest.at if latest else usage.starts_at
    power_w = latest.power_w if latest else None
    if power_w is None:
        power_w = mean_power_w(charge, now=now) or 0
    more_wh = round(power_w * (min(until - heard_at, LONGEST_GUESS) / HOUR))
    if more_wh <= 0:
        return replace(usage, ends_at=until)
    last = Reading(until, usage.readings[-1].energy_wh + more_wh)
    readings = (*usage.readings, last)
    return replace(usage, ends_at=until, readings=readings, charged_until=until)
