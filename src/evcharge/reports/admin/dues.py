"""What drivers still owe, and letting them off."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.kernel.clock import utc_now
from evcharge.payments.rules import DueNotFound, ReasonMissing
from evcharge.payments.service import waive_due
from evcharge.reports.admin.payments import payments_admin
from evcharge.reports.queries.money import (
    count_dues,
    due_in_scope,
    dues_matching,
    owed_paise,
)
from evcharge.web.context import current_user, operator_required, perform, reading
from evcharge.web.paging import paging


@payments_admin.get("/admin/dues")
@operator_required
def dues() -> ResponseReturnValue:
    scope, is_open = current_user().scope, request.args.get("state") != "over"
    total = count_dues(reading(), scope, is_open=is_open)
    where = paging(request.args.get("page"), total=total)
    return render_template(
        "reports/admin/dues.html",
        lines=dues_matching(
            reading(),
            scope,
            is_open=is_open,
            limit=where.per_page,
            offset=where.offset,
        ),
        owed_paise=owed_paise(reading(), scope),
        is_open=is_open,
        paging=where,
    )


@payments_admin.post("/admin/dues/<uuid:due_id>/waive")
@operator_required
def waive(due_id: UUID) -> ResponseReturnValue:
    """The operator bears it, so the operator may say so."""
    user, reason = current_user(), request.form.get("reason", "")
    if due_in_scope(reading(), due_id, user.scope) is None:
        raise DueNotFound(due_id=due_id)
    try:
        perform(
            lambda session: waive_due(
                session, due_id, by=user.id, reason=reason, now=utc_now()
            )
        )
    except ReasonMissing as refusal:
        flash(refusal.message, "warning")
    else:
        flash("It is not asked for any more.", "success")
    return redirect(url_for(".dues"), code=303)
