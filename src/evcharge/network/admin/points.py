"""Adding and editing EVSEs and their plugs in the console."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from evcharge.kernel.errors import Conflict, DomainError
from evcharge.network.admin.blueprint import admin
from evcharge.network.admin.forms import (
    ConnectorForm,
    EvseForm,
    NewEvseForm,
    StationForm,
)
from evcharge.network.own import own_charger, own_evse
from evcharge.stations.models import Charger, Connector, Evse
from evcharge.stations.rules import (
    BadStation,
    ConnectorNotFound,
    EditedMeanwhile,
    LastConnector,
    NumberTaken,
)
from evcharge.stations.service import (
    add_connector,
    add_evse,
    edit_connector,
    edit_evse,
    remove_connector,
)
from evcharge.web.context import operator_required, perform
from evcharge.web.errors import http_status


@admin.get("/admin/chargers/<int:charger_id>/evses/new")
@operator_required
def new_evse(charger_id: int) -> ResponseReturnValue:
    box = own_charger(charger_id)
    number = max((evse.number for evse in box.evses), default=0) + 1
    return _evse_page(NewEvseForm(data={"number": str(number)}), box)


@admin.post("/admin/chargers/<int:charger_id>/evses/new")
@operator_required
def create_evse(charger_id: int) -> ResponseReturnValue:
    box = own_charger(charger_id)
    form = NewEvseForm(request.form)
    try:
        details, plug = form.checked_details()
        perform(
            lambda session: add_evse(
                session, charger_id=charger_id, details=details, connectors=[plug]
            )
        )
    except (BadStation, NumberTaken) as refusal:
        _show(form, refusal)
        return _evse_page(form, box), http_status(refusal)
    flash("The charging point is there. Drivers can book it.", "success")
    return _to_charger(box)


@admin.get("/admin/evses/<int:evse_id>/edit")
@operator_required
def change_evse(evse_id: int) -> ResponseReturnValue:
    evse = own_evse(evse_id)
    return _evse_page(EvseForm.of(evse), evse.charger, evse)


@admin.post("/admin/evses/<int:evse_id>/edit")
@operator_required
def save_evse(evse_id: int) -> ResponseReturnValue:
    evse = own_evse(evse_id)
    form = EvseForm(request.form)
    try:
        perform(
            lambda session: edit_evse(
                session,
                evse_id=evse_id,
                details=form.details,
                version=form.seen_version,
            )
        )
    except (BadStation, NumberTaken) as refusal:
        _show(form, refusal)
        return _evse_page(form, evse.charger, evse), http_status(refusal)
    except EditedMeanwhile as refusal:
        form.compare_with(EvseForm.of(evse))
        page = _evse_page(form, evse.charger, evse, refusal)
        return page, http_status(refusal)
    flash("Saved. Bookings already made keep their price.", "success")
    return _to_charger(evse.charger)


def _evse_page(
    form: EvseForm,
    box: Charger,
    evse: Evse | None = None,
    refusal: DomainError | None = None,
) -> str:
    return render_template(
        "network/admin/evse_form.html",
        form=form,
        charger=box,
        evse=evse,
        refusal=refusal,
    )


# ── plugs ────────────────────────────────────────────────────────────────────────


@admin.get("/admin/evses/<int:evse_id>/connectors/new")
@operator_required
def new_connector(evse_id: int) -> ResponseReturnValue:
    evse = own_evse(evse_id)
    number = max((plug.number for plug in evse.connectors), default=0) + 1
    form = ConnectorForm(data={"number": str(number), "version": str(evse.version)})
    return _connector_page(form, evse)


@admin.post("/admin/evses/<int:evse_id>/connectors/new")
@operator_required
def create_connector(evse_id: int) -> ResponseReturnValue:
    evse = own_evse(evse_id)
    form = ConnectorForm(request.form)
    try:
        details = form.details
        perform(
            lambda session: add_connector(
                session, evse_id=evse_id, details=details, version=form.seen_version
            )
        )
    except (BadStation, NumberTaken, EditedMeanwhile) as refusal:
        return _refused_connector(form, evse, refusal), http_status(refusal)
    flash("The plug is added.", "success")
    return _to_charger(evse.charger)


@admin.get("/admin/evses/<int:evse_id>/connectors/<int:connector_id>/edit")
@operator_required
def change_connector(evse_id: int, connector_id: int) -> ResponseReturnValue:
    evse = own_evse(evse_id)
    plug = _plug_of(evse, connector_id)
    return _connector_page(ConnectorForm.of(plug, version=evse.version), evse, plug)


@admin.post("/admin/evses/<int:evse_id>/connectors/<int:connector_id>/edit")
@operator_required
def save_connector(evse_id: int, connector_id: int) -> ResponseReturnValue:
    evse = own_evse(evse_id)
    plug = _plug_of(evse, connector_id)
    form = ConnectorForm(request.form)
    try:
        details = form.details
        perform(
            lambda session: edit_connector(
                session,
                evse_id=evse_id,
                connector_id=connector_id,
                details=details,
                version=form.seen_version,
            )
        )
    except (BadStation, NumberTaken, EditedMeanwhile) as refusal:
        return _refused_connector(form, evse, refusal, plug), http_status(refusal)
    flash("Saved.", "success")
    return _to_charger(evse.charger)


@admin.post("/admin/evses/<int:evse_id>/connectors/<int:connector_id>/remove")
@operator_required
def drop_connector(evse_id: int, connector_id: int) -> ResponseReturnValue:
    evse = own_evse(evse_id)
    plug = _plug_of(evse, connector_id)
    form = ConnectorForm.of(plug, version=evse.version)
    seen = ConnectorForm(request.form).seen_version
    try:
        perform(
            lambda session: remove_connector(
                session, evse_id=evse_id, connector_id=connector_id, version=seen
            )
        )
    except (LastConnector, EditedMeanwhile) as refusal:
        return _connector_page(form, evse, plug, refusal), http_status(refusal)
    flash("The plug is removed.", "success")
    return _to_charger(evse.charger)


def _plug_of(evse: Evse, connector_id: int) -> Connector:
    for plug in evse.connectors:
        if plug.id == connector_id:
            return plug
    raise ConnectorNotFound(connector_id=connector_id)


def _refused_connector(
    form: ConnectorForm,
    evse: Evse,
    refusal: BadStation | Conflict,
    plug: Connector | None = None,
) -> str:
    if isinstance(refusal, EditedMeanwhile):
        if plug is not None:
            form.compare_with(ConnectorForm.of(plug, version=evse.version))
        form.version.data = str(evse.version)
        return _connector_page(form, evse, plug, refusal)
    _show(form, refusal)
    return _connector_page(form, evse, plug)


def _connector_page(
    form: ConnectorForm,
    evse: Evse,
    plug: Connector | None = None,
    refusal: DomainError | None = None,
) -> str:
    return render_template(
        "network/admin/connector_form.html",
        form=form,
        evse=evse,
        plug=plug,
        refusal=refusal,
    )


# ── what all of them do ──────────────────────────────────────────────────────────


def _show(form: StationForm, refusal: BadStation | Conflict) -> None:
    if isinstance(refusal, BadStation):
        form.refuse(refusal)
    else:
        form["number"].errors = [refusal.message]


def _to_charger(box: Charger) -> Response:
    return redirect(url_for(".charger", charger_id=box.id), code=303)
