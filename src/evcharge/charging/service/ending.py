"""How a session ends, whoever says so."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, raiseload

from evcharge.bookings.service import complete_by_session
from evcharge.charging.models import ChargingSession, OcppTransaction
from evcharge.charging.rules import (
    SUCCESSFUL_WH,
    Meter,
    SessionEventKind,
    SessionStatus,
)
from evcharge.charging.service.changes import record, tell
from evcharge.charging.service.claims import release_claims
from evcharge.control.models import ChargerConnection
from evcharge.kernel.db import changed
from evcharge.kernel.jobs import enqueue
from evcharge.kernel.money import for_started_hours
from evcharge.payments.rules import ItemKind
from evcharge.stations.models import Evse


def locked_session(session: Session, session_id: UUID) -> ChargingSession:
    """Return a session that nobody else changes now."""
    return session.scalars(
        select(ChargingSession)
        .where(ChargingSession.id == session_id)
        .with_for_update()
        .options(raiseload("*"))
        .execution_options(populate_existing=True)
    ).one()


def meter_of(charge: ChargingSession) -> Meter:
    return Meter(
        charge.meter_start_wh,
        charge.meter_wh,
        charge.meter_low_wh,
        charge.meter_offset_wh,
    )


def show_meter(charge: ChargingSession, meter: Meter) -> None:
    charge.meter_start_wh = meter.start_wh
    charge.meter_wh = meter.last_wh
    charge.meter_low_wh = meter.low_wh
    charge.meter_offset_wh = meter.offset_wh
    charge.energy_wh = meter.energy_wh


def finish(
    session: Session,
    charge: ChargingSession,
    *,
    at: datetime,
    reason: str,
    now: datetime,
) -> None:
    """End a session and give back what it holds; its booking ends if it charged."""
    started_at = charge.started_at or at
    charge.status = SessionStatus.COMPLETED
    charge.ended_at = max(at, started_at)
    charge.stop_reason = reason[:40]
    if charge.tariff is None:  # Else its bill will say.
        charge.amount_paise = for_started_hours(
            charge.ended_at - started_at, paise_per_hour=charge.price_paise_per_hour
        )
    charge.version += 1
    session.flush()
    leave_evse(session, charge)
    release_claims(session, charge.id)
    # A handshake ends no booking: plugs slip, and who tries again needs the slot.
    if charge.booking_id is not None and charge.energy_wh >= SUCCESSFUL_WH:
        complete_by_session(session, charge.booking_id, at=charge.ended_at, now=now)
    record(session, charge, SessionEventKind.ENDED, now=now, reason=reason)
    ask_to_settle(session, charge, now=now)
    tell(session, charge)


def ask_to_settle(session: Session, charge: ChargingSession, *, now: datetime) -> None:
    """Have a charge billed, or what was paid for it sent back, once this is over."""
    enqueue(
        session,
        "charging.settle",
        now=now,
        kind=ItemKind.SESSION,
        item_id=str(charge.id),
    )


def leave_evse(session: Session, charge: ChargingSession) -> None:
    changed(
        session,
        update(Evse)
        .where(Evse.id == charge.evse_id, Evse.open_session_id == charge.id)
        .values(open_session_id=None),
    )
    changed(
        session,
        update(OcppTransaction)
        .where(OcppTransaction.session_id == charge.id)
        .values(is_open=False),
    )


def lock_transactions(session: Session, charger_id: int) -> None:
    """Let no other node work on this charger's transactions until this is over."""
    session.execute(
        select(ChargerConnection.charger_id)
        .where(ChargerConnection.charger_id == charger_id)
        .with_for_update()
    )
