"""A driver's bookings: the list, one of them, paying and cancelling it."""

from uuid import UUID

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.billing.queries import bills_of
from evcharge.bookings.asking import limits
from evcharge.bookings.calendar_file import calendar_file
from evcharge.bookings.forms import amount_from_form, page_from_query
from evcharge.bookings.models import Booking
from evcharge.bookings.pages.blueprint import pages
from evcharge.bookings.pages.picker import zone_of
from evcharge.bookings.pages.view import CAN_CANCEL, view_of
from evcharge.bookings.queries import (
    When,
    booking_counts,
    booking_of_user,
    bookings_of_user,
)
from evcharge.bookings.rules import (
    Actor,
    ActorKind,
    BookingChanged,
    BookingNotActive,
    RefundShrunk,
)
from evcharge.bookings.service import (
    cancel_booking,
    open_checkout,
    refund_if_cancelled,
)
from evcharge.bookings.words import (
    phase_of,
)
from evcharge.invoices.queries import documents_of
from evcharge.kernel.clock import utc_now
from evcharge.kernel.ids import new_id
from evcharge.kernel.topics import sign_topics
from evcharge.payments.paying import begin_payment
from evcharge.payments.queries import owed_paise
from evcharge.payments.rules import CheckoutOver, ItemKind, NothingToPay
from evcharge.web.context import (
    current_user,
    login_required,
    perform,
    reading,
    settings,
)
from evcharge.web.errors import http_status
from evcharge.web.formats import plug

PAGE_SIZE = 10
TABS: tuple[When, ...] = ("upcoming", "past", "cancelled")


# ── the list ─────────────────────────────────────────────────────────────────────


@pages.get("/bookings")
@login_required
def my_bookings() -> ResponseReturnValue:
    now, user_id = utc_now(), current_user().id
    tab = _tab(request.args.get("tab", ""))
    counts = booking_counts(reading(), user_id, now=now)
    last = max(1, -(-counts[tab] // PAGE_SIZE))
    page = min(page_from_query(request.args), last)
    found = bookings_of_user(
        reading(),
        user_id,
        when=tab,
        now=now,
        limit=PAGE_SIZE,
        offset=(page - 1) * PAGE_SIZE,
    )
    rows = [(booking, phase_of(booking, now=now)) for booking in found]
    bills = bills_of(reading(), ItemKind.BOOKING, [each.id for each in found])
    return render_template(
        "bookings/my_bookings.html",
        tab=tab,
        counts=counts,
        rows=rows,
        bills=bills,
        page=page,
        last=last,
        owed=owed_paise(reading(), user_id),
    )


def _tab(wanted: str) -> When:
    return next((tab for tab in TABS if tab == wanted), "upcoming")


# ── one booking ──────────────────────────────────────────────────────────────────


@pages.get("/bookings/<uuid:booking_id>")
@login_required
def show_booking(booking_id: UUID) -> ResponseReturnValue:
    now = utc_now()
    view = view_of(reading(), booking_id, current_user().id, now=now)
    name = "_booking.html" if "fragment" in request.args else "show.html"
    topic = f"booking:{booking_id}"
    return render_template(
        f"bookings/{name}",
        view=view,
        documents=documents_of(reading(), ItemKind.BOOKING, booking_id),
        topic=topic,
        token=sign_topics(settings().secret_key, [topic], current_user().id),
        new_key=new_id,
    )


@pages.get("/bookings/<uuid:booking_id>/calendar.ics")
@login_required
def calendar(booking_id: UUID) -> ResponseReturnValue:
    now = utc_now()
    booking = booking_of_user(reading(), booking_id, current_user().id)
    address = url_for(".show_booking", booking_id=booking_id, _external=True)
    file = calendar_file(
        booking, place=_place(booking), about=_about(booking), url=address, now=now
    )
    response = Response(file, content_type="text/calendar; charset=utf-8")
    response.headers.set(
        "Content-Disposition", "attachment", filename=f"{booking.reference}.ics"
    )
    return response


def _place(booking: Booking) -> str:
    location = booking.evse.charger.location
    return (
        f"{location.name}, {location.address}, "
        f"{location.city} {location.pincode}, {location.state}"
    )


def _about(booking: Booking) -> str:
    plugs = ", ".join(plug(each.kind) for each in booking.evse.connectors)
    charger = booking.evse.charger.identity
    return f"Reference {booking.reference}\nCharger {charger}, plug {plugs}"


# ── paying ───────────────────────────────────────────────────────────────────────


@pages.post("/bookings/<uuid:booking_id>/pay")
@login_required
def pay(booking_id: UUID) -> ResponseReturnValue:
    user_id, now = current_user().id, utc_now()

    def ask(session: Session) -> UUID:
        return open_checkout(
            session, booking_id=booking_id, user_id=user_id, limits=limits(), now=now
        ).id

    try:
        _payment, address = begin_payment(perform(ask), user_id)
    except (BookingNotActive, NothingToPay, CheckoutOver) as refusal:
        flash(refusal.message, "warning")
        return redirect(url_for(".show_booking", booking_id=booking_id), code=303)
    return redirect(address, code=303)


# ── cancelling ───────────────────────────────────────────────────────────────────


@pages.get("/bookings/<uuid:booking_id>/cancel")
@login_required
def confirm_cancelling(booking_id: UUID) -> ResponseReturnValue:
    now = utc_now()
    booking = booking_of_user(reading(), booking_id, current_user().id)
    if phase_of(booking, now=now) not in CAN_CANCEL:
        flash("This booking is over already.", "warning")
        return redirect(url_for(".show_booking", booking_id=booking_id), code=303)
    refund_paise = refund_if_cancelled(booking, by_driver=True, now=now)
    return _ask_to_cancel(booking, refund_paise)


@pages.post("/bookings/<uuid:booking_id>/cancel")
@login_required
def cancel(booking_id: UUID) -> ResponseReturnValue:
    user_id, now = current_user().id, utc_now()
    shown_paise = amount_from_form(request.form, "refund_paise")

    def act(session: Session) -> Booking:
        return cancel_booking(
            session,
            booking_id=booking_id,
            actor=Actor(ActorKind.DRIVER, user_id),
            expect_refund_paise=shown_paise,
            now=now,
        )

    try:
        perform(act)
    except RefundShrunk as refusal:
        booking = booking_of_user(reading(), booking_id, user_id)
        refund_paise = int(str(refusal.details["refund_paise"]))
        page = _ask_to_cancel(booking, refund_paise, shown_paise)
        return page, http_status(refusal)
    except (BookingNotActive, BookingChanged) as refusal:
        flash(refusal.message, "warning")
    else:
        flash("Your booking is cancelled.", "success")
    return redirect(url_for(".show_booking", booking_id=booking_id), code=303)


def _ask_to_cancel(
    booking: Booking, refund_paise: int, shown_paise: int | None = None
) -> str:
    return render_template(
        "bookings/cancel.html",
        booking=booking,
        zone=zone_of(booking.evse),
        refund_paise=refund_paise,
        shown_paise=shown_paise,
    )
