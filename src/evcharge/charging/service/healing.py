"""A session whose stop was missed: ended as well as can be told, and flagged."""

from datetime import datetime

from sqlalchemy.orm import Session

from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import Flag, SessionStatus
from evcharge.charging.service.changes import flag
from evcharge.charging.service.ending import finish


def heal(
    session: Session,
    charge: ChargingSession,
    *,
    at: datetime,
    why: str,
    now: datetime | None = None,
) -> None:
    """End a session that nobody stopped, at `at`; what it gave is its last reading.

    It costs nothing unless its stop comes after all. `charge` is locked by the caller;
    `now`: when that was noticed, if not then.
    """
    if charge.status != SessionStatus.ACTIVE:
        return
    flag(charge, [Flag.STOP_MISSING, Flag.METER_ESTIMATED])
    finish(session, charge, at=at, reason=why, now=now or at)
    charge.amount_paise = 0
    session.flush()
