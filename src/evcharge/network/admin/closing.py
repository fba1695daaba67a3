"""Taking stations out of use, for good or for a while, and what that does to drivers.

Whoever closes something first sees the bookings in the way, and then says in so many
words that these are to be cancelled.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from evcharge.accounts.queries import people_by_id
from evcharge.bookings.asking import actor
from evcharge.bookings.models import Booking
from evcharge.bookings.queries import active_bookings_on
from evcharge.bookings.reasons import UnclearReason, reason_from_text
from evcharge.bookings.rules import (
    BookingChanged,
    BookingsInTheWay,
)
from evcharge.bookings.service import close_evses, close_location
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError
from evcharge.network.admin.blueprint import admin
from evcharge.network.own import own_charger, own_evse, own_location
from evcharge.stations.models import Charger
from evcharge.stations.queries import evses_of_location
from evcharge.stations.rules import EditedMeanwhile, Lifecycle
from evcharge.stations.service import set_lifecycle
from evcharge.web.context import operator_required, perform, reading
from evcharge.web.errors import http_status

Close = Callable[[Session, bool, str], None]


@dataclass(frozen=True)
class Closing:
    """What is to be closed: how the page speaks of it, and how it is done.

    `close` gets the session, whether bookings may be cancelled, and the reason.
    """

    title: str
    consequence: str
    button: str
    done: str
    back: str
    zone: str
    evse_ids: Sequence[int]
    close: Close


# ── the page and the press of its button ─────────────────────────────────────────


def _ask(closing: Closing) -> ResponseReturnValue:
    return _page(closing, _in_the_way(closing))


def _do(closing: Closing) -> ResponseReturnValue:
    """Close it, unless the bookings in the way are others than those agreed to."""
    bookings = _in_the_way(closing)
    agreed = request.form.get("cancel") == digest_of(bookings)
    try:
        reason = reason_from_text(request.form.get("reason", ""))
        perform(lambda session: closing.close(session, agreed, reason))
    except UnclearReason as refusal:
        return _page(closing, bookings, refusal), http_status(refusal)
    except (BookingsInTheWay, BookingChanged, EditedMeanwhile) as refusal:
        reading().rollback()  # Look again: somebody may have booked since.
        return _page(closing, _in_the_way(closing), refusal), http_status(refusal)
    flash(closing.done, "success")
    return redirect(closing.back, code=303)


def _in_the_way(closing: Closing) -> Sequence[Booking]:
    return active_bookings_on(reading(), closing.evse_ids, now=utc_now())


def digest_of(bookings: Sequence[Booking]) -> str:
    """Return what the button sends: a yes to these bookings and no others."""
    ids = ",".join(sorted(str(booking.id) for booking in bookings))
    return hashlib.sha256(ids.encode()).hexdigest()[:32]


def _page(
    closing: Closing, bookings: Sequence[Booking], refusal: DomainError | None = None
) -> str:
    return render_template(
        "network/admin/close.html",
        closing=closing,
        bookings=bookings,
        drivers=people_by_id(reading(), {each.user_id for each in bookings}),
        digest=digest_of(bookings),
        refund_paise=sum(each.paid_paise for each in bookings),
        reason=request.form.get("reason", ""),
        refusal=refusal,
    )


# ── locations ────────────────────────────────────────────────────────────────────


@admin.get("/admin/locations/<int:location_id>/close")
@operator_required
def ask_to_close_location(location_id: int) -> ResponseReturnValue:
    return _ask(_location_closing(location_id))


@admin.post("/admin/locations/<int:location_id>/close")
@operator_required
def close_whole_location(location_id: int) -> ResponseReturnValue:
    return _do(_location_closing(location_id))


def _location_closing(location_id: int) -> Closing:
    place = own_location(location_id)
    version, who, now = place.version, actor(), utc_now()

    def close(session: Session, cancel: bool, reason: str) -> None:
        close_location(
            session,
            location_id=location_id,
            version=version,
            actor=who,
            cancel_bookings=cancel,
            reason=reason,
            now=now,
        )

    return Closing(
        title=f"Close {place.name}?",
        consequence="Drivers no longer find it, and nobody can book there until you"
        " open it again. Its chargers stay as they are.",
        button="Close the location",
        done="The location is closed.",
        back=url_for(".location", location_id=location_id),
        zone=place.timezone,
        evse_ids=evses_of_location(reading(), location_id),
        close=close,
    )


# ── chargers ─────────────────────────────────────────────────────────────────────


@admin.get("/admin/chargers/<int:charger_id>/close")
@operator_required
def ask_to_close_charger(charger_id: int) -> ResponseReturnValue:
    return _ask(_charger_closing(charger_id))


@admin.post("/admin/chargers/<int:charger_id>/close")
@operator_required
def close_charger(charger_id: int) -> ResponseReturnValue:
    return _do(_charger_closing(charger_id))


def _charger_closing(charger_id: int) -> Closing:
    box = own_charger(charger_id)
    return Closing(
        title=f"Take {box.identity} out of service?",
        consequence="Nobody can book any of its charging points until you open them"
        " again. Drivers see “Not in service”.",
        button="Take out of service",
        done="The charger is out of service.",
        back=url_for(".charger", charger_id=charger_id),
        zone=box.location.timezone,
        evse_ids=_with_lifecycle(box, Lifecycle.ACTIVE),
        close=_closes(_with_lifecycle(box, Lifecycle.ACTIVE), Lifecycle.INOPERATIVE),
    )


def _with_lifecycle(box: Charger, *lifecycles: Lifecycle) -> list[int]:
    return [evse.id for evse in box.evses if evse.lifecycle in lifecycles]


def _closes(evse_ids: Sequence[int], lifecycle: Lifecycle) -> Close:
    who, now = actor(), utc_now()

    def close(session: Session, cancel: bool, reason: str) -> None:
        close_evses(
            session,
            evse_ids=evse_ids,
            lifecycle=lifecycle,
            actor=who,
            cancel_bookings=cancel,
            reason=reason,
            now=now,
        )

    return close


@admin.post("/admin/chargers/<int:charger_id>/open")
@operator_required
def open_charger(charger_id: int) -> ResponseReturnValue:
    closed = _with_lifecycle(
        own_charger(charger_id), Lifecycle.INOPERATIVE, Lifecycle.PLANNED
    )

    def open_all(session: Session) -> None:
        for evse_id in sorted(closed):
            set_lifecycle(session, evse_id=evse_id, lifecycle=Lifecycle.ACTIVE)

    perform(open_all)
    flash("The charger is in service. Drivers can book it.", "success")
    return _to_charger(charger_id)


# ── EVSEs ────────────────────────────────────────────────────────────────────────


@admin.get("/admin/evses/<int:evse_id>/close")
@operator_required
def ask_to_close_evse(evse_id: int) -> ResponseReturnValue:
    return _ask(_evse_closing(evse_id))


@admin.post("/admin/evses/<int:evse_id>/close")
@operator_required
def close_evse(evse_id: int) -> ResponseReturnValue:
    return _do(_evse_closing(evse_id))


@admin.get("/admin/evses/<int:evse_id>/remove")
@operator_required
def ask_to_remove_evse(evse_id: int) -> ResponseReturnValue:
    return _ask(_evse_removal(evse_id))


@admin.post("/admin/evses/<int:evse_id>/remove")
@operator_required
def remove_evse(evse_id: int) -> ResponseReturnValue:
    return _do(_evse_removal(evse_id))


def _evse_closing(evse_id: int) -> Closing:
    evse = own_evse(evse_id)
    name = f"{evse.charger.identity} · {evse.number}"
    return Closing(
        title=f"Take {name} out of service?",
        consequence="Nobody can book it until you open it again. Drivers see"
        " “Not in service”.",
        button="Take out of service",
        done="The charging point is out of service.",
        back=url_for(".charger", charger_id=evse.charger_id),
        zone=evse.charger.location.timezone,
        evse_ids=[evse_id],
        close=_closes([evse_id], Lifecycle.INOPERATIVE),
    )


def _evse_removal(evse_id: int) -> Closing:
    evse = own_evse(evse_id)
    name = f"{evse.charger.identity} · {evse.number}"
    return Closing(
        title=f"Remove {name}?",
        consequence="Drivers no longer see it. Its past bookings and payments are kept,"
        " and you can put it back.",
        button="Remove the charging point",
        done="The charging point is removed.",
        back=url_for(".charger", charger_id=evse.charger_id),
        zone=evse.charger.location.timezone,
        evse_ids=[evse_id],
        close=_closes([evse_id], Lifecycle.REMOVED),
    )


@admin.post("/admin/evses/<int:evse_id>/open")
@operator_required
def open_evse(evse_id: int) -> ResponseReturnValue:
    charger_id = own_evse(evse_id).charger_id
    perform(
        lambda session: set_lifecycle(
            session, evse_id=evse_id, lifecycle=Lifecycle.ACTIVE
        )
    )
    flash("The charging point is in service. Drivers can book it.", "success")
    return _to_charger(charger_id)


def _to_charger(charger_id: int) -> Response:
    return redirect(url_for(".charger", charger_id=charger_id), code=303)
