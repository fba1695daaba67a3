"""Pages on which operators look through charging sessions, and stop one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from evcharge.accounts.models import User
from evcharge.accounts.queries import people_by_id
from evcharge.accounts.rules import search_text
from evcharge.bookings.asking import actor
from evcharge.bookings.rules import ActorKind
from evcharge.charging.costs import running_cost
from evcharge.charging.listing import (
    SessionFilter,
    SessionLine,
    count_samples,
    count_sessions_matching,
    every_session,
    session_in_scope,
    sessions_matching,
    transactions_of,
)
from evcharge.charging.models import ChargingSession, SessionEvent
from evcharge.charging.rules import SessionNotActive, SessionStatus
from evcharge.charging.service import ask_to_stop, ask_to_unlock
from evcharge.charging.words import Entry, entry_of, oddities
from evcharge.control.rules import ChargerNotConnected
from evcharge.kernel.clock import utc_now
from evcharge.kernel.topics import sign_topics
from evcharge.web.context import (
    current_user,
    operator_required,
    perform,
    reading,
    settings,
)
from evcharge.web.paging import paging
from evcharge.web.periods import DAY, midnight
from evcharge.web.spreadsheets import streamed_csv

admin = Blueprint("charging_admin", __name__, template_folder="templates")

STATUSES = {
    SessionStatus.ACTIVE: "Charging",
    SessionStatus.PENDING: "Asked to start",
    SessionStatus.COMPLETED: "Done",
    SessionStatus.INVALID: "Did not begin",
}
WHEN = {"today": "Today", "7d": "7 days", "30d": "30 days"}
HEADER = (
    "reference",
    "status",
    "started_by",
    "tag",
    "started_at",
    "ended_at",
    "energy_kwh",
    "amount_inr",
    "location",
    "charger",
    "point",
    "driver",
    "email",
    "booking",
    "flags",
)


# ── the list ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Asked:
    """The filters as the address has them; what means nothing filters nothing."""

    status: str | None
    when: str | None
    flagged: str | None
    charger: int | None
    q: str | None

    @classmethod
    def here(cls) -> "Asked":
        asked = request.args
        status, when = asked.get("status"), asked.get("when")
        charger = asked.get("charger", type=int)
        return cls(
            status=status if status in set(STATUSES) else None,
            when=when if when in WHEN else None,
            flagged="yes" if asked.get("flagged") == "yes" else None,
            charger=charger if charger and 0 < charger < 2**31 else None,
            q=search_text(asked.get("q", "")) or None,
        )

    @property
    def is_filtered(self) -> bool:
        return any(vars(self).values())

    def link(self, **changes: object) -> dict[str, object]:
        return {**vars(self), **changes}

    def filter(self, *, now: datetime) -> SessionFilter:
        days = {"today": 1, "7d": 7, "30d": 30}.get(self.when or "")
        return SessionFilter(
            scope=current_user().scope,
            status=SessionStatus(self.status) if self.status else None,
            is_flagged=self.flagged is not None,
            since=midnight(now) - (days - 1) * DAY if days else None,
            charger_id=self.charger,
            text=self.q or "",
        )


@admin.get("/admin/sessions")
@operator_required
def sessions() -> ResponseReturnValue:
    now, asked = utc_now(), Asked.here()
    wanted = asked.filter(now=now)
    where = paging(
        request.args.get("page"), total=count_sessions_matching(reading(), wanted)
    )
    found = sessions_matching(
        reading(), wanted, limit=where.per_page, offset=where.offset
    )
    part = "_sessions.html" if "fragment" in request.args else "sessions.html"
    return render_template(
        f"charging/admin/{part}",
        sessions=found,
        asked=asked,
        statuses=STATUSES,
        whens=WHEN,
        paging=where,
        token=sign_topics(settings().secret_key, ["dashboard"], current_user().id),
        now=now,
    )


@admin.get("/admin/sessions.csv")
@operator_required
def sessions_csv() -> ResponseReturnValue:
    wanted = Asked.here().filter(now=utc_now())
    return streamed_csv("sessions.csv", HEADER, lambda session: _rows(session, wanted))


def _rows(session: Session, wanted: SessionFilter) -> Iterator[tuple[object, ...]]:
    for line in every_session(session, wanted):
        yield (
            line.reference,
            line.status.value,
            line.started_by.value,
            line.tag,
            _wall_time(line.started_at, line),
            _wall_time(line.ended_at, line),
            Decimal(line.energy_wh) / 1000,
            Decimal(line.amount_paise) / 100,
            line.location_name,
            line.charger,
            line.evse_number,
            line.driver_name,
            line.driver_email,
            line.booking,
            " ".join(line.flags),
        )


def _wall_time(at: datetime | None, line: SessionLine) -> str | None:
    if at is None:
        return None
    return at.astimezone(ZoneInfo(line.zone)).isoformat(timespec="seconds")


# ── one session ──────────────────────────────────────────────────────────────────


@admin.get("/admin/sessions/<uuid:session_id>")
@operator_required
def session(session_id: UUID) -> ResponseReturnValue:
    now, charge = utc_now(), _own(session_id)
    people = people_by_id(reading(), _people_in(charge))
    zone = ZoneInfo(charge.evse.charger.location.timezone)
    topic = f"session:{session_id}"
    part = "_session.html" if "fragment" in request.args else "session.html"
    return render_template(
        f"charging/admin/{part}",
        charge=charge,
        amount_paise=running_cost(reading(), charge, now=now).total_paise,
        place=charge.evse.charger.location,
        driver=people.get(charge.user_id or 0),
        flags=list(zip(charge.flags, oddities(charge), strict=True)),
        transactions=transactions_of(reading(), session_id),
        samples=count_samples(reading(), session_id),
        history=[_entry(event, charge, people, now, zone) for event in charge.events],
        topic=topic,
        token=sign_topics(settings().secret_key, [topic], current_user().id),
        now=now,
    )


def _own(session_id: UUID) -> ChargingSession:
    return session_in_scope(reading(), session_id, current_user().scope)


def _people_in(charge: ChargingSession) -> set[int]:
    actors = {event.actor_user_id for event in charge.events}
    return {each for each in {charge.user_id, *actors} if each is not None}


# The history is written for the driver; an operator reads it about them.
_TITLES = {
    "You asked the charger to start": "The charger was asked to start",
    "You asked the charger to stop": "The charger was asked to stop",
    "You asked for the plug to be unlocked": "The plug was asked to be unlocked",
    "You were told that someone has booked the time after you": "The driver was told "
    "that somebody has booked the time after",
    "The time of your slot was over": "The time of the slot was over",
}


def _entry(
    event: SessionEvent,
    charge: ChargingSession,
    people: dict[int, User],
    now: datetime,
    zone: ZoneInfo,
) -> Entry:
    told = entry_of(event, charge, now=now, zone=zone)
    person = people.get(event.actor_user_id or 0)
    by = person.name if person else _PROGRAMS.get(event.actor)
    detail = _DETAILS.get(told.detail or "", told.detail)
    return Entry(told.at, _TITLES.get(told.title, told.title), detail, by)


_DETAILS = {
    "Started from your phone": "Started from the phone",
    "Started with the reference of your booking": "Started with a booking's reference",
    "Started with your card": "Started with a card",
}
_PROGRAMS = {ActorKind.SYSTEM: "the system"}


# ── stopping one ─────────────────────────────────────────────────────────────────

Act = Callable[..., object]


@admin.get("/admin/sessions/<uuid:session_id>/stop")
@operator_required
def confirm_stop(session_id: UUID) -> ResponseReturnValue:
    charge = _own(session_id)
    if charge.status != SessionStatus.ACTIVE:
        return _to_session(session_id)
    return render_template(
        "charging/admin/stop.html", charge=charge, place=charge.evse.charger.location
    )


@admin.post("/admin/sessions/<uuid:session_id>/stop")
@operator_required
def stop(session_id: UUID) -> ResponseReturnValue:
    return _act(session_id, ask_to_stop, "The charger is asked to stop.")


@admin.post("/admin/sessions/<uuid:session_id>/unlock")
@operator_required
def unlock(session_id: UUID) -> ResponseReturnValue:
    return _act(session_id, ask_to_unlock, "The charger is asked to unlock the plug.")


def _act(session_id: UUID, act: Act, done: str) -> Response:
    _own(session_id)
    who, now = actor(), utc_now()
    try:
        perform(lambda db: act(db, session_id=session_id, actor=who, now=now))
    except (SessionNotActive, ChargerNotConnected) as refusal:
        flash(refusal.message, "warning")
    else:
        flash(done, "success")
    return _to_session(session_id)


def _to_session(session_id: UUID) -> Response:
    return redirect(url_for(".session", session_id=session_id), code=303)
