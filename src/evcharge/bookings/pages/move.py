"""Moving a booking to another time. It keeps its own until the new one is certain."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.bookings.alternatives import Offer, alternatives
from evcharge.bookings.asking import limits
from evcharge.bookings.forms import (
    BadChoice,
    amount_from_form,
    choice_from_query,
    evse_from_form,
    slot_from_form,
)
from evcharge.bookings.models import Booking
from evcharge.bookings.pages.blueprint import pages
from evcharge.bookings.pages.picker import Picker, Problem, open_picker, zone_of
from evcharge.bookings.queries import booking_of_user
from evcharge.bookings.rules import (
    BookingChanged,
    BookingNotActive,
    BookingStarted,
    EvseNotBookable,
    PriceChanged,
    PriceFixed,
    Slot,
    SlotNotBookable,
    SlotTaken,
)
from evcharge.bookings.service import move_booking
from evcharge.bookings.words import Phase, phase_of
from evcharge.kernel.clock import utc_now
from evcharge.stations.rules import EvseNotFound
from evcharge.web.context import (
    current_user,
    database,
    login_required,
    perform,
    reading,
)
from evcharge.web.errors import http_status
from evcharge.web.formats import slot_range

CAN_MOVE = frozenset({Phase.HELD, Phase.TO_PAY, Phase.BOOKED})


@dataclass(frozen=True)
class NotMoved(Problem):
    """With a slot, it is to be had once its other price is accepted."""

    slot: Slot | None = None
    evse_id: int | None = None
    amount_paise: int | None = None


OTHER_REFUSALS = (
    BookingChanged,
    EvseNotBookable,
    EvseNotFound,
    PriceFixed,
    SlotNotBookable,
)


@pages.get("/bookings/<uuid:booking_id>/move")
@login_required
def choose_new_time(booking_id: UUID) -> ResponseReturnValue:
    now = utc_now()
    booking = booking_of_user(reading(), booking_id, current_user().id)
    if not can_move(booking, now=now):
        return _too_late(booking)
    picker = _picker(reading(), booking, request.args, now=now)
    if "fragment" in request.args:
        return render_template(
            "bookings/_times.html", picker=picker, problem=None, moving=booking
        )
    return _page(booking, picker)


@pages.post("/bookings/<uuid:booking_id>/move")
@login_required
def move(booking_id: UUID) -> ResponseReturnValue:
    now = utc_now()
    booking = booking_of_user(reading(), booking_id, current_user().id)
    try:
        slot = slot_from_form(
            request.form, zone=zone_of(booking.evse), limits=limits(), now=now
        )
    except BadChoice as refusal:
        problem = NotMoved(refusal.message, refusal.code, refusal.field)
        return _refused(booking_id, problem, http_status(refusal))
    return _move(booking, slot, now)


def can_move(booking: Booking, *, now: datetime) -> bool:
    return phase_of(booking, now=now) in CAN_MOVE and now < booking.starts_at


def _move(booking: Booking, slot: Slot, now: datetime) -> ResponseReturnValue:
    evse_id = evse_from_form(request.form)
    accepted = amount_from_form(request.form, "accept_amount_paise")

    def act(session: Session) -> Booking:
        return move_booking(
            session,
            booking_id=booking.id,
            user_id=booking.user_id,
            slot=slot,
            evse_id=evse_id,
            accept_amount_paise=accepted,
            limits=limits(),
            now=now,
        )

    try:
        moved = perform(act)
    except (BookingNotActive, BookingStarted):
        return _too_late(booking)
    except (PriceChanged, SlotTaken) as refusal:
        problem = _problem(booking, slot, evse_id, refusal, now)
        return _refused(booking.id, problem, http_status(refusal))
    except OTHER_REFUSALS as refusal:
        problem = NotMoved(refusal.message, refusal.code)
        return _refused(booking.id, problem, http_status(refusal))
    when = slot_range(moved.starts_at, moved.ends_at, now, zone_of(booking.evse))
    flash(f"Moved to {when}.", "success")
    return redirect(url_for(".show_booking", booking_id=booking.id), code=303)


def _problem(
    booking: Booking,
    slot: Slot,
    evse_id: int | None,
    refusal: PriceChanged | SlotTaken,
    now: datetime,
) -> NotMoved:
    if isinstance(refusal, PriceChanged):
        amount = int(str(refusal.details["amount_paise"]))
        return NotMoved(
            refusal.message,
            refusal.code,
            slot=slot,
            evse_id=evse_id,
            amount_paise=amount,
        )
    with database().reading() as session:
        offers = alternatives(
            session,
            evse_id=evse_id or booking.evse_id,
            slot=slot,
            limits=limits(),
            now=now,
        )
    return NotMoved(
        refusal.message,
        refusal.code,
        offers=tuple(_at_agreed_price(booking, offer) for offer in offers),
    )


def _at_agreed_price(booking: Booking, offer: Offer) -> Offer:
    """On its own EVSE a booking keeps the price that was agreed."""
    if offer.evse_id != booking.evse_id:
        return offer
    return replace(offer, amount_paise=booking.pricing.amount_paise(offer.slot))


def _too_late(booking: Booking) -> ResponseReturnValue:
    flash("This booking has begun or is over, so it cannot be moved.", "warning")
    return redirect(url_for(".show_booking", booking_id=booking.id), code=303)


def _refused(booking_id: UUID, problem: NotMoved, status: int) -> ResponseReturnValue:
    # The request's own session may show how things were before the refusal.
    with database().reading() as session:
        booking = booking_of_user(session, booking_id, current_user().id)
        picker = _picker(session, booking, request.form, now=utc_now())
        return _page(booking, picker, problem), status


def _picker(
    session: Session, booking: Booking, values: Mapping[str, str], *, now: datetime
) -> Picker:
    zone = zone_of(booking.evse)
    choice = choice_from_query(
        values, zone=zone, limits=limits(), usual=booking.slot.length
    )
    if choice.day is None and choice.slot is None:
        choice = replace(choice, day=booking.starts_at.astimezone(zone).date())
    return open_picker(
        session,
        booking.evse,
        choice,
        terms=booking.terms,
        agreed=booking.agreed,
        limits=limits(),
        user_id=booking.user_id,
        now=now,
        moving=booking,
    )


def _page(booking: Booking, picker: Picker, problem: NotMoved | None = None) -> str:
    return render_template(
        "bookings/move.html",
        booking=booking,
        picker=picker,
        problem=problem,
        is_late=booking.is_late(now=utc_now()),
    )
