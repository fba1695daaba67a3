"""The charging sessions of a network as operators look through them.

A `scope` names the operators whose network is meant; None means every one.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session, joinedload, raiseload, selectinload

from evcharge.accounts.models import User
from evcharge.accounts.rules import email_key
from evcharge.bookings.models import Booking
from evcharge.charging.models import (
    ChargingSession,
    MeterSample,
    OcppTransaction,
    SessionLatest,
)
from evcharge.charging.queries import UNDER_WAY, SessionPosition
from evcharge.charging.rules import SessionNotFound, SessionStatus, StartedBy
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.queries import Scope, in_scope

ROWS_AT_A_TIME = 500


@dataclass(frozen=True)
class SessionFilter:
    """Which sessions; `since` and `until` are about when they were asked for.

    `text` is a reference, a tag, or a part of the driver's e-mail address.
    """

    scope: Scope
    status: SessionStatus | None = None
    is_flagged: bool = False
    since: datetime | None = None
    until: datetime | None = None
    charger_id: int | None = None
    text: str = ""


@dataclass(frozen=True)
class SessionLine:
    """A session as a table shows it."""

    id: UUID
    reference: str
    status: SessionStatus
    started_by: StartedBy
    tag: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    energy_wh: int
    amount_paise: int
    flags: list[str]
    power_w: int | None
    soc_percent: int | None
    user_id: int | None
    guest_id: UUID | None
    driver_name: str | None
    driver_email: str | None
    booking_id: UUID | None
    booking: str | None
    charger_id: int
    charger: str
    location_name: str
    zone: str
    evse_id: int
    evse_number: int

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY

    @property
    def who(self) -> str:
        guest = "Guest" if self.guest_id else None
        return self.driver_name or guest or self.tag or "nobody we know"


_COLUMNS = (
    ChargingSession.id,
    ChargingSession.reference,
    ChargingSession.status,
    ChargingSession.started_by,
    ChargingSession.tag,
    ChargingSession.created_at,
    ChargingSession.started_at,
    ChargingSession.ended_at,
    ChargingSession.energy_wh,
    ChargingSession.amount_paise,
    ChargingSession.flags,
    SessionLatest.power_w,
    SessionLatest.soc_percent,
    ChargingSession.user_id,
    ChargingSession.guest_id,
    User.name.label("driver_name"),
    User.email.label("driver_email"),
    ChargingSession.booking_id,
    Booking.reference.label("booking"),
    Charger.id.label("charger_id"),
    Charger.identity.label("charger"),
    Location.name.label("location_name"),
    Location.timezone.label("zone"),
    ChargingSession.evse_id,
    Evse.number.label("evse_number"),
)
_IS_UNDER_WAY = ChargingSession.status.in_(UNDER_WAY)


def count_sessions_matching(session: Session, wanted: SessionFilter) -> int:
    return session.scalar(_joined(select(func.count()), wanted)) or 0


def sessions_matching(
    session: Session, wanted: SessionFilter, *, limit: int, offset: int
) -> Sequence[SessionLine]:
    """Return a page of sessions: those under way first, then the latest."""
    first = case((_IS_UNDER_WAY, 0), else_=1)
    statement = _listed(wanted, first).limit(limit).offset(offset)
    return [_line(row) for row in session.execute(statement)]


def sessions_after(
    session: Session,
    wanted: SessionFilter,
    *,
    after: SessionPosition | None,
    limit: int,
) -> tuple[list[SessionLine], SessionPosition | None]:
    """Return the next of them, the latest first, and where they go on."""
    statement = _listed(wanted).limit(limit + 1)
    if after is not None:
        place = tuple_(ChargingSession.created_at, ChargingSession.id)
        statement = statement.where(place < (after.created_at, after.id))
    found = [_line(row) for row in session.execute(statement)]
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], SessionPosition(last.created_at, last.id) if last else None


def every_session(session: Session, wanted: SessionFilter) -> Iterator[SessionLine]:
    """Yield all of them, the latest first, without holding them all."""
    rows = session.execute(
        _listed(wanted), execution_options={"yield_per": ROWS_AT_A_TIME}
    )
    return (_line(row) for row in rows)


def sessions_under_way(
    session: Session, evse_ids: Collection[int]
) -> dict[int, SessionLine]:
    """Return what goes on at these EVSEs, the latest where it is several."""
    statement = _listed(SessionFilter(None)).where(
        ChargingSession.evse_id.in_(evse_ids), _IS_UNDER_WAY
    )
    lines = [_line(row) for row in session.execute(statement)]
    return {line.evse_id: line for line in reversed(lines)}


@dataclass(frozen=True)
class ChargingNow:
    """How many vehicles charge just now, and how much power they take together."""

    count: int
    power_w: int


def charging_now(session: Session, scope: Scope) -> ChargingNow:
    count, power_w = session.execute(
        select(func.count(), func.coalesce(func.sum(SessionLatest.power_w), 0))
        .select_from(ChargingSession)
        .join(Evse, Evse.id == ChargingSession.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .outerjoin(SessionLatest, SessionLatest.session_id == ChargingSession.id)
        .where(ChargingSession.status == SessionStatus.ACTIVE, in_scope(scope))
    ).one()
    return ChargingNow(count, int(power_w or 0))


def session_in_scope(
    session: Session, session_id: UUID, scope: Scope
) -> ChargingSession:
    """Return a session with its place, booking, latest values and history.

    Raises: SessionNotFound, also for one on somebody else's network.
    """
    found = session.scalar(
        select(ChargingSession)
        .join(ChargingSession.evse)
        .join(Evse.charger)
        .join(Charger.location)
        .where(ChargingSession.id == session_id, in_scope(scope))
        .options(
            joinedload(ChargingSession.evse)
            .joinedload(Evse.charger)
            .joinedload(Charger.location),
            joinedload(ChargingSession.booking),
            joinedload(ChargingSession.latest),
            selectinload(ChargingSession.events),
            raiseload("*"),
        )
    )
    if found is None:
        raise SessionNotFound(session_id=session_id)
    return found


def transactions_of(session: Session, session_id: UUID) -> Sequence[OcppTransaction]:
    """Return what the charger called this session; several, if it was joined up."""
    return session.scalars(
        select(OcppTransaction)
        .where(OcppTransaction.session_id == session_id)
        .order_by(OcppTransaction.number)
    ).all()


def count_samples(session: Session, session_id: UUID) -> int:
    counted = select(func.count(MeterSample.id))
    return session.scalar(counted.where(MeterSample.session_id == session_id)) or 0


def _line(row: Row[*tuple[Any, ...]]) -> SessionLine:
    return SessionLine(**row._mapping)


def _listed(
    wanted: SessionFilter, *first: ColumnElement[Any]
) -> Select[*tuple[Any, ...]]:
    newest_first = (ChargingSession.created_at.desc(), ChargingSession.id.desc())
    return _joined(select(*_COLUMNS), wanted).order_by(*first, *newest_first)


def _joined(
    statement: Select[*tuple[Any, ...]], wanted: SessionFilter
) -> Select[*tuple[Any, ...]]:
    return (
        statement.select_from(ChargingSession)
        .join(Evse, Evse.id == ChargingSession.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .outerjoin(User, User.id == ChargingSession.user_id)
        .outerjoin(Booking, Booking.id == ChargingSession.booking_id)
        .outerjoin(SessionLatest, SessionLatest.session_id == ChargingSession.id)
        .where(in_scope(wanted.scope), _is_more_than_a_try(), *_fits(wanted))
    )


def _is_more_than_a_try() -> ColumnElement[bool]:
    """Whoever scans a code and does not pay is nobody's business."""
    return or_(ChargingSession.guest_id.is_(None), ChargingSession.paid_at.is_not(None))


def _fits(wanted: SessionFilter) -> Iterable[ColumnElement[bool]]:
    if wanted.status is not None:
        yield ChargingSession.status == wanted.status
    if wanted.is_flagged:
        # JSON has no equality that both databases know; its text has.
        yield cast(ChargingSession.flags, String) != "[]"
    if wanted.since is not None:
        yield ChargingSession.created_at >= wanted.since
    if wanted.until is not None:
        yield ChargingSession.created_at < wanted.until
    if wanted.charger_id is not None:
        yield Charger.id == wanted.charger_id
    if wanted.text:
        yield or_(
            ChargingSession.reference.startswith(wanted.text.upper(), autoescape=True),
            Booking.reference == wanted.text.upper(),
            ChargingSession.tag == wanted.text,
            and_(
                User.id.is_not(None),
                User.email_key.contains(email_key(wanted.text), autoescape=True),
            ),
        )
