"""Questions about charging sessions. Nothing here changes anything."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import Session, joinedload, raiseload, selectinload
from sqlalchemy.sql.base import ExecutableOption

from evcharge.bookings.models import Booking, SlotClaim
from evcharge.bookings.rules import slot_no
from evcharge.charging.models import ChargingSession, MeterSample, OcppTransaction
from evcharge.charging.rules import SUCCESSFUL_WH, SessionNotFound, SessionStatus
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import ClaimedBy, EvseNotFound, Lifecycle

UNDER_WAY = (SessionStatus.PENDING, SessionStatus.ACTIVE)


@dataclass(frozen=True)
class EvsePlace:
    """An EVSE as charging needs it: where it is and what is under way there."""

    evse_id: int
    number: int
    charger_id: int
    identity: str
    location_id: int
    price_paise_per_hour: int
    lifecycle: Lifecycle
    open_session_id: UUID | None


_PLACES = select(
    Evse.id,
    Evse.number,
    Charger.id,
    Charger.identity,
    Charger.location_id,
    Evse.booking_price_paise,
    Evse.lifecycle,
    Evse.open_session_id,
).join(Charger, Charger.id == Evse.charger_id)


def place_of_evse(session: Session, evse_id: int) -> EvsePlace:
    """Raises: EvseNotFound."""
    row = session.execute(_PLACES.where(Evse.id == evse_id)).one_or_none()
    if row is None:
        raise EvseNotFound(evse_id=evse_id)
    return EvsePlace(*row)


def place_by_number(session: Session, charger_id: int, number: int) -> EvsePlace:
    """Raises: EvseNotFound."""
    row = session.execute(
        _PLACES.where(Charger.id == charger_id, Evse.number == number)
    ).one_or_none()
    if row is None:
        raise EvseNotFound(charger_id=charger_id, number=number)
    return EvsePlace(*row)


@dataclass(frozen=True)
class Site:
    """Where something was supplied, in the words of a bill."""

    location_id: int
    location_name: str
    point: str


def site_of(session: Session, evse_id: int) -> Site:
    """Raises: EvseNotFound."""
    row = session.execute(
        select(Location.id, Location.name, Charger.identity, Evse.number)
        .join(Charger, Charger.location_id == Location.id)
        .join(Evse, Evse.charger_id == Charger.id)
        .where(Evse.id == evse_id)
    ).one_or_none()
    if row is None:
        raise EvseNotFound(evse_id=evse_id)
    return Site(row[0], row[1], f"{row[2]}/{row[3]}")


def first_connector(session: Session, evse_id: int) -> int:
    """Return the number of the plug to unlock where nobody said which."""
    lowest = select(func.min(Connector.number)).where(Connector.evse_id == evse_id)
    return session.scalar(lowest) or 1


@dataclass(frozen=True)
class Owner:
    """Whose a quarter hour of an EVSE is."""

    kind: ClaimedBy
    booking_id: UUID | None
    user_id: int | None
    session_id: UUID | None


def owner_of_quarter(session: Session, evse_id: int, *, at: datetime) -> Owner | None:
    """Return whose quarter hour `at` lies in; a hold that lapsed owns nothing."""
    row = session.execute(
        select(
            SlotClaim.kind, SlotClaim.booking_id, Booking.user_id, SlotClaim.session_id
        )
        .outerjoin(Booking, Booking.id == SlotClaim.booking_id)
        .where(
            SlotClaim.evse_id == evse_id,
            SlotClaim.slot_no == slot_no(at),
            or_(Booking.hold_expires_at.is_(None), Booking.hold_expires_at > at),
        )
    ).one_or_none()
    return None if row is None else Owner(*row)


# ── sessions ─────────────────────────────────────────────────────────────────────


def session_of_user(
    session: Session, session_id: UUID, user_id: int
) -> ChargingSession:
    """Return a session with its place, booking, latest values and events loaded.

    Raises: SessionNotFound, also when the session is someone else's.
    """
    found = session.scalar(
        _whole(ChargingSession.id == session_id, ChargingSession.user_id == user_id)
    )
    if found is None:
        raise SessionNotFound(session_id=session_id)
    return found


def session_of_guest(session: Session, guest_id: UUID) -> ChargingSession:
    """Return the one session of a guest, as `session_of_user` does.

    Raises: SessionNotFound.
    """
    found = session.scalar(_whole(ChargingSession.guest_id == guest_id))
    if found is None:
        raise SessionNotFound(guest_id=guest_id)
    return found


def session_of_guest_or_none(
    session: Session, guest_id: UUID
) -> ChargingSession | None:
    return session.scalar(
        select(ChargingSession)
        .where(ChargingSession.guest_id == guest_id)
        .options(raiseload("*"))
    )


def _whole(*conditions: ColumnElement[bool]) -> Select[ChargingSession]:
    return (
        select(ChargingSession)
        .where(*conditions)
        .options(
            *_placed(),
            joinedload(ChargingSession.booking),
            joinedload(ChargingSession.latest),
            selectinload(ChargingSession.events),
            raiseload("*"),
        )
    )


def _placed() -> tuple[ExecutableOption, ...]:
    evse = joinedload(ChargingSession.evse)
    return (
        evse.joinedload(Evse.charger)
        .joinedload(Charger.location)
        .joinedload(Location.operator),
        joinedload(ChargingSession.evse).selectinload(Evse.connectors),
    )


@dataclass(frozen=True)
class SessionPosition:
    """Where a list of sessions goes on: after this one.

    It may come back from outside: what no list ever ended at is a ValueError.
    """

    created_at: datetime
    id: UUID

    def __post_init__(self) -> None:
        if self.created_at.utcoffset() != timedelta():
            raise ValueError("not in UTC")


def sessions_of_user(
    session: Session,
    user_id: int,
    *,
    statuses: Collection[SessionStatus] = (),
    after: SessionPosition | None = None,
    limit: int,
) -> tuple[Sequence[ChargingSession], SessionPosition | None]:
    """Return a driver's sessions, the latest first, and where they go on."""
    wanted = select(ChargingSession).where(ChargingSession.user_id == user_id)
    if statuses:
        wanted = wanted.where(ChargingSession.status.in_(statuses))
    if after is not None:
        place = tuple_(ChargingSession.created_at, ChargingSession.id)
        wanted = wanted.where(place < (after.created_at, after.id))
    rows = session.scalars(
        wanted.order_by(ChargingSession.created_at.desc(), ChargingSession.id.desc())
        .limit(limit + 1)
        .options(
            *_placed(),
            joinedload(ChargingSession.booking),
            joinedload(ChargingSession.latest),
            raiseload("*"),
        )
    ).all()
    found = rows[:limit]
    last = found[-1] if len(rows) > limit else None
    return found, SessionPosition(last.created_at, last.id) if last else None


@dataclass(frozen=True)
class UnderWay:
    """A session that goes on, in a line."""

    id: UUID
    status: SessionStatus
    energy_wh: int
    evse_id: int
    location_name: str


_UNDER_WAY = (
    select(
        ChargingSession.id,
        ChargingSession.status,
        ChargingSession.energy_wh,
        ChargingSession.evse_id,
        Location.name,
    )
    .join(Evse, Evse.id == ChargingSession.evse_id)
    .join(Charger, Charger.id == Evse.charger_id)
    .join(Location, Location.id == Charger.location_id)
    .where(
        ChargingSession.user_id == bindparam("user_id"),
        ChargingSession.status.in_(UNDER_WAY),
    )
    .order_by(ChargingSession.created_at.desc())
    .limit(1)
)


def under_way(session: Session, user_id: int) -> UnderWay | None:
    """Return what a driver charges just now, the latest if it is several."""
    row = session.execute(_UNDER_WAY, {"user_id": user_id}).one_or_none()
    return None if row is None else UnderWay(*row)


def session_of_booking(session: Session, booking_id: UUID) -> ChargingSession | None:
    """Return the latest session under a booking that began, or may still begin."""
    return session.scalar(
        select(ChargingSession)
        .where(
            ChargingSession.booking_id == booking_id,
            ChargingSession.status != SessionStatus.INVALID,
        )
        .order_by(ChargingSession.created_at.desc())
        .limit(1)
        .options(raiseload("*"))
    )


def samples_of(
    session: Session, session_id: UUID, *, limit: int = 2_000
) -> Sequence[MeterSample]:
    """Return a session's latest readings, in the order they came in."""
    rows = session.scalars(
        select(MeterSample)
        .where(MeterSample.session_id == session_id)
        .order_by(MeterSample.at.desc(), MeterSample.id.desc())
        .limit(limit)
    ).all()
    return rows[::-1]


def last_successful_charge(
    session: Session, evse_ids: Collection[int]
) -> dict[int, datetime]:
    """Return when each EVSE last gave somebody energy worth speaking of."""
    rows = session.execute(
        select(ChargingSession.evse_id, func.max(ChargingSession.ended_at))
        .where(
            ChargingSession.evse_id.in_(evse_ids),
            ChargingSession.ended_at.is_not(None),
            ChargingSession.energy_wh >= SUCCESSFUL_WH,
        )
        .group_by(ChargingSession.evse_id)
    )
    return {evse_id: at for evse_id, at in rows if at is not None}


# ── transactions ─────────────────────────────────────────────────────────────────


def transaction_of_session(
    session: Session, session_id: UUID
) -> OcppTransaction | None:
    """Return how the charger names the session; None before it began."""
    return session.scalar(
        select(OcppTransaction)
        .where(OcppTransaction.session_id == session_id)
        .order_by(OcppTransaction.number.desc())
        .limit(1)
    )


def transaction_named(
    session: Session, charger_id: int, *, number: int | None, ref: str | None
) -> OcppTransaction | None:
    """Return a charger's transaction by our number or by its own text."""
    if ref is not None:
        named: ColumnElement[bool] = OcppTransaction.transaction_ref == ref
    elif number is not None:
        named = OcppTransaction.number == number
    else:
        return None
    return session.scalar(
        select(OcppTransaction).where(OcppTransaction.charger_id == charger_id, named)
    )


def open_transactions_of(
    session: Session, charger_id: int, *conditions: ColumnElement[Any]
) -> Sequence[OcppTransaction]:
    return session.scalars(
        select(OcppTransaction)
        .where(
            OcppTransaction.charger_id == charger_id,
            OcppTransaction.is_open,
            *conditions,
        )
        .order_by(OcppTransaction.number)
    ).all()
