"""Does what sessions claim agree with what they are? Worked out again, as elsewhere."""

from collections.abc import Iterator

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from evcharge.bookings import audit as bookings_audit
from evcharge.bookings.models import SlotClaim
from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import SessionStatus
from evcharge.stations.models import Evse
from evcharge.stations.rules import ClaimedBy


def discrepancies(session: Session) -> list[str]:
    """Return what is wrong with bookings, money and sessions; [] if all is well."""
    return [
        *bookings_audit.discrepancies(session),
        *_claims_of_no_session(session),
        *_evses_of_no_session(session),
    ]


def _claims_of_no_session(session: Session) -> Iterator[str]:
    strays = session.scalars(
        select(SlotClaim)
        .outerjoin(
            ChargingSession,
            and_(
                ChargingSession.id == SlotClaim.session_id,
                ChargingSession.evse_id == SlotClaim.evse_id,
                ChargingSession.status.in_(
                    [SessionStatus.PENDING, SessionStatus.ACTIVE]
                ),
            ),
        )
        .where(SlotClaim.kind == ClaimedBy.SESSION, ChargingSession.id.is_(None))
    )
    for claim in strays:
        yield f"claim {claim.evse_id}/{claim.slot_no} has no live session"


def _evses_of_no_session(session: Session) -> Iterator[str]:
    strays = session.scalars(
        select(Evse.id)
        .outerjoin(ChargingSession, ChargingSession.id == Evse.open_session_id)
        .where(
            Evse.open_session_id.is_not(None),
            or_(
                ChargingSession.id.is_(None),
                ChargingSession.evse_id != Evse.id,
                ChargingSession.status != SessionStatus.ACTIVE,
            ),
        )
    )
    for evse_id in strays:
        yield f"EVSE {evse_id} shows a session that is not under way there"
