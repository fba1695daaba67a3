"""What operators and hosts are owed by month, shares as agreed, payouts as made."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.accounts.queries import operator_by_id
from evcharge.accounts.rules import OperatorNotFound
from evcharge.billing.rules import Basis, Party
from evcharge.finance.admin.blueprint import admin
from evcharge.finance.forms import AgreementForm, PayoutForm
from evcharge.finance.queries.settlement import (
    Settlement,
    SiteLine,
    agreements_of,
    locations_of,
    payouts_of,
    settlements,
)
from evcharge.finance.rules import BadShare, Month, MoreThanOwed
from evcharge.finance.service import agree, record_payout, take_back_agreement
from evcharge.kernel.clock import utc_now
from evcharge.web.context import (
    admin_required,
    check_in_scope,
    current_user,
    operator_required,
    perform,
    reading,
)
from evcharge.web.spreadsheets import csv_answer

PAYOUTS_SHOWN = 50
HEADER = (
    "month",
    "operator",
    "location",
    "energy_kwh",
    "sales_with_tax_inr",
    "gst_inr",
    "sales_without_tax_inr",
    "platform_fee_inr",
    "host_share_inr",
    "waived_inr",
    "operator_inr",
    "paid_to_operator_inr",
    "paid_to_host_inr",
)


def _month() -> Month:
    return Month.read(request.args.get("month")) or Month.of(utc_now())


def _settled(month: Month, operator_id: int | None = None) -> list[Settlement]:
    return settlements(
        reading(),
        current_user().scope,
        since=month.since,
        until=month.until,
        operator_id=operator_id,
    )


@admin.get("/admin/settlement")
@operator_required
def settlement() -> ResponseReturnValue:
    month = _month()
    return render_template(
        "finance/admin/settlement.html",
        month=month,
        latest=Month.of(utc_now()),
        operators=_settled(month),
    )


@admin.get("/admin/settlement.csv")
@operator_required
def settlement_csv() -> ResponseReturnValue:
    month = _month()
    rows = _rows(month, _settled(month))
    return csv_answer(f"settlement-{month}.csv", HEADER, rows)


def _rows(
    month: Month, operators: Iterable[Settlement]
) -> Iterator[tuple[object, ...]]:
    for operator in operators:
        for site in operator.sites:
            yield (str(month), operator.name, site.name, *_figures(site))


def _figures(site: SiteLine) -> Iterator[Decimal]:
    figures = site.figures
    yield Decimal(figures.energy_wh) / 1000
    for paise in (
        figures.gross_paise,
        figures.gst_paise,
        figures.net_paise,
        figures.fee_paise,
        figures.host_paise,
        figures.waived_paise,
        figures.operator_paise,
        figures.paid_out_paise,
        figures.paid_to_hosts_paise,
    ):
        yield Decimal(paise) / 100


@admin.get("/admin/settlement/<int:operator_id>")
@operator_required
def settlement_of(operator_id: int) -> ResponseReturnValue:
    return _page(operator_id, PayoutForm(), AgreementForm())


def _page(operator_id: int, payout: PayoutForm, agreement: AgreementForm) -> str:
    check_in_scope(operator_id, OperatorNotFound(operator_id=operator_id))
    month = _month()
    found = _settled(month, operator_id)
    if not found:
        raise OperatorNotFound(operator_id=operator_id)
    locations = locations_of(reading(), operator_id)
    return render_template(
        "finance/admin/settlement_of.html",
        month=month,
        latest=Month.of(utc_now()),
        operator=found[0],
        agreements=agreements_of(reading(), operator_id),
        payouts=payouts_of(reading(), operator_id, limit=PAYOUTS_SHOWN),
        payout=payout.offer(found[0].name, locations),
        agreement=agreement.offer(locations),
    )


@admin.post("/admin/settlement/<int:operator_id>/payouts")
@admin_required
def pay_out(operator_id: int) -> ResponseReturnValue:
    operator_by_id(reading(), operator_id)
    form = PayoutForm(request.form).offer("", locations_of(reading(), operator_id))
    if form.validate():
        try:
            perform(
                lambda session: record_payout(
                    session,
                    payout_id=form.payout_id,
                    operator_id=operator_id,
                    location_id=form.location_id,
                    amount_paise=form.amount_paise,
                    reference=form.words,
                    by=current_user().id,
                    now=utc_now(),
                )
            )
        except MoreThanOwed as refusal:
            form.amount.errors = [refusal.message]
        else:
            flash("The payout is in the books.", "success")
            return _back(operator_id)
    return _page(operator_id, form, AgreementForm()), 422


@admin.post("/admin/settlement/<int:operator_id>/agreements")
@admin_required
def add_agreement(operator_id: int) -> ResponseReturnValue:
    operator_by_id(reading(), operator_id)
    form = AgreementForm(request.form).offer(locations_of(reading(), operator_id))
    now = utc_now()
    if form.validate():
        try:
            perform(
                lambda session: agree(
                    session,
                    operator_id=operator_id,
                    location_id=form.location_id,
                    party=Party(form.party.data),
                    payee=form.payee_name,
                    basis=Basis(form.basis.data),
                    value=form.hundredths,
                    valid_from=form.starts_at(now),
                    now=now,
                )
            )
        except BadShare as refusal:
            form.value.errors = [refusal.message]
        else:
            flash("It is agreed. Bills written so far stay as they are.", "success")
            return _back(operator_id)
    return _page(operator_id, PayoutForm(), form), 422


@admin.post("/admin/settlement/<int:operator_id>/agreements/<int:agreement_id>/drop")
@admin_required
def drop_agreement(operator_id: int, agreement_id: int) -> ResponseReturnValue:
    perform(lambda session: take_back_agreement(session, agreement_id, now=utc_now()))
    flash("The agreement is dropped; it had not begun.", "success")
    return _back(operator_id)


def _back(operator_id: int) -> ResponseReturnValue:
    return redirect(url_for(".settlement_of", operator_id=operator_id), code=303)
