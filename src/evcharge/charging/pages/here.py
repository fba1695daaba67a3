"""Standing at a charger: scan or type its code, see what it is, start."""

from datetime import datetime
from uuid import UUID, uuid4

from flask import redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.bookings.queries import booking_of_user
from evcharge.bookings.rules import BookingNotActive
from evcharge.charging.around import booking_near, site_of_evse, standing_of
from evcharge.charging.forms import PrepayForm
from evcharge.charging.models import ChargingSession
from evcharge.charging.pages.blueprint import ASKING, VISITING, pages
from evcharge.charging.pages.visits import go_and_pay, visit_token
from evcharge.charging.queries import (
    UNDER_WAY,
    place_of_evse,
    session_of_guest_or_none,
    under_way,
)
from evcharge.charging.rules import (
    BadAdvance,
    CannotStartHere,
    NotYourTime,
    SessionStatus,
    SessionUnderWay,
    TooEarlyToStart,
    TooManyPaying,
    Visit,
    least_advance_paise,
)
from evcharge.charging.service import ask_to_start, open_prepaid
from evcharge.control.rules import ChargerNotConnected
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError
from evcharge.stations.rules import EvseNotFound
from evcharge.stations.rules.codes import WrongCode, evse_code, evse_of_code
from evcharge.tariffs.queries import agreed_at
from evcharge.tariffs.rules.agreed import Agreed
from evcharge.web.context import (
    current_user,
    current_user_or_none,
    login_required,
    perform,
    public,
    reading,
)
from evcharge.web.errors import http_status
from evcharge.web.links import LinkBroken, sign
from evcharge.web.links import read as read_link
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


@pages.post("/c/<code>/pay")
@public
@limiter.limit(VISITING)
def pay_here(code: str) -> ResponseReturnValue:
    """Somebody without an account pays, and charges."""
    now, evse_id = utc_now(), evse_of_code(code)
    price = place_of_evse(reading(), evse_id).price_paise_per_hour
    form = _form(price, _agreed(evse_id, now=now), now=now)
    if not form.validate():
        return _show(evse_id, form=form)
    wanted = Visit(
        guest_id=_guest_of(form, evse_id),
        evse_id=evse_id,
        amount_paise=form.amount_paise,
        email=form.address,
        phone=form.phone_number,
    )
    try:
        perform(lambda session: open_prepaid(session, wanted, now=now).id)
    except (*REFUSALS, BadAdvance, TooManyPaying) as refusal:
        return _show(evse_id, refusal, form=form)
    cookie["visit"] = wanted.guest_id.hex
    return go_and_pay(wanted.guest_id)


def _guest_of(form: PrepayForm, evse_id: int) -> UUID:
    """The same form sent twice is the same guest: the page was made for one."""
    try:
        return read_link(_form_kind(evse_id), form.key.data or "")
    except LinkBroken:
        return uuid4()


def _link_of(visit: ChargingSession | None) -> str | None:
    """Return where whoever lost their page goes on."""
    if visit is None or visit.guest_id is None or visit.status not in UNDER_WAY:
        return None
    return visit_token(visit.guest_id)


def _next_guest(visit: ChargingSession | None) -> UUID:
    """Return whom the form is for: who has not paid yet may choose another amount."""
    if visit is not None and visit.status == SessionStatus.UNPAID and visit.guest_id:
        return visit.guest_id
    return uuid4()


def _form_kind(evse_id: int) -> str:
    return f"visit at {evse_id}"


def _form(
    price_paise_per_hour: int, agreed: Agreed | None, *, now: datetime
) -> PrepayForm:
    least = least_advance_paise(
        agreed, price_paise_per_hour=price_paise_per_hour, now=now
    )
    return PrepayForm(request.form, least_paise=least, is_by_hour=agreed is None)


def _agreed(evse_id: int, *, now: datetime) -> Agreed | None:
    return agreed_at(reading(), [evse_id], at=now).get(evse_id)


def _visit_here(evse_id: int) -> ChargingSession | None:
    """Return what this browser began here without an account, if that goes on."""
    if "visit" not in cookie:
        return None
    charge = session_of_guest_or_none(reading(), UUID(cookie["visit"]))
    is_here = charge is not None and charge.evse_id == evse_id
    return charge if is_here else None


def _booked_evse(booking_id: UUID, user_id: int) -> int:
    return booking_of_user(reading(), booking_id, user_id).evse_id


def _no_such_code(typed: str, refusal: DomainError) -> ResponseReturnValue:
    problem = WrongCode.message
    page = render_template("charging/code.html", typed=typed[:20], problem=problem)
    return page, http_status(refusal)


def _show(
    evse_id: int,
    refusal: DomainError | None = None,
    *,
    form: PrepayForm | None = None,
) -> ResponseReturnValue:
    now, user = utc_now(), current_user_or_none()
    this, others = site_of_evse(reading(), evse_id, now=now)
    booking = booking_near(reading(), user.id, evse_id, now=now) if user else None
    charging = under_way(reading(), user.id) if user else None
    agreed = _agreed(evse_id, now=now)
    visit = None if user else _visit_here(evse_id)
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
        agreed=agreed,
        refusal=refusal,
        form=form or _form(this.evse.booking_price_paise, agreed, now=now),
        form_key=sign(_form_kind(evse_id), _next_guest(visit)),
        own_visit=_link_of(visit),
        now=now,
    )
    if refusal:
        return page, http_status(refusal)
    return page, 422 if form else 200
