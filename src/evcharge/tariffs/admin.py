"""Tariffs: prices, where they apply, what a charge would cost."""

import json
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import DomainError
from evcharge.tariffs import service
from evcharge.tariffs.forms import (
    AssignmentForm,
    CeilingForm,
    PreviewForm,
    PricesForm,
    TermsForm,
    paise,
    version_from_text,
)
from evcharge.tariffs.models import Tariff
from evcharge.tariffs.previews import Preview, preview_of, price_in_words
from evcharge.tariffs.queries import (
    Place,
    currents_of,
    places_of_operator,
    price_ceilings,
    tariff_in_scope,
    tariffs_in_scope,
)
from evcharge.tariffs.rules import Terms
from evcharge.tariffs.rules.ceilings import warnings
from evcharge.tariffs.rules.refusals import (
    PlaceNotFound,
    TariffChanged,
    TariffNotFound,
    ValidityInvalid,
)
from evcharge.tariffs.rules.simple import SimplePrices
from evcharge.tariffs.rules.terms import TermsInvalid
from evcharge.taxes.queries import operators_in_scope
from evcharge.web.context import (
    admin_required,
    current_user,
    operator_required,
    perform,
    reading,
)

admin = Blueprint("tariffs_admin", "evcharge.tariffs", template_folder="templates")


@admin.get("/admin/tariffs")
@operator_required
def tariffs() -> ResponseReturnValue:
    found = tariffs_in_scope(reading(), current_user().scope)
    return render_template(
        "tariffs/admin/tariffs.html",
        tariffs=[(each, name, price_in_words(each)) for each, name in found],
        now=utc_now(),
    )


# ── making and changing ──────────────────────────────────────────────────────────


@admin.get("/admin/tariffs/new")
@operator_required
def new_tariff() -> ResponseReturnValue:
    return render_template("tariffs/admin/new.html", form=_prices_form())


@admin.post("/admin/tariffs/new")
@operator_required
def add() -> ResponseReturnValue:
    # Only operators of theirs are among the choices; others fail validation.
    form = _prices_form()
    terms = _terms_of(form)
    if terms is None:
        return render_template("tariffs/admin/new.html", form=form), 422
    tariff_id = perform(
        lambda session: (
            service.add_tariff(
                session,
                operator_id=form.operator_id.data,
                name=form.name.data or "",
                terms=terms,
                now=utc_now(),
            ).id
        )
    )
    flash("The tariff is kept. Say now where it applies.", "success")
    return redirect(url_for(".tariff", tariff_id=tariff_id), code=303)


@admin.get("/admin/tariffs/<int:tariff_id>")
@operator_required
def tariff(tariff_id: int) -> ResponseReturnValue:
    return _page(_tariff(reading(), tariff_id))


@admin.post("/admin/tariffs/<int:tariff_id>")
@operator_required
def change(tariff_id: int) -> ResponseReturnValue:
    found = _tariff(reading(), tariff_id)
    form = PricesForm(request.form)
    del form.operator_id
    terms = _terms_of(form)
    if terms is None:
        return _page(found, prices=form), 422
    return _change(found, form, terms)


@admin.post("/admin/tariffs/<int:tariff_id>/terms")
@operator_required
def change_terms(tariff_id: int) -> ResponseReturnValue:
    found = _tariff(reading(), tariff_id)
    form = TermsForm(request.form)
    try:
        terms = form.read if form.validate() else None
    except TermsInvalid as refusal:
        form.terms.errors = [refusal.message]
        terms = None
    if terms is None:
        return _page(found, terms=form), 422
    return _change(found, form, terms)


def _change(
    found: Tariff, form: PricesForm | TermsForm, terms: Terms
) -> ResponseReturnValue:
    version = version_from_text(form.version.data)

    def act(session: Session) -> None:
        service.change_tariff(
            session,
            _tariff(session, found.id, lock=True),
            name=form.name.data or "",
            terms=terms,
            version=version,
            now=utc_now(),
        )

    try:
        perform(act)
    except TariffChanged as refusal:
        flash(refusal.message, "warning")
    else:
        flash("Kept. Bookings made before stay at their price.", "success")
    return redirect(url_for(".tariff", tariff_id=found.id), code=303)


@admin.post("/admin/tariffs/<int:tariff_id>/activity")
@operator_required
def set_activity(tariff_id: int) -> ResponseReturnValue:
    is_active = request.form.get("is_active") == "yes"
    perform(
        lambda session: service.set_active(
            session,
            _tariff(session, tariff_id, lock=True),
            is_active=is_active,
            now=utc_now(),
        )
    )
    flash("It applies again." if is_active else "It applies no longer.", "success")
    return redirect(url_for(".tariff", tariff_id=tariff_id), code=303)


# ── where it applies ─────────────────────────────────────────────────────────────


@admin.post("/admin/tariffs/<int:tariff_id>/assignments")
@operator_required
def assign(tariff_id: int) -> ResponseReturnValue:
    found, now = _tariff(reading(), tariff_id), utc_now()
    places = places_of_operator(reading(), found.operator_id)
    form = AssignmentForm(request.form).offer(places)
    if not form.validate():
        return _page(found, assignment=form), 422
    place, (since, until) = form.chosen, form.within(now)

    def act(session: Session) -> None:
        service.assign(
            session,
            _tariff(session, tariff_id, lock=True),
            location_id=place.location_id if place else None,
            evse_id=place.evse_id if place else None,
            valid_from=since,
            valid_until=until,
        )

    try:
        perform(act)
    except (PlaceNotFound, ValidityInvalid) as refusal:
        return _refused(found, form, refusal)
    flash("It applies there, for who comes from then on.", "success")
    return redirect(url_for(".tariff", tariff_id=tariff_id), code=303)


def _refused(
    found: Tariff, form: AssignmentForm, refusal: DomainError
) -> ResponseReturnValue:
    form.valid_until.errors = [refusal.message]
    return _page(found, assignment=form), 422


@admin.post("/admin/tariffs/<int:tariff_id>/assignments/<int:assignment_id>/end")
@operator_required
def end_assignment(tariff_id: int, assignment_id: int) -> ResponseReturnValue:
    def act(session: Session) -> None:
        found = _tariff(session, tariff_id, lock=True)
        own = [each for each in found.assignments if each.id == assignment_id]
        if not own:
            raise TariffNotFound(tariff_id=tariff_id)
        service.end_assignment(session, own[0], now=utc_now())

    perform(act)
    flash("It applies there no longer.", "success")
    return redirect(url_for(".tariff", tariff_id=tariff_id), code=303)


# ── ceilings ─────────────────────────────────────────────────────────────────────


@admin.get("/admin/ceilings")
@operator_required
def ceilings() -> ResponseReturnValue:
    return render_template(
        "tariffs/admin/ceilings.html", ceilings=price_ceilings(reading())
    )


@admin.post("/admin/ceilings/<current>/<period>")
@admin_required
def set_ceiling(current: str, period: str) -> ResponseReturnValue:
    form = CeilingForm(request.form)
    known = {(each.current, each.period) for each in price_ceilings(reading())}
    source = " ".join((form.source.data or "").split())
    if (current, period) not in known or not form.validate() or not source:
        flash("Give rupees per kWh, and who has said so.", "warning")
        return redirect(url_for(".ceilings"), code=303)
    perform(
        lambda session: service.set_ceiling(
            session,
            current,
            period,
            paise_per_kwh=paise(form.price.data) or 0,
            source=source[:200],
            now=utc_now(),
        )
    )
    flash("Prices are compared with it from now on.", "success")
    return redirect(url_for(".ceilings"), code=303)


# ── the page ─────────────────────────────────────────────────────────────────────


def _tariff(session: Session, tariff_id: int, *, lock: bool = False) -> Tariff:
    return tariff_in_scope(session, tariff_id, current_user().scope, lock=lock)


def _prices_form() -> PricesForm:
    operators = operators_in_scope(reading(), current_user().scope)
    return PricesForm(request.form).offer(operators)


def _terms_of(form: PricesForm) -> Terms | None:
    """Return what was typed; None, with an error at its field, if it cannot be."""
    if not form.validate():
        return None
    try:
        return form.terms
    except TermsInvalid as refusal:
        field = str(refusal.details.get("field"))
        place = form[field if field in form else "energy"]
        place.errors = [refusal.message]
        return None


def _page(
    found: Tariff,
    *,
    prices: PricesForm | None = None,
    terms: TermsForm | None = None,
    assignment: AssignmentForm | None = None,
) -> str:
    kept = Terms.from_json(found.terms)
    places = places_of_operator(reading(), found.operator_id)
    known = price_ceilings(reading())
    return render_template(
        "tariffs/admin/tariff.html",
        tariff=found,
        words=price_in_words(found),
        prices=prices or _filled(found, kept),
        terms=terms
        or TermsForm(
            name=found.name,
            version=str(found.version),
            terms=json.dumps(kept.as_json(), indent=2),
        ),
        assignment=assignment or AssignmentForm().offer(places),
        names=_names(found, places),
        preview=_preview(found, kept, places, now=utc_now()),
        warnings=[
            each
            for current in currents_of(reading(), found)
            for each in warnings(kept, current=current, ceilings=known)
        ],
        now=utc_now(),
    )


def _names(found: Tariff, places: list[Place]) -> dict[int, str]:
    """Return where each assignment lets the tariff apply."""
    of_point = {each.evse_id: each.name for each in places}
    of_location = {each.location_id: each.name for each in places if not each.evse_id}
    names = {}
    for each in found.assignments:
        if each.evse_id is not None:
            names[each.id] = of_point.get(each.evse_id, "A removed point")
        elif each.location_id is not None:
            names[each.id] = of_location.get(each.location_id, "A removed location")
        else:
            names[each.id] = "All locations of the operator"
    return names


def _filled(found: Tariff, kept: Terms) -> PricesForm | None:
    """None: these terms say more than the form has fields for."""
    simple = SimplePrices.of(kept)
    if simple is None or len(simple.bands) > len(PricesForm().rows):
        return None
    form = PricesForm(name=found.name, version=str(found.version))
    del form.operator_id
    form.fill(simple)
    return form


def _preview(
    found: Tariff, kept: Terms, places: list[Place], *, now: datetime
) -> Preview:
    form = PreviewForm(request.args)
    return preview_of(reading(), found, kept, form, places, now=now)
