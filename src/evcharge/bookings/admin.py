"""Pages on which operators look through bookings, and end one with a full refund."""

from collections.abc import Collection, Iterator
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
from evcharge.bookings.listing import (
    BookingFilter,
    BookingLine,
    booking_in_scope,
    bookings_matching,
    count_bookings,
    every_booking,
)
from evcharge.bookings.models import Booking, BookingEvent
from evcharge.bookings.reasons import UnclearReason, reason_from_text
from evcharge.bookings.rules import (
    NO_SHOW_GRACE,
    ActorKind,
    BookingChanged,
    BookingNotActive,
    BookingPayment,
    BookingStatus,
    ChargerWasSilent,
    TooEarly,
)
from evcharge.bookings.service import cancel_booking, mark_no_show
from evcharge.bookings.words import Entry, entry_of
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError
from evcharge.payments.queries import payments_of_item
from evcharge.payments.rules import ItemKind
from evcharge.web.context import current_user, operator_required, perform, reading
from evcharge.web.errors import http_status
from evcharge.web.paging import paging
from evcharge.web.periods import DAY, midnight
from evcharge.web.spreadsheets import streamed_csv

admin = Blueprint("bookings_admin", __name__, template_folder="templates")

STATUSES = {
    BookingStatus.ACTIVE: "Booked",
    BookingStatus.COMPLETED: "Done",
    BookingStatus.NO_SHOW: "Missed",
    BookingStatus.CANCELLED: "Cancelled",
    BookingStatus.EXPIRED: "Hold ended",
}
PAYMENTS = {BookingPayment.PAID: "Paid", BookingPayment.PENDING: "Not paid"}
WHEN = {
    "upcoming": "Still to come",
    "today": "Today",
    "7d": "7 days",
    "30d": "30 days",
}
HEADER = (
    "reference",
    "status",
    "payment",
    "starts_at",
    "ends_at",
    "location",
    "charger",
    "point",
    "driver",
    "email",
    "amount_inr",
    "paid_inr",
    "booked_at",
)


# ── the list ─────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Asked:
    """The filters as the address has them; what means nothing filters nothing."""

    status: str | None
    payment: str | None
    when: str | None
    location: int | None
    q: str | None

    @classmethod
    def here(cls) -> "Asked":
        asked = request.args
        location = asked.get("location", type=int)
        return cls(
            status=_one_of(STATUSES, asked.get("status")),
            payment=_one_of(PAYMENTS, asked.get("payment")),
            when=_one_of(WHEN, asked.get("when")),
            location=location if location and 0 < location < 2**31 else None,
            q=search_text(asked.get("q", "")) or None,
        )

    def link(self, **changes: object) -> dict[str, object]:
        """Return the parameters of this list, changed: `asked.link(status=None)`."""
        return {**vars(self), **changes}

    def filter(self, *, now: datetime) -> BookingFilter:
        since, until = _stretch(self.when, now=now)
        return BookingFilter(
            scope=current_user().scope,
            now=now,
            status=BookingStatus(self.status) if self.status else None,
            payment=BookingPayment(self.payment) if self.payment else None,
            since=since,
            until=until,
            location_id=self.location,
            text=self.q or "",
        )


def _one_of(known: Collection[str], asked: str | None) -> str | None:
    return asked if asked in known else None


def _stretch(
    when: str | None, *, now: datetime
) -> tuple[datetime | None, datetime | None]:
    if when is None:
        return None, None
    if when == "upcoming":
        return now, None
    days = {"today": 1, "7d": 7, "30d": 30}[when]
    tomorrow = midnight(now) + DAY
    return tomorrow - days * DAY, tomorrow


@admin.get("/admin/bookings")
@operator_required
def bookings() -> ResponseReturnValue:
    now, asked = utc_now(), Asked.here()
    wanted = asked.filter(now=now)
    where = paging(request.args.get("page"), total=count_bookings(reading(), wanted))
    found = bookings_matching(
        reading(), wanted, limit=where.per_page, offset=where.offset
    )
    return render_template(
        "bookings/admin/bookings.html",
        bookings=found,
        asked=asked,
        statuses=STATUSES,
        payments=PAYMENTS,
        whens=WHEN,
        paging=where,
        now=now,
    )


@admin.get("/admin/bookings.csv")
@operator_required
def bookings_csv() -> ResponseReturnValue:
    wanted = Asked.here().filter(now=utc_now())
    return streamed_csv("bookings.csv", HEADER, lambda session: _rows(session, wanted))


def _rows(session: Session, wanted: BookingFilter) -> Iterator[tuple[object, ...]]:
    for line in every_booking(session, wanted):
        yield (
            line.reference,
            line.status_at(wanted.now).value,
            line.payment_status.value,
            _wall_time(line.starts_at, line),
            _wall_time(line.ends_at, line),
            line.location_name,
            line.charger,
            line.evse_number,
            line.driver_name,
            line.driver_email,
            Decimal(line.amount_paise) / 100,
            Decimal(line.paid_paise) / 100,
            _wall_time(line.created_at, line),
        )


def _wall_time(at: datetime, line: BookingLine) -> str:
    return at.astimezone(ZoneInfo(line.zone)).isoformat(timespec="minutes")


# ── one booking ──────────────────────────────────────────────────────────────────


@admin.get("/admin/bookings/<uuid:booking_id>")
@operator_required
def booking(booking_id: UUID) -> ResponseReturnValue:
    return _booking_page(_own(booking_id))


def _own(booking_id: UUID) -> Booking:
    return booking_in_scope(reading(), booking_id, current_user().scope)


def _booking_page(found: Booking, refusal: DomainError | None = None) -> str:
    now = utc_now()
    people = people_by_id(reading(), _people_in(found))
    zone = ZoneInfo(found.evse.charger.location.timezone)
    return render_template(
        "bookings/admin/booking.html",
        booking=found,
        driver=people[found.user_id],
        place=found.evse.charger.location,
        payments=payments_of_item(reading(), ItemKind.BOOKING, found.id),
        history=[_entry(event, people, now, zone) for event in found.events],
        is_held=_is_held(found, now),
        can_cancel=found.status == BookingStatus.ACTIVE,
        can_miss=_can_miss(found, now),
        refusal=refusal,
        now=now,
    )


def _people_in(found: Booking) -> set[int]:
    actors = {event.actor_user_id for event in found.events}
    return {found.user_id} | {each for each in actors if each is not None}


def _is_held(found: Booking, now: datetime) -> bool:
    deadline = found.hold_expires_at
    is_live = deadline is not None and deadline > now
    return found.status == BookingStatus.ACTIVE and is_live


def _can_miss(found: Booking, now: datetime) -> bool:
    is_kept = found.status == BookingStatus.ACTIVE and found.hold_expires_at is None
    return is_kept and found.starts_at + NO_SHOW_GRACE <= now


# The history is written for the driver; an operator reads it about them.
_TITLES = {
    "You held the slot": "Held the slot",
    "You booked the slot": "Booked the slot",
    "You went to pay": "Went to pay",
    "The slot was taken for you again": "The slot was taken again",
    "You cancelled": "Cancelled",
}
_PROGRAMS = {ActorKind.PROVIDER: "the payment provider", ActorKind.SYSTEM: "the system"}


def _entry(
    event: BookingEvent, people: dict[int, User], now: datetime, zone: ZoneInfo
) -> Entry:
    told = entry_of(event, now=now, zone=zone)
    person = people.get(event.actor_user_id or 0)
    by = person.name if person else _PROGRAMS.get(event.actor, event.actor.value)
    return Entry(told.at, _TITLES.get(told.title, told.title), told.detail, by)


# ── ending one ───────────────────────────────────────────────────────────────────


@admin.get("/admin/bookings/<uuid:booking_id>/cancel")
@operator_required
def confirm_cancel(booking_id: UUID) -> ResponseReturnValue:
    found = _own(booking_id)
    if found.status != BookingStatus.ACTIVE:
        return _to_booking(booking_id)
    return _cancel_page(found)


@admin.post("/admin/bookings/<uuid:booking_id>/cancel")
@operator_required
def cancel(booking_id: UUID) -> ResponseReturnValue:
    found, who = _own(booking_id), actor()
    try:
        reason = reason_from_text(request.form.get("reason", ""))
        perform(
            lambda session: cancel_booking(
                session, booking_id=booking_id, actor=who, reason=reason, now=utc_now()
            )
        )
    except UnclearReason as refusal:
        return _cancel_page(found, refusal), http_status(refusal)
    except (BookingNotActive, BookingChanged) as refusal:
        return _booking_page(found, refusal), http_status(refusal)
    flash("The booking is cancelled, and the money goes back in full.", "success")
    return _to_booking(booking_id)


def _cancel_page(found: Booking, refusal: DomainError | None = None) -> str:
    return render_template(
        "bookings/admin/cancel.html",
        booking=found,
        place=found.evse.charger.location,
        driver=people_by_id(reading(), {found.user_id})[found.user_id],
        reason=request.form.get("reason", ""),
        refusal=refusal,
    )


@admin.post("/admin/bookings/<uuid:booking_id>/no-show")
@operator_required
def miss(booking_id: UUID) -> ResponseReturnValue:
    found, who = _own(booking_id), actor()
    try:
        perform(
            lambda session: mark_no_show(
                session, booking_id=booking_id, actor=who, now=utc_now()
            )
        )
    except (TooEarly, ChargerWasSilent, BookingNotActive, BookingChanged) as refusal:
        return _booking_page(found, refusal), http_status(refusal)
    flash("The booking is marked as missed, and its time is free again.", "success")
    return _to_booking(booking_id)


def _to_booking(booking_id: UUID) -> Response:
    return redirect(url_for(".booking", booking_id=booking_id), code=303)
