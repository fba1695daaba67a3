"""Choosing a time and holding it. The times are public; holding needs a login."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from sqlalchemy.orm import Session

from evcharge.bookings.alternatives import Offer, alternatives
from evcharge.bookings.asking import limits
from evcharge.bookings.forms import (
    USUAL_LENGTH,
    BadChoice,
    choice_from_query,
    slot_from_form,
)
from evcharge.bookings.pages.blueprint import pages
from evcharge.bookings.pages.picker import Picker, Problem, open_picker, zone_of
from evcharge.bookings.rules import (
    EvseNotBookable,
    KeyReused,
    Slot,
    SlotNotBookable,
    SlotTaken,
    Terms,
    TooManyBookings,
    TooManyHolds,
    booking_request,
)
from evcharge.bookings.service import book_slot
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError
from evcharge.kernel.ids import new_id
from evcharge.payments.rules import DueUnpaid
from evcharge.stations.models import Evse
from evcharge.stations.queries import evse_with_place
from evcharge.stations.rules import EvseNotFound, Lifecycle
from evcharge.tariffs.queries import agreed_at
from evcharge.web.context import (
    current_user_or_none,
    database,
    perform,
    public,
    reading,
)
from evcharge.web.errors import http_status
from evcharge.web.formats import instant
from evcharge.web.shell import limiter

REFUSALS = (
    DueUnpaid,
    EvseNotBookable,
    KeyReused,
    SlotNotBookable,
    TooManyBookings,
    TooManyHolds,
)


@pages.get("/evses/<int:evse_id>/book")
@public
def choose_time(evse_id: int) -> ResponseReturnValue:
    now = utc_now()
    evse = _evse(reading(), evse_id)
    if not _is_open(evse):
        return render_template("bookings/closed.html", evse=evse)
    picker = _picker(reading(), evse, request.args, now=now)
    if "fragment" in request.args:
        return render_template(
            "bookings/_times.html", picker=picker, problem=None, moving=None
        )
    return _page(picker)


@pages.post("/evses/<int:evse_id>/book")
@public  # A visitor is sent to log in, and comes back to the slot they chose.
@limiter.limit("20 per minute")
def hold(evse_id: int) -> ResponseReturnValue:
    now = utc_now()
    evse = _evse(reading(), evse_id)
    try:
        slot = slot_from_form(
            request.form, zone=zone_of(evse), limits=limits(), now=now
        )
    except BadChoice as refusal:
        return _refused(evse_id, Problem(refusal.message, refusal.code, refusal.field))
    user = current_user_or_none()
    if user is None:
        chosen = _address_of(evse_id, slot)
        return redirect(url_for("accounts.login", next=chosen), code=303)
    return _hold(user.id, evse_id, slot, now)


@pages.errorhandler(RateLimitExceeded)
def ask_for_patience(_error: RateLimitExceeded) -> ResponseReturnValue:
    """Only holding is limited. What was chosen stays on the page."""
    evse_id = int((request.view_args or {})["evse_id"])
    words = "That was a lot at once. Wait a minute, then press again."
    try:
        return _refused(evse_id, Problem(words, "too_many_requests"), status=429)
    except EvseNotFound:  # Nobody catches what an error handler raises.
        return render_template("error.html", message=words, status=429), 429


def _hold(user_id: int, evse_id: int, slot: Slot, now: datetime) -> ResponseReturnValue:
    wanted = booking_request(
        user_id=user_id, evse_id=evse_id, slot=slot, key=request.form.get("key")
    )

    def book(session: Session) -> UUID:
        return book_slot(session, wanted, limits=limits(), now=now).id

    try:
        booking_id = perform(book, repeatable=True)
    except SlotTaken as refusal:
        problem = Problem(
            refusal.message, refusal.code, offers=_offers(evse_id, slot, now)
        )
        return _refused(evse_id, problem, status=http_status(refusal))
    except REFUSALS as refusal:
        problem = Problem(_words(refusal), refusal.code)
        return _refused(evse_id, problem, status=http_status(refusal))
    return redirect(url_for(".show_booking", booking_id=booking_id), code=303)


def _words(refusal: DomainError) -> str:
    if isinstance(refusal, KeyReused):
        # The page came back from the browser's memory and was used for another time.
        return "This page has held a slot already. Press again to hold this one too."
    return refusal.message


def _offers(evse_id: int, slot: Slot, now: datetime) -> tuple[Offer, ...]:
    # The request's own session may show how things were before the refusal.
    with database().reading() as session:
        return tuple(
            alternatives(session, evse_id=evse_id, slot=slot, limits=limits(), now=now)
        )


def _refused(
    evse_id: int, problem: Problem, *, status: int = 422
) -> ResponseReturnValue:
    """Show the page again with what was chosen, what was wrong, and ways out."""
    with database().reading() as session:
        evse = _evse(session, evse_id)
        if not _is_open(evse):
            return render_template("bookings/closed.html", evse=evse), status
        picker = _picker(session, evse, request.form, now=utc_now())
        return _page(picker, problem), status


def _evse(session: Session, evse_id: int) -> Evse:
    """Raises: EvseNotFound, also for one that has been taken away."""
    evse = evse_with_place(session, evse_id)
    if evse.lifecycle == Lifecycle.REMOVED:
        raise EvseNotFound(evse_id=evse_id)
    return evse


def _is_open(evse: Evse) -> bool:
    return evse.lifecycle == Lifecycle.ACTIVE and evse.charger.location.is_active


def _picker(
    session: Session, evse: Evse, values: Mapping[str, str], *, now: datetime
) -> Picker:
    user = current_user_or_none()
    return open_picker(
        session,
        evse,
        choice_from_query(
            values, zone=zone_of(evse), limits=limits(), usual=USUAL_LENGTH
        ),
        terms=Terms(evse.booking_price_paise),
        agreed=agreed_at(session, [evse.id], at=now).get(evse.id),
        limits=limits(),
        user_id=user.id if user else None,
        now=now,
    )


def _page(picker: Picker, problem: Problem | None = None) -> str:
    return render_template(
        "bookings/book.html",
        picker=picker,
        problem=problem,
        new_key=new_id,
        hold_minutes=limits().hold // timedelta(minutes=1),
    )


def _address_of(evse_id: int, slot: Slot) -> str:
    """Return where this slot is chosen already."""
    return url_for(
        "bookings.choose_time",
        evse_id=evse_id,
        starts_at=instant(slot.starts_at),
        minutes=slot.length // timedelta(minutes=1),
    )
