"""Money that came in and went back, as operators look through it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.kernel.clock import utc_now
from evcharge.payments.rules import PaymentStatus, RefundNotFound, RefundStatus
from evcharge.payments.service import retry_refund
from evcharge.reports.queries import revenue_between
from evcharge.reports.queries.money import (
    MoneyFilter,
    MoneyLine,
    count_payments,
    count_refunds,
    every_payment,
    every_refund,
    payments_matching,
    refund_in_scope,
    refunds_matching,
)
from evcharge.web.context import (
    admin_required,
    current_user,
    operator_required,
    perform,
    reading,
)
from evcharge.web.formats import INDIA
from evcharge.web.paging import paging
from evcharge.web.periods import CHOICES, USUAL, period_from_query
from evcharge.web.spreadsheets import streamed_csv

payments_admin = Blueprint(
    "payments_admin", "evcharge.reports", template_folder="templates"
)

Kind = Literal["payments", "refunds"]

PERIODS = (*CHOICES, ("all", "All times"))
STATUSES: dict[Kind, dict[str, str]] = {
    "payments": {
        PaymentStatus.PAID: "Paid",
        PaymentStatus.PARTIALLY_REFUNDED: "Partly refunded",
        PaymentStatus.REFUNDED: "Refunded",
        PaymentStatus.PENDING: "Not paid",
        PaymentStatus.FAILED: "Payment failed",
        PaymentStatus.CANCELLED: "Payment stopped",
    },
    "refunds": {
        RefundStatus.CREATED: "To be sent",
        RefundStatus.SENT: "On its way",
        RefundStatus.DONE: "Sent back",
        RefundStatus.FAILED: "Failed",
    },
}
HEADER = (
    "id",
    "at",
    "status",
    "amount_inr",
    "note",
    "failure",
    "reference",
    "location",
    "driver",
    "email",
)


@dataclass(frozen=True)
class Asked:
    """The filters as the address has them; what means nothing filters nothing."""

    kind: Kind
    status: str | None
    period: str

    @classmethod
    def here(cls) -> "Asked":
        kind: Kind = "refunds" if request.args.get("kind") == "refunds" else "payments"
        status, period = request.args.get("status"), request.args.get("period")
        return cls(
            kind=kind,
            status=status if status in STATUSES[kind] else None,
            period=period if period in dict(PERIODS) else USUAL,
        )

    def link(self, **changes: object) -> dict[str, object]:
        return {**vars(self), **changes}

    @property
    def filter(self) -> MoneyFilter:
        scope = current_user().scope
        statuses = RefundStatus if self.kind == "refunds" else PaymentStatus
        status = statuses(self.status) if self.status else None
        if self.period == "all":
            return MoneyFilter(scope, status)
        period = period_from_query(self.period, now=utc_now())
        return MoneyFilter(scope, status, period.since, period.until)


@payments_admin.get("/admin/payments")
@operator_required
def payments() -> ResponseReturnValue:
    asked = Asked.here()
    wanted = asked.filter
    is_refunds = asked.kind == "refunds"
    count, lines = (
        (count_refunds, refunds_matching)
        if is_refunds
        else (count_payments, payments_matching)
    )
    where = paging(request.args.get("page"), total=count(reading(), wanted))
    return render_template(
        "reports/admin/payments.html",
        lines=lines(reading(), wanted, limit=where.per_page, offset=where.offset),
        revenue=revenue_between(
            reading(), wanted.scope, since=wanted.since, until=wanted.until
        ),
        asked=asked,
        statuses=STATUSES[asked.kind],
        periods=PERIODS,
        paging=where,
    )


@payments_admin.get("/admin/payments.csv")
@operator_required
def payments_csv() -> ResponseReturnValue:
    asked = Asked.here()
    every = every_refund if asked.kind == "refunds" else every_payment
    wanted = asked.filter
    return streamed_csv(
        f"{asked.kind}.csv", HEADER, lambda session: _rows(every(session, wanted))
    )


def _rows(lines: Iterable[MoneyLine]) -> Iterator[tuple[object, ...]]:
    for line in lines:
        yield (
            str(line.id),
            line.at.astimezone(INDIA).isoformat(timespec="seconds"),
            line.status.value,
            Decimal(line.amount_paise) / 100,
            line.note,
            line.failure,
            line.reference,
            line.location_name,
            line.driver_name,
            line.driver_email,
        )


@payments_admin.post("/admin/refunds/<uuid:refund_id>/retry")
@admin_required
def retry(refund_id: UUID) -> ResponseReturnValue:
    if refund_in_scope(reading(), refund_id, current_user().scope) is None:
        raise RefundNotFound(refund_id=refund_id)
    perform(lambda session: retry_refund(session, refund_id, now=utc_now()))
    flash("The refund is sent again in a moment.", "success")
    failed = url_for(".payments", kind="refunds", status="FAILED", period="all")
    return redirect(failed, code=303)
