"""Charging sessions as rows: for tests of those who only look at them."""

from typing import Any

from sqlalchemy.orm import Session

from evcharge.charging.models import ChargingSession, OcppTransaction, SessionLatest
from evcharge.charging.rules import SessionStatus, StartedBy
from evcharge.kernel.clock import utc_now
from evcharge.kernel.ids import new_id
from evcharge.stations.models import Evse


def a_session(
    session: Session, evse_id: int, user_id: int | None, **columns: Any
) -> ChargingSession:
    """One under way, unless `ended_at` says otherwise, with its EVSE marked so."""
    now, made_id = utc_now(), new_id()
    defaults = {
        "id": made_id,
        "reference": f"CS-{str(made_id)[-8:].upper()}",
        "evse_id": evse_id,
        "user_id": user_id,
        "status": SessionStatus.ACTIVE,
        "started_by": StartedBy.APP,
        "created_at": now,
        "started_at": now,
        "energy_wh": 5_000,
        "flags": [],
    }
    power_w = columns.pop("power_w", 30_000)
    made = ChargingSession(**(defaults | columns))
    session.add(made)
    session.flush()
    if made.status == SessionStatus.ACTIVE:
        session.get_one(Evse, evse_id).open_session_id = made.id
        session.add(SessionLatest(session_id=made.id, at=now, power_w=power_w))
    session.flush()
    return made


def a_transaction(
    session: Session,
    charging: ChargingSession,
    charger_id: int,
    *,
    ref: str | None = None,
) -> OcppTransaction:
    made = OcppTransaction(
        charger_id=charger_id,
        transaction_ref=ref,
        session_id=charging.id,
        connector_id=1,
        is_open=charging.ended_at is None,
    )
    session.add(made)
    session.flush()
    return made
