"""The GSTINs of operators."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.accounts.forms import refuse
from evcharge.kernel.clock import utc_now
from evcharge.taxes import service
from evcharge.taxes.forms import RegistrationForm
from evcharge.taxes.queries import (
    operators_in_scope,
    registration_in_scope,
    registrations_in_scope,
)
from evcharge.taxes.rules.registrations import RegistrationKnown
from evcharge.web.context import current_user, operator_required, perform, reading

admin = Blueprint("taxes_admin", "evcharge.taxes", template_folder="templates")


@admin.get("/admin/tax")
@operator_required
def registrations() -> ResponseReturnValue:
    return _page(_form())


@admin.post("/admin/tax")
@operator_required
def register() -> ResponseReturnValue:
    # Only operators of theirs are among the choices; others fail validation.
    form = _form()
    if not form.validate():
        return _page(form), 422
    try:
        perform(
            lambda session: service.register(
                session, form.operator_id.data, form.registrant, now=utc_now()
            )
        )
    except RegistrationKnown as refusal:
        refuse(form.gstin, refusal)
        return _page(form), 409
    flash("Invoices from now on are under this GSTIN.", "success")
    return redirect(url_for(".registrations"), code=303)


@admin.post("/admin/tax/<int:registration_id>/end")
@operator_required
def end(registration_id: int) -> ResponseReturnValue:
    scope = current_user().scope
    perform(
        lambda session: service.end_registration(
            session,
            registration_in_scope(session, registration_id, scope),
            now=utc_now(),
        )
    )
    flash("No tax is charged under this GSTIN any more.", "success")
    return redirect(url_for(".registrations"), code=303)


def _form() -> RegistrationForm:
    operators = operators_in_scope(reading(), current_user().scope)
    return RegistrationForm(request.form).offer(operators)


def _page(form: RegistrationForm) -> str:
    return render_template(
        "taxes/admin/registrations.html",
        form=form,
        registrations=registrations_in_scope(reading(), current_user().scope),
    )
