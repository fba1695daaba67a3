"""Questions about tax documents. Nothing here changes anything."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from evcharge.invoices.models import TaxDocument
from evcharge.invoices.rules import DocumentKind, DocumentNotFound
from evcharge.payments.models import CheckoutItem, Payment
from evcharge.payments.rules import COLLECTED

ROWS_AT_A_TIME = 500


@dataclass(frozen=True)
class DocumentFilter:
    """`scope`: of these operators, None of all. Days as documents bear them."""

    scope: frozenset[int] | None
    kind: DocumentKind | None = None
    since: date | None = None
    until: date | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.scope is not None:
            found.append(TaxDocument.operator_id.in_(self.scope))
        if self.kind is not None:
            found.append(TaxDocument.kind == self.kind)
        if self.since is not None:
            found.append(TaxDocument.issued_on >= self.since)
        if self.until is not None:
            found.append(TaxDocument.issued_on < self.until)
        return found


def documents_of(
    session: Session, item_kind: str, item_id: UUID
) -> Sequence[TaxDocument]:
    """Return the papers about a booking or session, oldest first."""
    return session.scalars(
        select(TaxDocument)
        .where(TaxDocument.item_id == item_id, TaxDocument.item_kind == item_kind)
        .order_by(TaxDocument.issued_at, TaxDocument.id)
    ).all()


def document_by_id(session: Session, document_id: UUID) -> TaxDocument:
    """Raises: DocumentNotFound."""
    document = session.get(TaxDocument, document_id)
    if document is None:
        raise DocumentNotFound(document_id=document_id)
    return document


def document_of_user(session: Session, document_id: UUID, user_id: int) -> TaxDocument:
    """Raises: DocumentNotFound, also for somebody else's."""
    document = document_by_id(session, document_id)
    if document.user_id != user_id:
        raise DocumentNotFound(document_id=document_id)
    return document


def document_of_guest(
    session: Session, document_id: UUID, guest_id: UUID
) -> TaxDocument:
    """Raises: DocumentNotFound, also for somebody else's."""
    document = document_by_id(session, document_id)
    if document.guest_id != guest_id:
        raise DocumentNotFound(document_id=document_id)
    return document


def document_in_scope(
    session: Session, document_id: UUID, scope: Collection[int] | None
) -> TaxDocument:
    """Raises: DocumentNotFound, also for one of another operator."""
    document = document_by_id(session, document_id)
    if scope is not None and document.operator_id not in scope:
        raise DocumentNotFound(document_id=document_id)
    return document


def document_of_event_or_none(session: Session, event: str) -> TaxDocument | None:
    return session.scalar(select(TaxDocument).where(TaxDocument.event == event))


def receipts_of(
    session: Session, item_kind: str, item_id: UUID
) -> Sequence[TaxDocument]:
    papers = documents_of(session, item_kind, item_id)
    return [each for each in papers if each.kind == DocumentKind.RECEIPT_VOUCHER]


def payments_of(
    session: Session, item_kind: str, item_id: UUID
) -> Sequence[tuple[Payment, CheckoutItem]]:
    """Return the payments that came in for an item, oldest first."""
    rows = session.execute(
        select(Payment, CheckoutItem)
        .join(CheckoutItem, CheckoutItem.checkout_id == Payment.checkout_id)
        .where(
            CheckoutItem.item_id == item_id,
            CheckoutItem.kind == item_kind,
            Payment.status.in_(COLLECTED),
        )
        .order_by(Payment.paid_at, Payment.id)
    )
    return [(row[0], row[1]) for row in rows]


def count_documents(session: Session, wanted: DocumentFilter) -> int:
    query = select(func.count()).select_from(TaxDocument).where(*wanted.conditions)
    return session.scalar(query) or 0


def documents_matching(
    session: Session, wanted: DocumentFilter, *, offset: int, limit: int
) -> Sequence[TaxDocument]:
    """Return the newest first."""
    return session.scalars(_newest_first(wanted).offset(offset).limit(limit)).all()


def every_document(session: Session, wanted: DocumentFilter) -> Iterator[TaxDocument]:
    """Yield them by series and number, as returns list them."""
    return session.scalars(
        select(TaxDocument)
        .where(*wanted.conditions)
        .order_by(
            TaxDocument.supplier,
            TaxDocument.kind,
            TaxDocument.financial_year,
            TaxDocument.sequence,
        )
        .execution_options(yield_per=ROWS_AT_A_TIME)
    )


def _newest_first(wanted: DocumentFilter) -> Select[Any]:
    return (
        select(TaxDocument)
        .where(*wanted.conditions)
        .order_by(TaxDocument.issued_at.desc(), TaxDocument.id.desc())
    )
