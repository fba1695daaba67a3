"""The documents of an operator's network, and the file an accountant asks for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from evcharge.invoices.answers import pdf_answer
from evcharge.invoices.models import TaxDocument
from evcharge.invoices.queries import (
    DocumentFilter,
    count_documents,
    document_in_scope,
    documents_matching,
    every_document,
)
from evcharge.invoices.rules import LAW, TITLES, DocumentKind
from evcharge.kernel.clock import utc_now
from evcharge.web.context import current_user, operator_required, reading
from evcharge.web.paging import paging
from evcharge.web.periods import CHOICES, USUAL, period_from_query
from evcharge.web.spreadsheets import streamed_csv

admin = Blueprint("invoices_admin", "evcharge.invoices", template_folder="templates")

PERIODS = (*CHOICES, ("all", "All times"))
KINDS = {kind.value: title for kind, title in TITLES.items()}
# What the returns of a month ask for: GSTR-1 lists documents, rates and places.
HEADER = (
    "document",
    "number",
    "date",
    "supplier_gstin",
    "customer_gstin",
    "customer_name",
    "place_of_supply",
    "place_code",
    "sac",
    "rate_percent",
    "taxable_inr",
    "cgst_inr",
    "sgst_inr",
    "igst_inr",
    "rounding_inr",
    "total_inr",
    "original_number",
    "original_date",
    "reason",
)


@dataclass(frozen=True)
class Asked:
    """The filters as the address has them; what means nothing filters nothing."""

    kind: str | None
    period: str

    @classmethod
    def here(cls) -> "Asked":
        kind, period = request.args.get("kind"), request.args.get("period")
        return cls(
            kind=kind if kind in KINDS else None,
            period=period if period in dict(PERIODS) else USUAL,
        )

    def link(self, **changes: object) -> dict[str, object]:
        return {**vars(self), **changes}

    @property
    def filter(self) -> DocumentFilter:
        kind = DocumentKind(self.kind) if self.kind else None
        scope = current_user().scope
        if self.period == "all":
            return DocumentFilter(scope, kind)
        period = period_from_query(self.period, now=utc_now())
        return DocumentFilter(
            scope,
            kind,
            since=period.since.astimezone(LAW).date(),
            until=(period.until.astimezone(LAW) + timedelta(days=1)).date(),
        )


@admin.get("/admin/documents")
@operator_required
def documents() -> ResponseReturnValue:
    asked = Asked.here()
    wanted = asked.filter
    where = paging(request.args.get("page"), total=count_documents(reading(), wanted))
    return render_template(
        "invoices/admin/documents.html",
        documents=documents_matching(
            reading(), wanted, offset=where.offset, limit=where.per_page
        ),
        titles=TITLES,
        kinds=KINDS,
        periods=PERIODS,
        asked=asked,
        paging=where,
    )


@admin.get("/admin/documents.csv")
@operator_required
def documents_csv() -> ResponseReturnValue:
    wanted = Asked.here().filter
    return streamed_csv(
        "documents.csv", HEADER, lambda session: _rows(every_document(session, wanted))
    )


@admin.get("/admin/documents/<uuid:document_id>.pdf")
@operator_required
def document_pdf(document_id: UUID) -> ResponseReturnValue:
    return pdf_answer(document_in_scope(reading(), document_id, current_user().scope))


def _rows(documents: Iterable[TaxDocument]) -> Iterator[tuple[object, ...]]:
    for document in documents:
        details, customer = document.details, document.customer_details
        original = details.get("original", {})
        amounts = (
            document.net_paise,
            document.cgst_paise,
            document.sgst_paise,
            document.igst_paise,
            document.rounding_paise,
            document.total_paise,
        )
        yield (
            TITLES[document.kind],
            document.number,
            document.issued_on.isoformat(),
            document.supplier_details["gstin"],
            customer["gstin"],
            customer["business"] or customer["name"],
            details["place_of_supply"],
            details["place_code"],
            details["sac"],
            details["percent"],
            *(Decimal(paise) / 100 for paise in amounts),
            original.get("number"),
            original.get("issued_on"),
            details.get("reason"),
        )
