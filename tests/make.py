"""Test data with sensible defaults: a test names only what it is about."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.accounts.models import Login, Operator, OperatorMember, User
from evcharge.bookings.rules import BookingRequest, Slot, booking_request
from evcharge.kernel.clock import utc_now
from evcharge.kernel.ids import new_id
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import ConnectorKind, Lifecycle, ReportedStatus
from evcharge.stations.service import refresh_search_rows

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PRICE_PAISE = 12_000  # An hour at EVSEs made here.

_numbers = count(1)


def a_slot(*, after_hours: float = 1, hours: float = 1, now: datetime = NOON) -> Slot:
    """A slot relative to NOON."""
    starts_at = now + timedelta(hours=after_hours)
    return Slot(starts_at, starts_at + timedelta(hours=hours))


def a_request(
    evse_id: int, slot: Slot | None = None, *, user_id: int, key: str | None = None
) -> BookingRequest:
    return booking_request(
        user_id=user_id, evse_id=evse_id, slot=slot or a_slot(), key=key
    )


def a_user(
    session: Session,
    *,
    role: str = "driver",
    email: str | None = None,
    operator: Operator | None = None,
    **columns: Any,
) -> User:
    """A person without a usable password; a member of `operator` if one is given."""
    address = email or f"person{next(_numbers)}@example.com"
    defaults = {
        "name": "Asha Rao",
        "email": address,
        "email_key": address.casefold(),
        "password_hash": "!",
        "role": role,
        "created_at": NOON,
    }
    user = User(**(defaults | columns))
    session.add(user)
    session.flush()
    if operator is not None:
        session.add(
            OperatorMember(operator_id=operator.id, user_id=user.id, created_at=NOON)
        )
    session.flush()
    session.refresh(user)
    return user


def a_login(session: Session, user: User, **columns: Any) -> Login:
    defaults = {
        "id": new_id(),
        "user_id": user.id,
        "device": "a test",
        "created_at": utc_now(),
        "expires_at": utc_now() + timedelta(days=1),
    }
    login = Login(**(defaults | columns))
    session.add(login)
    session.flush()
    return login


def an_operator(session: Session, name: str = "Test Power") -> Operator:
    known = session.scalar(select(Operator).where(Operator.name == name))
    operator = known or Operator(name=name, created_at=NOON)
    session.add(operator)
    session.flush()
    return operator


def a_location(session: Session, **columns: Any) -> Location:
    defaults = {
        "operator": columns.pop("operator", None) or an_operator(session),
        "name": "MG Road",
        "address": "12 MG Road",
        "city": "Bengaluru",
        "state": "Karnataka",
        "pincode": "560001",
        "lat": 12.9756,
        "lon": 77.6066,
        "created_at": NOON,
    }
    location = Location(**(defaults | columns))
    session.add(location)
    session.flush()
    return location


def an_evse(
    session: Session,
    *,
    location: Location | None = None,
    identity: str | None = None,
    kinds: tuple[ConnectorKind, ...] = (ConnectorKind.CCS2,),
    power_w: int = 60_000,
    reported: ReportedStatus | None = ReportedStatus.AVAILABLE,
    lifecycle: Lifecycle = Lifecycle.ACTIVE,
    price_paise: int = PRICE_PAISE,
    seen_at: datetime | None = NOON,
) -> Evse:
    """EVSE 1 of a new charger, with a connector for each kind."""
    charger = Charger(
        identity=identity or f"MADE-{next(_numbers)}",
        location=location or a_location(session),
        last_seen_at=seen_at,
        created_at=NOON,
    )
    evse = Evse(
        number=1,
        charger=charger,
        lifecycle=lifecycle,
        booking_price_paise=price_paise,
        connectors=[
            Connector(
                number=number,
                kind=kind,
                power_w=power_w,
                reported_status=reported,
                reported_at=seen_at,
            )
            for number, kind in enumerate(kinds, start=1)
        ],
    )
    session.add(evse)
    session.flush()
    refresh_search_rows(session, [charger.location_id])
    return evse
