"""The console's list of locations; adding, editing and opening them."""

from collections.abc import Iterator

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.accounts.models import Operator
from evcharge.bookings.queries import live_blocks_on
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError
from evcharge.network.admin.blueprint import admin, searched
from evcharge.network.admin.forms import LocationForm, options
from evcharge.network.fleet import (
    LocationFilter,
    chargers_of_location,
    count_locations,
    every_location,
    locations_matching,
    operators_in,
)
from evcharge.network.own import own_location
from evcharge.network.queries import evses_now
from evcharge.network.rules import EvseNow
from evcharge.stations.models import Location
from evcharge.stations.rules import BadStation, EditedMeanwhile
from evcharge.stations.rules.entries import AMENITIES
from evcharge.stations.service import (
    create_location,
    edit_location,
    set_location_active,
)
from evcharge.web.context import (
    current_user,
    operator_required,
    perform,
    reading,
)
from evcharge.web.errors import http_status
from evcharge.web.paging import paging
from evcharge.web.spreadsheets import streamed_csv

SHOWN = {"active": True, "hidden": False}
HEADER = (
    "id",
    "name",
    "address",
    "city",
    "state",
    "pincode",
    "lat",
    "lon",
    "opening_hours",
    "operator",
    "open_to_drivers",
)


@admin.get("/admin/locations")
@operator_required
def locations() -> ResponseReturnValue:
    shown, wanted = _asked()
    where = paging(request.args.get("page"), total=count_locations(reading(), wanted))
    found = locations_matching(
        reading(), wanted, limit=where.per_page, offset=where.offset
    )
    return render_template(
        "network/admin/locations.html",
        locations=found,
        evses=evses_now(reading(), [each.id for each in found], now=utc_now()),
        wanted=wanted,
        shown=shown,
        paging=where,
    )


def _asked() -> tuple[str | None, LocationFilter]:
    """Read the filters of a link; what means nothing filters nothing."""
    shown = request.args.get("shown", "")
    wanted = LocationFilter(current_user().scope, searched(), SHOWN.get(shown))
    return shown if shown in SHOWN else None, wanted


@admin.get("/admin/locations.csv")
@operator_required
def locations_csv() -> ResponseReturnValue:
    _, wanted = _asked()
    return streamed_csv("locations.csv", HEADER, lambda session: _rows(session, wanted))


def _rows(session: Session, wanted: LocationFilter) -> Iterator[tuple[object, ...]]:
    for place in every_location(session, wanted):
        yield (
            place.id,
            place.name,
            place.address,
            place.city,
            place.state,
            place.pincode,
            place.lat,
            place.lon,
            place.opening_hours,
            place.operator.name,
            "yes" if place.is_active else "no",
        )


@admin.get("/admin/locations/<int:location_id>")
@operator_required
def location(location_id: int) -> ResponseReturnValue:
    place = own_location(location_id)
    now = utc_now()
    evses = evses_now(reading(), [location_id], now=now)[location_id]
    blocks = live_blocks_on(reading(), [each.evse_id for each in evses], now=now)
    return render_template(
        "network/admin/location.html",
        location=place,
        chargers=chargers_of_location(reading(), location_id),
        evses=_by_charger(evses),
        names={each.evse_id: f"{each.charger} · {each.number}" for each in evses},
        blocks=blocks,
        amenities=AMENITIES,
    )


def _by_charger(evses: list[EvseNow]) -> dict[str, list[EvseNow]]:
    found: dict[str, list[EvseNow]] = {}
    for evse in evses:
        found.setdefault(evse.charger, []).append(evse)
    return found


# ── adding ───────────────────────────────────────────────────────────────────────


@admin.get("/admin/locations/new")
@operator_required
def new_location() -> ResponseReturnValue:
    return _new_page(LocationForm())


@admin.post("/admin/locations/new")
@operator_required
def add_location() -> ResponseReturnValue:
    form = LocationForm(request.form)
    operator = _chosen_operator(form)
    try:
        details = form.checked_details()
    except BadStation as refusal:
        form.refuse(refusal)
        return _new_page(form), 422
    if operator is None:
        return _new_page(form), 422

    def create(session: Session) -> int:
        return create_location(
            session, operator_id=operator.id, details=details, now=utc_now()
        ).id

    location_id = perform(create)
    flash("The location is there. Now add its chargers.", "success")
    return redirect(url_for(".location", location_id=location_id), code=303)


def _chosen_operator(form: LocationForm) -> Operator | None:
    """Return whose location it becomes; None, with the problem at the field."""
    operators = operators_in(reading(), current_user().scope)
    if len(operators) == 1 and not form.operator_id.data:
        return operators[0]
    for operator in operators:
        if operator.id == form.asked_operator_id:
            return operator
    form.operator_id.errors = ["Choose an operator from the list."]
    return None


def _new_page(form: LocationForm) -> str:
    operators = operators_in(reading(), current_user().scope)
    if not operators:
        return render_template("network/admin/no_operator.html")
    form.operator_id.choices = options(
        "Choose an operator", {str(each.id): each.name for each in operators}
    )
    return render_template(
        "network/admin/location_form.html",
        form=form,
        location=None,
        ask_operator=len(operators) != 1,
    )


# ── editing ──────────────────────────────────────────────────────────────────────


@admin.get("/admin/locations/<int:location_id>/edit")
@operator_required
def change_location(location_id: int) -> ResponseReturnValue:
    place = own_location(location_id)
    return _edit_page(LocationForm.of(place), place)


@admin.post("/admin/locations/<int:location_id>/edit")
@operator_required
def save_location(location_id: int) -> ResponseReturnValue:
    place = own_location(location_id)
    form = LocationForm(request.form)
    del form.operator_id  # Who it belongs to does not change.
    try:
        details = form.checked_details()
        perform(
            lambda session: edit_location(
                session,
                location_id=location_id,
                details=details,
                version=form.seen_version,
            )
        )
    except BadStation as refusal:
        form.refuse(refusal)
        return _edit_page(form, place), 422
    except EditedMeanwhile as refusal:
        form.compare_with(LocationForm.of(place))
        return _edit_page(form, place, refusal), http_status(refusal)
    flash("Saved.", "success")
    return redirect(url_for(".location", location_id=location_id), code=303)


def _edit_page(
    form: LocationForm, place: Location, refusal: DomainError | None = None
) -> str:
    return render_template(
        "network/admin/location_form.html",
        form=form,
        location=place,
        ask_operator=False,
        refusal=refusal,
    )


@admin.post("/admin/locations/<int:location_id>/open")
@operator_required
def open_location(location_id: int) -> ResponseReturnValue:
    version = own_location(location_id).version
    perform(
        lambda session: set_location_active(
            session, location_id=location_id, is_active=True, version=version
        )
    )
    flash("Drivers see this location again.", "success")
    return redirect(url_for(".location", location_id=location_id), code=303)
