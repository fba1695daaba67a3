"""Numbers without gaps: given out by the transaction that writes the document."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.invoices.models import DocumentSeries, TaxDocument
from evcharge.invoices.queries import document_of_event_or_none
from evcharge.invoices.rules import (
    Draft,
    financial_year,
    issued_on,
    number_of,
)
from evcharge.kernel.db import insert_if_missing
from evcharge.kernel.ids import new_id
from evcharge.kernel.jobs import enqueue
from evcharge.kernel.live import announce


def issue(session: Session, draft: Draft, *, now: datetime) -> TaxDocument:
    """Give a document its number and write it down; the same event is the same one.

    Whoever else wants a number of the series waits until this has committed, or gets
    this number if it rolls back.
    """
    known = document_of_event_or_none(session, draft.event)
    if known is not None:
        return known
    series = _locked_series(session, draft, financial_year(issued_on(now)))
    # Somebody may have issued it while we waited for the series.
    known = document_of_event_or_none(session, draft.event)
    if known is not None:
        return known
    series.last_number += 1
    document = _written(draft, series, now)
    session.add(document)
    session.flush()
    announce(session, f"{document.item_kind}:{document.item_id}")
    if draft.customer_details.get("email"):
        enqueue(session, "invoices.mail", now=now, document_id=str(document.id))
    return document


def _locked_series(session: Session, draft: Draft, year: int) -> DocumentSeries:
    key = {
        "supplier": draft.supplier,
        "kind": draft.kind,
        "financial_year": year,
    }
    insert_if_missing(session, DocumentSeries, key | {"last_number": 0})
    return session.scalars(
        select(DocumentSeries)
        .filter_by(**key)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _written(draft: Draft, series: DocumentSeries, now: datetime) -> TaxDocument:
    year, sequence = series.financial_year, series.last_number
    return TaxDocument(
        id=new_id(),
        event=draft.event,
        kind=draft.kind,
        supplier=draft.supplier,
        financial_year=year,
        sequence=sequence,
        number=number_of(draft.kind, year, sequence),
        issued_on=issued_on(now),
        issued_at=now,
        bill_id=draft.bill_id,
        refund_id=draft.refund_id,
        original_id=draft.original_id,
        supplier_details=draft.supplier_details,
        customer_details=draft.customer_details,
        details=draft.details,
        **vars(draft.about),
        **vars(draft.taxed),
    )


def note_mailed(session: Session, document: TaxDocument, *, now: datetime) -> None:
    document.mailed_at = now
