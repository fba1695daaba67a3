"""Keeping an EVSE out of use for a while, and giving it back."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from evcharge.accounts.queries import people_by_id
from evcharge.bookings.asking import actor
from evcharge.bookings.models import Booking
from evcharge.bookings.queries import active_bookings_on
from evcharge.bookings.reasons import UnclearReason, reason_from_text
from evcharge.bookings.rules import (
    BookingChanged,
    BookingsInTheWay,
    Slot,
    SlotNotBookable,
    SlotTaken,
)
from evcharge.bookings.service import block_evse, lift_block
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError
from evcharge.network.admin.blueprint import admin
from evcharge.network.admin.closing import digest_of
from evcharge.network.admin.forms import BlockForm
from evcharge.network.own import own_block, own_evse
from evcharge.stations.models import Evse
from evcharge.web.context import operator_required, perform, reading
from evcharge.web.errors import http_status

ONE_HOUR = timedelta(hours=1)


@admin.get("/admin/evses/<int:evse_id>/block")
@operator_required
def plan_maintenance(evse_id: int) -> ResponseReturnValue:
    evse = own_evse(evse_id)
    hour = utc_now().astimezone(_zone(evse)).replace(minute=0, second=0)
    usual = {"starts_at": hour + ONE_HOUR, "ends_at": hour + 3 * ONE_HOUR}
    return _page(BlockForm(data=usual), evse)


@admin.post("/admin/evses/<int:evse_id>/block")
@operator_required
def add_block(evse_id: int) -> ResponseReturnValue:
    evse = own_evse(evse_id)
    form = BlockForm(request.form)
    slot, reason = form.slot(_zone(evse)), _reason(form)
    if slot is None or reason is None:
        return _page(form, evse), 422
    bookings = _in_the_way(evse_id, slot)
    agreed = request.form.get("cancel") == digest_of(bookings)
    who, now = actor(), utc_now()
    try:
        perform(
            lambda session: block_evse(
                session,
                evse_id=evse_id,
                slot=slot,
                reason=reason,
                actor=who,
                cancel_bookings=agreed,
                now=now,
            )
        )
    except SlotNotBookable as refusal:
        form.starts_at.errors = [refusal.message]
        return _page(form, evse), http_status(refusal)
    except SlotTaken as refusal:
        message = "Maintenance is planned for some of that time already."
        form.starts_at.errors = [message]
        return _page(form, evse), http_status(refusal)
    except (BookingsInTheWay, BookingChanged) as refusal:
        reading().rollback()  # Look again: somebody may have booked since.
        evse = own_evse(evse_id)
        page = _page(form, evse, _in_the_way(evse_id, slot), refusal)
        return page, http_status(refusal)
    flash("The maintenance is planned. Nobody can book that time.", "success")
    return _to_charger(evse.charger_id)


def _reason(form: BlockForm) -> str | None:
    try:
        return reason_from_text(form.reason.data or "")
    except UnclearReason as refusal:
        form.reason.errors = [refusal.message]
        return None


def _zone(evse: Evse) -> ZoneInfo:
    return ZoneInfo(evse.charger.location.timezone)


def _in_the_way(evse_id: int, slot: Slot) -> Sequence[Booking]:
    if slot.starts_at >= slot.ends_at:
        return []
    return active_bookings_on(reading(), [evse_id], slot=slot, now=utc_now())


def _page(
    form: BlockForm,
    evse: Evse,
    bookings: Sequence[Booking] = (),
    refusal: DomainError | None = None,
) -> str:
    return render_template(
        "network/admin/block_form.html",
        form=form,
        evse=evse,
        bookings=bookings,
        drivers=people_by_id(reading(), {each.user_id for each in bookings}),
        digest=digest_of(bookings),
        refund_paise=sum(each.paid_paise for each in bookings),
        refusal=refusal,
    )


@admin.post("/admin/blocks/<uuid:block_id>/lift")
@operator_required
def lift_maintenance(block_id: UUID) -> ResponseReturnValue:
    _, evse = own_block(block_id)
    perform(lambda session: lift_block(session, block_id=block_id, now=utc_now()))
    flash("The maintenance is lifted. Drivers can book that time.", "success")
    return _to_charger(evse.charger_id)


def _to_charger(charger_id: int) -> Response:
    return redirect(url_for(".charger", charger_id=charger_id), code=303)
