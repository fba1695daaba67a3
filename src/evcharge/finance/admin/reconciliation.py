"""Days laid side by side, and what differs until somebody has said what it was."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.finance.admin.blueprint import admin
from evcharge.finance.models import Difference
from evcharge.finance.queries.reconciling import (
    count_open_differences,
    is_asked_for,
    open_differences,
    reconciled_days,
    resolved_differences,
)
from evcharge.finance.rules import DifferenceKind, NoteMissing
from evcharge.finance.service import resolve as explain
from evcharge.kernel.clock import utc_now
from evcharge.kernel.jobs import enqueue
from evcharge.web.context import admin_required, current_user, perform, reading
from evcharge.web.spreadsheets import csv_answer

JOB = "finance.reconcile"
DAYS_SHOWN = 14
MOST_SHOWN = 200
WORDS = {
    DifferenceKind.MISSING_HERE: "Not in our books",
    DifferenceKind.MISSING_THERE: "Not at the provider",
    DifferenceKind.AMOUNT: "Two amounts",
    DifferenceKind.LEDGER: "Not so in the ledger",
    DifferenceKind.DOCUMENT: "No tax invoice",
    DifferenceKind.STUCK: "Stuck",
}
HEADER = (
    "day",
    "kind",
    "provider",
    "subject",
    "ours_inr",
    "theirs_inr",
    "note",
    "found_at",
    "resolved_at",
    "resolution",
)


@admin.get("/admin/reconciliation")
@admin_required
def reconciliation() -> ResponseReturnValue:
    is_resolved = request.args.get("state") == "resolved"
    listed = resolved_differences if is_resolved else open_differences
    return render_template(
        "finance/admin/reconciliation.html",
        days=reconciled_days(reading(), limit=DAYS_SHOWN),
        differences=listed(reading(), limit=MOST_SHOWN),
        count=count_open_differences(reading()),
        is_resolved=is_resolved,
        is_checking=is_asked_for(reading(), JOB),
        words=WORDS,
    )


@admin.get("/admin/reconciliation.csv")
@admin_required
def reconciliation_csv() -> ResponseReturnValue:
    both = (
        *open_differences(reading(), limit=MOST_SHOWN),
        *resolved_differences(reading(), limit=MOST_SHOWN),
    )
    return csv_answer("differences.csv", HEADER, _rows(both))


def _rows(differences: Iterable[Difference]) -> Iterator[tuple[object, ...]]:
    for each in differences:
        yield (
            each.day.isoformat(),
            each.kind.value,
            each.provider,
            each.subject,
            _inr(each.ours_paise),
            _inr(each.theirs_paise),
            each.note,
            each.found_at.isoformat(timespec="seconds"),
            each.resolved_at and each.resolved_at.isoformat(timespec="seconds"),
            each.resolution,
        )


def _inr(paise: int | None) -> Decimal | None:
    return None if paise is None else Decimal(paise) / 100


@admin.post("/admin/reconciliation/check")
@admin_required
def check() -> ResponseReturnValue:
    now = utc_now()
    if not is_asked_for(reading(), JOB):
        perform(lambda session: enqueue(session, JOB, now=now))
    flash("Yesterday and today are compared in a moment. Look again then.", "info")
    return redirect(url_for(".reconciliation"), code=303)


@admin.post("/admin/reconciliation/<int:difference_id>/resolve")
@admin_required
def resolve(difference_id: int) -> ResponseReturnValue:
    note, by = request.form.get("note", ""), current_user().id
    try:
        perform(
            lambda session: explain(
                session, difference_id, by=by, note=note, now=utc_now()
            )
        )
    except NoteMissing as refusal:
        flash(refusal.message, "warning")
    else:
        flash("It is kept with what you wrote.", "success")
    return redirect(url_for(".reconciliation"), code=303)
