"""Pages on which admins add operators and say who works for them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.accounts import service
from evcharge.accounts.admin.blueprint import admin
from evcharge.accounts.forms import MemberForm, OperatorForm, refuse
from evcharge.accounts.queries import (
    all_operators,
    member_counts,
    members_of,
    operator_by_id,
    user_by_email,
)
from evcharge.accounts.rules import (
    NotAnOperator,
    OperatorNameTaken,
    UserNotFound,
    spaced_phone,
)
from evcharge.kernel.clock import utc_now
from evcharge.web.context import admin_required, current_user, perform, reading


@admin.get("/admin/operators")
@admin_required
def operators() -> ResponseReturnValue:
    return render_template(
        "accounts/admin/operators.html",
        operators=all_operators(reading()),
        members=member_counts(reading()),
        spaced_phone=spaced_phone,
    )


@admin.get("/admin/operators/<int:operator_id>")
@admin_required
def operator(operator_id: int) -> ResponseReturnValue:
    return _operator_page(operator_id, MemberForm())


def _operator_page(operator_id: int, form: MemberForm) -> str:
    return render_template(
        "accounts/admin/operator.html",
        operator=operator_by_id(reading(), operator_id),
        members=members_of(reading(), operator_id),
        form=form,
        spaced_phone=spaced_phone,
    )


# ── adding and editing ───────────────────────────────────────────────────────────


@admin.get("/admin/operators/new")
@admin_required
def new_operator() -> ResponseReturnValue:
    return _form_page(OperatorForm())


@admin.post("/admin/operators/new")
@admin_required
def create_operator() -> ResponseReturnValue:
    form = OperatorForm(request.form)
    if not form.validate():
        return _form_page(form), 422
    try:
        operator_id = perform(
            lambda session: service.create_operator(
                session, name=form.clean_name, phone=form.phone_number, now=utc_now()
            )
        )
    except OperatorNameTaken as refusal:
        refuse(form.name, refusal)
        return _form_page(form), 409
    flash("The operator is there. Now add who works for it.", "success")
    return _back_to(operator_id)


@admin.get("/admin/operators/<int:operator_id>/edit")
@admin_required
def change_operator(operator_id: int) -> ResponseReturnValue:
    known = operator_by_id(reading(), operator_id)
    form = OperatorForm(data={"name": known.name, "phone": known.support_phone})
    return _form_page(form, operator_id)


@admin.post("/admin/operators/<int:operator_id>/edit")
@admin_required
def edit_operator(operator_id: int) -> ResponseReturnValue:
    form = OperatorForm(request.form)
    if not form.validate():
        return _form_page(form, operator_id), 422
    try:
        perform(
            lambda session: service.edit_operator(
                session,
                operator_id=operator_id,
                name=form.clean_name,
                phone=form.phone_number,
            )
        )
    except OperatorNameTaken as refusal:
        refuse(form.name, refusal)
        return _form_page(form, operator_id), 409
    flash("Saved.", "success")
    return _back_to(operator_id)


def _form_page(form: OperatorForm, operator_id: int | None = None) -> str:
    known = None if operator_id is None else operator_by_id(reading(), operator_id)
    return render_template(
        "accounts/admin/operator_form.html", form=form, operator=known
    )


# ── who works for it ─────────────────────────────────────────────────────────────


@admin.post("/admin/operators/<int:operator_id>/members")
@admin_required
def add_member(operator_id: int) -> ResponseReturnValue:
    form, actor_id = MemberForm(request.form), current_user().id
    if not form.validate():
        return _operator_page(operator_id, form), 422
    try:
        user = user_by_email(reading(), form.address)
        perform(
            lambda session: service.add_member(
                session,
                operator_id=operator_id,
                user_id=user.id,
                actor_id=actor_id,
                now=utc_now(),
            )
        )
    except (UserNotFound, NotAnOperator) as refusal:
        refuse(form.email, refusal)
        return _operator_page(operator_id, form), 422
    flash(f"{user.name} now sees this operator's network.", "success")
    return _back_to(operator_id)


@admin.post("/admin/operators/<int:operator_id>/members/<int:user_id>/remove")
@admin_required
def remove_member(operator_id: int, user_id: int) -> ResponseReturnValue:
    actor_id = current_user().id
    perform(
        lambda session: service.remove_member(
            session, operator_id=operator_id, user_id=user_id, actor_id=actor_id
        )
    )
    flash("They do not see this operator's network any more.", "success")
    return _back_to(operator_id)


def _back_to(operator_id: int) -> ResponseReturnValue:
    return redirect(url_for(".operator", operator_id=operator_id), code=303)
