"""Where drivers say that their invoices are made out to a business."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.kernel.clock import utc_now
from evcharge.taxes import service
from evcharge.taxes.forms import BusinessForm
from evcharge.taxes.queries import tax_customer
from evcharge.web.context import current_user, login_required, perform, reading

pages = Blueprint("taxes", "evcharge.taxes", template_folder="templates")


@pages.get("/account/tax")
@login_required
def business() -> ResponseReturnValue:
    known = tax_customer(reading(), current_user().id)
    return _page(BusinessForm(obj=known))


@pages.post("/account/tax")
@login_required
def save_business() -> ResponseReturnValue:
    form, user_id = BusinessForm(request.form), current_user().id
    if not form.validate():
        return _page(form), 422
    perform(
        lambda session: service.invoice_business(
            session, user_id, form.business, now=utc_now()
        )
    )
    flash("Your next invoices are made out to this business.", "success")
    return redirect(url_for(".business"), code=303)


@pages.post("/account/tax/remove")
@login_required
def remove_business() -> ResponseReturnValue:
    user_id = current_user().id
    perform(lambda session: service.invoice_person(session, user_id))
    flash("Your next invoices are made out to you.", "success")
    return redirect(url_for(".business"), code=303)


def _page(form: BusinessForm) -> str:
    known = tax_customer(reading(), current_user().id)
    return render_template("taxes/business.html", form=form, known=known)
