"""Standing at a charger: scan or type its code, see what it is, start."""

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.bookings.queries import booking_of_user
from evcharge.bookings.rules import BookingNotActive
from evcharge.charging.around import booking_near, site_of_evse, standing_of
from evcharge.charging.pages.blueprint import ASKING, pages
from evcharge.charging.queries import under_way
from evcharge.charging.rules import (
    CannotStartHere,
    NotYourTime,
    SessionUnderWay,
    TooEarlyToStart,
)
from evcharge.charging.service import ask_to_start
from evcharge.control.rules import ChargerNotConnected
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError
from evcharge.stations.rules import EvseNotFound
from evcharge.stations.rules.codes import WrongCode, evse_code, evse_of_code
from evcharge.tariffs.queries import agreed_at
from evcharge.web.context import (
    current_user,
    current_user_or_none,
    login_required,
    perform,
    public,
    reading,
)
from evcharge.web.errors import http_status
from evcharge.web.shell import limiter

# What a driver can do something about, told on the page of the charging point.
REFUSALS = (
    BookingNotActive,
    CannotStartHere,
    ChargerNotConnected,
    NotYourTime,
    SessionUnderWay,
    TooEarlyToStart,
)


@pages.get("/c")
@public
def enter_code() -> ResponseReturnValue:
    """Take a code that was typed, and lead on from it."""
    typed = request.args.get("code", "").strip()
    if not typed:
        return render_template("charging/code.html", typed="", problem=None)
    try:
        code = evse_code(evse_of_code(typed))
    except WrongCode as refusal:
        return _no_such_code(typed, refusal)
    return redirect(url_for(".point", code=code), code=303)


@pages.get("/c/<code>")
@public
def point(code: str) -> ResponseReturnValue:
    try:
        return _show(evse_of_code(code))
    except (WrongCode, EvseNotFound) as refusal:
        return _no_such_code(code, refusal)


@pages.post("/c/<code>")
@login_required
@limiter.limit(ASKING)
def start_here(code: str) -> ResponseReturnValue:
    user_id, now = current_user().id, utc_now()
    evse_id = evse_of_code(code)

    def ask(session: Session) -> UUID:
        return ask_to_start(session, evse_id=evse_id, user_id=user_id, now=now).id

    try:
        session_id = perform(ask)
    except REFUSALS as refusal:
        return _show(evse_id, refusal)
    return redirect(url_for(".show_session", session_id=session_id), code=303)


@pages.post("/bookings/<uuid:booking_id>/start")
@login_required
@limiter.limit(ASKING)
def start_booked(booking_id: UUID) -> ResponseReturnValue:
    user_id, now = current_user().id, utc_now()

    def ask(session: Session) -> UUID:
        charge = ask_to_start(session, booking_id=booking_id, user_id=user_id, now=now)
        return charge.id

    try:
        session_id = perform(ask)
    except REFUSALS as refusal:
        return _show(_booked_evse(booking_id, user_id), refusal)
    return redirect(url_for(".show_session", session_id=session_id), code=303)


def _booked_evse(booking_id: UUID, user_id: int) -> int:
    return booking_of_user(reading(), booking_id, user_id).evse_id


def _no_such_code(typed: str, refusal: DomainError) -> ResponseReturnValue:
    problem = WrongCode.message
    page = render_template("charging/code.html", typed=typed[:20], problem=problem)
    return page, http_status(refusal)


def _show(evse_id: int, refusal: DomainError | None = None) -> ResponseReturnValue:
    now, user = utc_now(), current_user_or_none()
    this, others = site_of_evse(reading(), evse_id, now=now)
    booking = booking_near(reading(), user.id, evse_id, now=now) if user else None
    charging = under_way(reading(), user.id) if user else None
    part = "_point.html" if "fragment" in request.args else "point.html"
    page = render_template(
        f"charging/{part}",
        point=this,
        others=others,
        booking=booking,
        charging=charging,
        standing=standing_of(
            this, booking=booking, own_session_id=charging.id if charging else None
        ),
        free_until=this.free_until(user.id if user else None),
        agreed=agreed_at(reading(), [evse_id], at=now).get(evse_id),
        refusal=refusal,
        now=now,
    )
    return page, http_status(refusal) if refusal else 200
