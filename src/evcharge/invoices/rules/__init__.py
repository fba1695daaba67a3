"""Which papers the law asks for, and how they are numbered. Plain Python."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from evcharge.kernel.errors import Conflict, NotFound
from evcharge.taxes.rules import Taxed

# A financial year begins on 1 April, where the law is made.
LAW = ZoneInfo("Asia/Kolkata")
APRIL = 4
MOST_NUMBERS = 9_999_999


class DocumentKind(StrEnum):
    """As the CGST Act, 2017, section 31, and its Rules, 46 to 53, name them."""

    TAX_INVOICE = "tax_invoice"
    CREDIT_NOTE = "credit_note"
    RECEIPT_VOUCHER = "receipt_voucher"
    REFUND_VOUCHER = "refund_voucher"
    # Of a supplier who is not registered: says so, and shows no tax.
    BILL_OF_SUPPLY = "bill_of_supply"


TITLES = {
    DocumentKind.TAX_INVOICE: "Tax invoice",
    DocumentKind.CREDIT_NOTE: "Credit note",
    DocumentKind.RECEIPT_VOUCHER: "Receipt voucher",
    DocumentKind.REFUND_VOUCHER: "Refund voucher",
    DocumentKind.BILL_OF_SUPPLY: "Bill of supply",
}
_PREFIXES = {
    DocumentKind.TAX_INVOICE: "TI",
    DocumentKind.CREDIT_NOTE: "CN",
    DocumentKind.RECEIPT_VOUCHER: "RV",
    DocumentKind.REFUND_VOUCHER: "FV",
    DocumentKind.BILL_OF_SUPPLY: "BS",
}


class DocumentNotFound(NotFound):
    code = "document_not_found"
    message = "There is no such document."


class SeriesFull(Conflict):
    code = "series_full"
    message = "This series has no numbers left in this financial year."


@dataclass(frozen=True)
class About:
    """What a document is about, and whose it is."""

    operator_id: int
    location_id: int
    user_id: int | None
    guest_id: UUID | None
    item_kind: str
    item_id: UUID


@dataclass(frozen=True)
class Draft:
    """A document before it has a number. One for each `event`."""

    event: str
    kind: DocumentKind
    supplier: str
    about: About
    taxed: Taxed
    supplier_details: dict[str, Any]
    customer_details: dict[str, Any]
    details: dict[str, Any]
    bill_id: UUID | None = None
    refund_id: UUID | None = None
    original_id: UUID | None = None


def issued_on(at: datetime) -> date:
    """Return the date a document bears: the one in India."""
    return at.astimezone(LAW).date()


def financial_year(day: date) -> int:
    """Return the year in which the financial year of a day began."""
    return day.year if day.month >= APRIL else day.year - 1


def number_of(kind: DocumentKind, year: int, sequence: int) -> str:
    """Return a number such as TI/26-27/0000123: the 16 characters the law allows.

    Raises: SeriesFull.
    """
    if sequence > MOST_NUMBERS:
        raise SeriesFull
    years = f"{year % 100:02d}-{(year + 1) % 100:02d}"
    return f"{_PREFIXES[kind]}/{years}/{sequence:07d}"
