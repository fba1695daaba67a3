from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from evcharge.invoices.rules import TITLES, DocumentKind
from evcharge.kernel.db import Base, UtcDateTime


class DocumentSeries(Base):
    """The last number given out. Its row is the lock that keeps numbers without gaps:
    it is raised in the transaction that writes the document, or not at all."""

    __tablename__ = "document_series"

    # A GSTIN, or `operator-<id>` for one who is not registered.
    supplier: Mapped[str] = mapped_column(String(20), primary_key=True)
    kind: Mapped[DocumentKind] = mapped_column(primary_key=True)
    financial_year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_number: Mapped[int]


class TaxDocument(Base):
    """An invoice, credit note or voucher as it was issued. Never changed.

    `supplier_details`, `customer_details`, `details`: all that is printed, so that the
    PDF made tomorrow is the one made today. `financial_year` 2026 began in April 2026.
    """

    __tablename__ = "tax_documents"
    __table_args__ = (
        UniqueConstraint("supplier", "kind", "financial_year", "sequence"),
        # One document for each event: `invoice:<bill>`, `receipt:<payment>:<item>` …
        UniqueConstraint("event"),
        Index(None, "item_id", "item_kind"),
        Index(None, "user_id", "issued_at"),
        Index(None, "operator_id", "issued_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(String(120))
    kind: Mapped[DocumentKind]
    supplier: Mapped[str] = mapped_column(String(20))
    financial_year: Mapped[int]
    sequence: Mapped[int]
    number: Mapped[str] = mapped_column(String(16))
    issued_on: Mapped[date]
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("locations.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    guest_id: Mapped[UUID | None] = mapped_column(ForeignKey("guests.id"))
    item_kind: Mapped[str] = mapped_column(String(20))
    item_id: Mapped[UUID]
    bill_id: Mapped[UUID | None] = mapped_column(ForeignKey("bills.id"), index=True)
    refund_id: Mapped[UUID | None] = mapped_column(ForeignKey("refunds.id"))
    original_id: Mapped[UUID | None] = mapped_column(ForeignKey("tax_documents.id"))
    net_paise: Mapped[int]
    cgst_paise: Mapped[int]
    sgst_paise: Mapped[int]
    igst_paise: Mapped[int]
    rounding_paise: Mapped[int]
    total_paise: Mapped[int]
    supplier_details: Mapped[dict[str, Any]] = mapped_column(JSON)
    customer_details: Mapped[dict[str, Any]] = mapped_column(JSON)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    mailed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def title(self) -> str:
        return TITLES[self.kind]
