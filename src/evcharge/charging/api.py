"""Charging for programs: what `pages/` does for people."""

from datetime import datetime, timedelta
from uuid import UUID

from pydantic import Field, TypeAdapter
from sqlalchemy.orm import Session

from evcharge.bookings.rules import (
    Actor,
    ActorKind,
    BookingNotActive,
    BookingNotFound,
)
from evcharge.charging import service
from evcharge.charging.costs import running_cost
from evcharge.charging.figures import lasting
from evcharge.charging.models import ChargingSession
from evcharge.charging.queries import (
    SessionPosition,
    session_of_user,
    sessions_of_user,
)
from evcharge.charging.rules import (
    CannotStartHere,
    Flag,
    NotYourTime,
    SessionNotActive,
    SessionNotFound,
    SessionStatus,
    SessionUnderWay,
    StartedBy,
    TooEarlyToStart,
)
from evcharge.control.rules import ChargerNotConnected
from evcharge.kernel.clock import utc_now
from evcharge.stations.rules import EvseNotFound
from evcharge.web.api import (
    Answer,
    Api,
    Body,
    Instant,
    Money,
    Page,
    PageQuery,
    RowId,
    cursor_of,
    position_or_none,
)
from evcharge.web.context import current_user, login_required, perform, reading

api = Api("sessions")

_POSITION = TypeAdapter(SessionPosition)
_SECOND = timedelta(seconds=1)


# ── shapes ───────────────────────────────────────────────────────────────────────


class NewSession(Body):
    evse_id: RowId


class SessionQuery(PageQuery):
    status: list[SessionStatus] = Field(
        default=[], description="One or more; none means all"
    )


class SessionPlace(Answer):
    id: int
    name: str
    city: str
    timezone: str


class Latest(Answer):
    """What the charger said last; null where it never said."""

    at: Instant
    power_w: int | None
    soc_percent: int | None


class SessionAnswer(Answer):
    """PENDING: asked for, not begun. INVALID: never began, and `failure` says why."""

    id: UUID
    reference: str = Field(description="Short enough to be read out")
    status: SessionStatus
    started_by: StartedBy
    booking_id: UUID | None = Field(description="null: charging without a booking")
    evse_id: int
    evse_number: int
    charger: str
    location: SessionPlace
    created_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    duration_seconds: int
    energy_wh: int
    latest: Latest | None
    charging_state: str = Field(description="In the charger's own word, if it has one")
    amount: Money = Field(description="Up to now, tax included; 0 with a booking")
    price_per_started_hour: Money
    stop_reason: str = Field(description="In the charger's own word, once it ended")
    failure: str
    flags: list[Flag] = Field(description="What is odd about it")


# ── operations ───────────────────────────────────────────────────────────────────

REFUSED_STARTS = (
    CannotStartHere,
    ChargerNotConnected,
    NotYourTime,
    SessionUnderWay,
)


@api.post(
    "/bookings/<uuid:booking_id>/start",
    guard=login_required,
    status=201,
    location="/sessions/{id}",
    refuses=(*REFUSED_STARTS, BookingNotActive, BookingNotFound, TooEarlyToStart),
)
def start_booked_session(booking_id: UUID) -> SessionAnswer:
    """Start to charge on a booking.

    From 15 minutes before its slot, if nobody else has that time, to its end. The
    session is PENDING until the charger reports that it charges, and INVALID if it
    has not within 60 seconds. Asking again answers with the same session.
    """
    now, user_id = utc_now(), current_user().id

    def ask(session: Session) -> SessionAnswer:
        charge = service.ask_to_start(
            session, booking_id=booking_id, user_id=user_id, now=now
        )
        return _answer(session, charge.id, user_id, now)

    return perform(ask)


@api.post(
    "/sessions",
    guard=login_required,
    status=201,
    location="/sessions/{id}",
    refuses=(*REFUSED_STARTS, EvseNotFound),
)
def start_session(body: NewSession) -> SessionAnswer:
    """Start to charge without a booking.

    A booking of yours for this EVSE and this time is used if there is one. Asking
    again while it lasts answers with the same session.
    """
    now, user_id = utc_now(), current_user().id

    def ask(session: Session) -> SessionAnswer:
        charge = service.ask_to_start(
            session, evse_id=body.evse_id, user_id=user_id, now=now
        )
        return _answer(session, charge.id, user_id, now)

    return perform(ask)


@api.get("/sessions", guard=login_required)
def list_sessions(query: SessionQuery) -> Page[SessionAnswer]:
    """List your charging sessions, the latest first."""
    now = utc_now()
    found, after = sessions_of_user(
        reading(),
        current_user().id,
        statuses=query.status,
        after=position_or_none(query.cursor, _POSITION),
        limit=query.limit,
    )
    return Page(
        items=[_described(each, now) for each in found],
        next_cursor=cursor_of(after) if after else None,
    )


@api.get(
    "/sessions/<uuid:session_id>", guard=login_required, refuses=(SessionNotFound,)
)
def get_session(session_id: UUID) -> SessionAnswer:
    """Look at one of your charging sessions."""
    return _answer(reading(), session_id, current_user().id, utc_now())


@api.post(
    "/sessions/<uuid:session_id>/stop",
    guard=login_required,
    status=202,
    refuses=(SessionNotActive, SessionNotFound),
)
def stop_session(session_id: UUID) -> SessionAnswer:
    """Ask the charger to stop.

    The session is COMPLETED when the charger says so, most often within seconds. One
    that is PENDING is called off at once.
    """
    now, user_id = utc_now(), current_user().id

    def ask(session: Session) -> SessionAnswer:
        session_of_user(session, session_id, user_id)
        actor = Actor(ActorKind.DRIVER, user_id)
        service.ask_to_stop(session, session_id=session_id, actor=actor, now=now)
        return _answer(session, session_id, user_id, now)

    return perform(ask)


@api.post(
    "/sessions/<uuid:session_id>/unlock",
    guard=login_required,
    status=202,
    refuses=(SessionNotActive, SessionNotFound),
)
def unlock_session(session_id: UUID) -> SessionAnswer:
    """Ask the charger to let go of the plug, until 30 minutes after the end."""
    now, user_id = utc_now(), current_user().id

    def ask(session: Session) -> SessionAnswer:
        session_of_user(session, session_id, user_id)
        actor = Actor(ActorKind.DRIVER, user_id)
        service.ask_to_unlock(session, session_id=session_id, actor=actor, now=now)
        return _answer(session, session_id, user_id, now)

    return perform(ask)


# ── in the API's words ───────────────────────────────────────────────────────────


def _answer(
    session: Session, session_id: UUID, user_id: int, now: datetime
) -> SessionAnswer:
    session.expire_all()  # What was just written was loaded without its place.
    return _described(session_of_user(session, session_id, user_id), now)


def _described(charge: ChargingSession, now: datetime) -> SessionAnswer:
    evse = charge.evse
    location = evse.charger.location
    return SessionAnswer(
        id=charge.id,
        reference=charge.reference,
        status=charge.status,
        started_by=charge.started_by,
        booking_id=charge.booking_id,
        evse_id=charge.evse_id,
        evse_number=evse.number,
        charger=evse.charger.identity,
        location=SessionPlace(
            id=location.id,
            name=location.name,
            city=location.city,
            timezone=location.timezone,
        ),
        created_at=charge.created_at,
        started_at=charge.started_at,
        ended_at=charge.ended_at,
        duration_seconds=lasting(charge, now=now) // _SECOND,
        energy_wh=charge.energy_wh,
        latest=_latest(charge),
        charging_state=charge.charging_state,
        amount=Money.of(running_cost(reading(), charge, now=now).total_paise),
        price_per_started_hour=Money.of(charge.price_paise_per_hour),
        stop_reason=charge.stop_reason,
        failure=charge.failure,
        flags=[Flag(each) for each in charge.flags],
    )


def _latest(charge: ChargingSession) -> Latest | None:
    if charge.latest is None:
        return None
    told = charge.latest
    return Latest(at=told.at, power_w=told.power_w, soc_percent=told.soc_percent)
