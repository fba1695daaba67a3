"""The console's list of chargers; a charger with all that hangs on it."""

from collections.abc import Iterator

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.bookings.queries import live_blocks_on
from evcharge.control.models import ChargerConnection
from evcharge.control.queries import connections_of
from evcharge.control.rules import ParkedNotFound
from evcharge.control.service import take_in
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError
from evcharge.network.admin.blueprint import admin, searched
from evcharge.network.admin.forms import ChargerForm
from evcharge.network.admin.live import (
    charger_now,
    charger_topics,
    fleet_topics,
    socket_address,
)
from evcharge.network.admin.parked import parked_or_none
from evcharge.network.fleet import (
    ChargerFilter,
    Link,
    charger_conditions,
    chargers_matching,
    count_by_status,
    count_chargers,
    every_charger,
    fact_groups,
    statuses_of,
)
from evcharge.network.own import own_charger, own_location
from evcharge.network.queries import evses_now
from evcharge.stations.models import Charger, Location
from evcharge.stations.rules import (
    BadStation,
    EditedMeanwhile,
    EvseStatus,
    IdentityTaken,
    is_silent,
)
from evcharge.stations.service import create_charger, edit_charger
from evcharge.web.context import current_user, operator_required, perform, reading
from evcharge.web.errors import http_status
from evcharge.web.formats import instant
from evcharge.web.paging import paging
from evcharge.web.spreadsheets import streamed_csv

# In the order of the chips: what is wrong stands first.
STATUSES = (
    EvseStatus.OUT_OF_ORDER,
    EvseStatus.UNKNOWN,
    EvseStatus.INOPERATIVE,
    EvseStatus.BLOCKED,
    EvseStatus.CHARGING,
    EvseStatus.RESERVED,
    EvseStatus.AVAILABLE,
    EvseStatus.PLANNED,
)

HEADER = (
    "id",
    "identity",
    "make",
    "model",
    "location",
    "city",
    "heartbeat_seconds",
    "last_seen_at",
    "protocol",
    "connected_at",
    "disconnected_at",
    "firmware",
    "serial_number",
)
LINKS = {
    Link.CONNECTED: "Connected",
    Link.SILENT: "Silent",
    Link.NEVER: "Never connected",
}
ADDED = "The charger is there. Now add its charging points."
TAKEN_IN = (
    "The charger is let in with the key it came with. Now add its charging points."
)


@admin.get("/admin/chargers")
@operator_required
def chargers() -> ResponseReturnValue:
    now = utc_now()
    wanted = _wanted()
    groups = fact_groups(reading(), wanted.scope, now=now)
    conditions = charger_conditions(wanted, groups, now=now)
    where = paging(
        request.args.get("page"), total=count_chargers(reading(), conditions)
    )
    found = chargers_matching(
        reading(), conditions, limit=where.per_page, offset=where.offset
    )
    places = {charger.location_id for charger in found}
    evses = evses_now(reading(), places, now=now)
    part = "_chargers.html" if "fragment" in request.args else "chargers.html"
    return render_template(
        f"network/admin/{part}",
        chargers=found,
        connections=connections_of(reading(), [each.id for each in found]),
        live=fleet_topics(found),
        ways=LINKS,
        evses={
            charger.id: [
                evse
                for evse in evses[charger.location_id]
                if evse.charger == charger.identity
            ]
            for charger in found
        },
        silent={each.id for each in found if _is_silent(each)},
        wanted=wanted,
        statuses=STATUSES,
        counts=count_by_status(groups),
        paging=where,
        now=now,
    )


@admin.get("/admin/chargers.csv")
@operator_required
def chargers_csv() -> ResponseReturnValue:
    now = utc_now()
    wanted = _wanted()
    groups = fact_groups(reading(), wanted.scope, now=now) if wanted.status else []
    conditions = charger_conditions(wanted, groups, now=now)
    return streamed_csv(
        "chargers.csv",
        HEADER,
        lambda session: _rows(every_charger(session, conditions)),
    )


def _rows(
    lines: Iterator[tuple[Charger, ChargerConnection | None]],
) -> Iterator[tuple[object, ...]]:
    for box, connection in lines:
        yield (
            box.id,
            box.identity,
            box.vendor,
            box.model,
            box.location.name,
            box.location.city,
            box.heartbeat_seconds,
            box.last_seen_at and instant(box.last_seen_at),
            *_joined(connection),
        )


def _joined(connection: ChargerConnection | None) -> tuple[object, ...]:
    if connection is None:
        return (None,) * 5
    return (
        connection.protocol.value,
        instant(connection.opened_at),
        connection.closed_at and instant(connection.closed_at),
        connection.firmware_version,
        connection.serial_number,
    )


def _wanted() -> ChargerFilter:
    status = request.args.get("status")
    location_id = request.args.get("location", type=int)
    link = request.args.get("link")
    return ChargerFilter(
        current_user().scope,
        searched(),
        EvseStatus(status) if status in set(STATUSES) else None,
        location_id if location_id and 0 < location_id < 2**31 else None,
        Link(link) if link in set(Link) else None,
    )


def _is_silent(charger: Charger) -> bool:
    return is_silent(charger.last_seen_at, charger.heartbeat, now=utc_now())


@admin.get("/admin/chargers/<int:charger_id>")
@operator_required
def charger(charger_id: int) -> ResponseReturnValue:
    now = utc_now()
    box = own_charger(charger_id)
    evse_ids = [evse.id for evse in box.evses]
    pairs = [(box, evse) for evse in box.evses]
    name = "_charger.html" if "fragment" in request.args else "charger.html"
    return render_template(
        f"network/admin/{name}",
        charger=box,
        live=charger_topics(box),
        known=charger_now(reading(), box, now=now),
        address=socket_address(),
        statuses=statuses_of(reading(), pairs, now=now),
        blocks=live_blocks_on(reading(), evse_ids, now=now),
        names={evse.id: f"Point {evse.number}" for evse in box.evses},
        now=now,
    )


# ── adding ───────────────────────────────────────────────────────────────────────


@admin.get("/admin/locations/<int:location_id>/chargers/new")
@operator_required
def new_charger(location_id: int) -> ResponseReturnValue:
    place = own_location(location_id)
    waiting = parked_or_none(request.args.get("parked", ""))
    if waiting is None:
        return _form_page(ChargerForm(), place)
    return _form_page(ChargerForm.of_parked(waiting), place)


@admin.post("/admin/locations/<int:location_id>/chargers/new")
@operator_required
def add_charger(location_id: int) -> ResponseReturnValue:
    place = own_location(location_id)
    form = ChargerForm(request.form)
    details, by, now = form.details, current_user().id, utc_now()
    waits = form.takes_in and parked_or_none(details.identity) is not None

    def create(session: Session) -> int:
        box = create_charger(session, location_id=location_id, details=details, now=now)
        if waits:
            take_in(session, details.identity, box.id, by=by, now=now)
        return box.id

    try:
        charger_id = perform(create)
    except BadStation as refusal:
        form.refuse(refusal)
        return _form_page(form, place), 422
    except IdentityTaken as refusal:
        form.identity.errors = [refusal.message]
        return _form_page(form, place), http_status(refusal)
    except ParkedNotFound as refusal:  # Turned away, or taken in, a moment ago.
        form.form_errors.append(refusal.message)
        return _form_page(form, place), http_status(refusal)
    flash(TAKEN_IN if waits else ADDED, "success")
    return redirect(url_for(".charger", charger_id=charger_id), code=303)


# ── editing ──────────────────────────────────────────────────────────────────────


@admin.get("/admin/chargers/<int:charger_id>/edit")
@operator_required
def change_charger(charger_id: int) -> ResponseReturnValue:
    box = own_charger(charger_id)
    return _form_page(ChargerForm.of(box), box.location, box)


@admin.post("/admin/chargers/<int:charger_id>/edit")
@operator_required
def save_charger(charger_id: int) -> ResponseReturnValue:
    box = own_charger(charger_id)
    form = ChargerForm(request.form)
    try:
        perform(
            lambda session: edit_charger(
                session,
                charger_id=charger_id,
                details=form.details,
                version=form.seen_version,
            )
        )
    except BadStation as refusal:
        form.refuse(refusal)
        return _form_page(form, box.location, box), 422
    except IdentityTaken as refusal:
        form.identity.errors = [refusal.message]
        return _form_page(form, box.location, box), http_status(refusal)
    except EditedMeanwhile as refusal:
        form.compare_with(ChargerForm.of(box))
        return _form_page(form, box.location, box, refusal), http_status(refusal)
    flash("Saved.", "success")
    return redirect(url_for(".charger", charger_id=charger_id), code=303)


def _form_page(
    form: ChargerForm,
    place: Location,
    box: Charger | None = None,
    refusal: DomainError | None = None,
) -> str:
    return render_template(
        "network/admin/charger_form.html",
        form=form,
        location=place,
        charger=box,
        refusal=refusal,
    )
