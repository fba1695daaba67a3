"""A document as people read it: in words for the page, as PDF for whoever files it.

All of it comes from the row, none from the clock or the rest of the database, so that
a document looks tomorrow as it does today.
"""

import json
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import typst

import evcharge
from evcharge.invoices.models import TaxDocument
from evcharge.invoices.rules import LAW, TITLES, DocumentKind
from evcharge.invoices.rules.words import in_words
from evcharge.kernel.money import grouped, rupees

LAYOUT = Path(__file__).with_name("paper.typ")
# Built with what browsers load, by `make assets`.
FONTS = Path(evcharge.__file__).parent / "web" / "static" / "vendor"
METHODS = {"upi": "UPI", "card": "Card"}
PRECEDING = {
    DocumentKind.CREDIT_NOTE: "For invoice",
    DocumentKind.REFUND_VOUCHER: "For receipt voucher",
}

Pairs = list[tuple[str, str]]


def pdf(document: TaxDocument) -> bytes:
    """Return the document as PDF, A4."""
    return _compiled(document, "pdf")


def png(document: TaxDocument) -> bytes:
    """Return its first page as a picture."""
    return _compiled(document, "png")


def _compiled(document: TaxDocument, to: Literal["pdf", "png"]) -> bytes:
    return typst.compile(
        LAYOUT,
        root=LAYOUT.parent,
        font_paths=_fonts(),
        # What people typed goes in as data: typst never reads it as markup.
        sys_inputs={"document": json.dumps(in_print(document))},
        format=to,
        timestamp=datetime.combine(document.issued_on, time(), UTC),
    )


def filename(document: TaxDocument) -> str:
    return f"{document.number.replace('/', '-')}.pdf"


@cache
def _fonts() -> typst.Fonts:
    files = sorted(FONTS.glob("paper-*.ttf"))
    if not files:
        raise FileNotFoundError(f"No fonts for PDFs in {FONTS}: run `make assets`.")
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(FONTS)],
    )


def in_print(document: TaxDocument) -> dict[str, Any]:
    """Return all that is printed, every value a text (or a list of them)."""
    details, supplier = document.details, document.supplier_details
    return {
        "title": TITLES[document.kind],
        "number": document.number,
        "issued_on": _day(document.issued_on.isoformat()),
        "supplier": {
            "name": supplier["name"],
            "lines": _without_nothing(
                [
                    _unless_same(supplier["trade_name"], supplier["name"]),
                    supplier["address"],
                    f"State: {supplier['state']}",
                    _gstin(supplier["gstin"]) or "Not registered under GST",
                    supplier["phone"],
                ]
            ),
        },
        "customer": _customer(document.customer_details),
        "facts": _facts(document),
        "lines_heading": "Amount with tax" if details["includes_tax"] else "Amount",
        "lines": [_line(each) for each in details["lines"]],
        "sums": _sums(document),
        "total": rupees(document.total_paise),
        "words": in_words(document.total_paise),
        "settled": _settled(document),
        "payments": [_payment(each) for each in details["payments"]],
        "notes": _notes(document),
    }


def _customer(customer: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": customer["business"] or customer["name"],
        "lines": _without_nothing(
            [
                customer["business"] and customer["name"],
                customer["address"],
                customer["state"] and f"State: {customer['state']}",
                _gstin(customer["gstin"]),
                customer["email"],
            ]
        ),
    }


def _facts(document: TaxDocument) -> Pairs:
    details = document.details
    facts = [
        ("For", details.get("title", "")),
        ("Reference", details.get("reference", "")),
        ("When", _span(details)),
        ("Energy", _kwh(details.get("energy_wh", 0))),
        ("At", f"{details['location']}, {details['location_address']}"),
        ("Place of supply", details["place_of_supply"]),
        ("Service", f"SAC {details['sac']}, charging of electric vehicles"),
    ]
    if original := details.get("original"):
        name = PRECEDING[document.kind]
        facts.append((name, f"{original['number']} of {_day(original['issued_on'])}"))
        facts.append(("Reason", details["reason"]))
    return [(name, value) for name, value in facts if value]


def _line(line: dict[str, Any]) -> list[str]:
    quantity = f"{line['quantity']} {line['unit']}".strip()
    return [
        line["text"],
        quantity,
        _price(line["unit_price_paise"]),
        rupees(line["amount_paise"]),
    ]


def _sums(document: TaxDocument) -> Pairs:
    percent = Decimal(document.details["percent"])
    sums = [("Taxable value", rupees(document.net_paise))]
    if percent == 0:
        return sums
    if document.igst_paise or not document.cgst_paise:
        sums.append((f"IGST {_number(percent)} %", rupees(document.igst_paise)))
    else:
        half = _number(percent / 2)
        sums.append((f"CGST {half} %", rupees(document.cgst_paise)))
        sums.append((f"SGST {half} %", rupees(document.sgst_paise)))
    sums.append(("Rounding", rupees(document.rounding_paise)))
    return sums


def _settled(document: TaxDocument) -> Pairs:
    """Return how an invoice was paid: its advances, and what is still owed."""
    details = document.details
    if "due_paise" not in details:
        return []
    receipts = [
        (f"Receipt voucher {each['number']} of {_day(each['issued_on'])}", each)
        for each in details["receipts"]
    ]
    return [
        *((name, rupees(each["amount_paise"])) for name, each in receipts),
        ("Adjusted against advances", rupees(details["paid_paise"])),
        ("Still to pay", rupees(details["due_paise"])),
    ]


def _payment(payment: dict[str, Any]) -> str:
    method = METHODS.get(payment["method"] or "", payment["method"] or "Online")
    reference = payment["bank_reference"]
    name = f"{method} reference {reference}" if reference else method
    when = _moment(payment["paid_at"], LAW) if payment["paid_at"] else ""
    parts = (name, rupees(payment["amount_paise"]), when, payment["provider_ref"])
    return ", ".join(part for part in parts if part)


def _notes(document: TaxDocument) -> list[str]:
    notes = ["Tax is not payable on reverse charge."]
    if document.kind == DocumentKind.BILL_OF_SUPPLY:
        notes = ["The supplier is not registered under GST, so no tax is charged."]
    if document.rounding_paise:
        notes.append(
            "CGST and SGST are equal halves, rounded to the paisa; the price included"
            " tax, so the difference is stated as rounding."
        )
    else:
        notes.append("Each tax is rounded half up to the paisa.")
    notes.append("This is a computer-generated document and needs no signature.")
    return notes


def _gstin(number: str | None) -> str | None:
    return f"GSTIN: {number}" if number else None


def _unless_same(one: str, other: str) -> str | None:
    return None if one == other else one


def _without_nothing(lines: list[str | None]) -> list[str]:
    return [line for line in lines if line]


def _span(details: dict[str, Any]) -> str:
    if "starts_at" not in details:
        return ""
    zone = ZoneInfo(details["zone"])
    start, end = _moment(details["starts_at"], zone), _moment(details["ends_at"], zone)
    day, _, _clock = start.rpartition(", ")
    return f"{start}–{end.removeprefix(f'{day}, ')}"


def _moment(text: str, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(text).astimezone(zone)
    return f"{at.day} {at:%b %Y, %H:%M}"


def _day(text: str) -> str:
    day = datetime.fromisoformat(text)
    return f"{day.day} {day:%b %Y}"


def _kwh(energy_wh: int) -> str:
    return f"{Decimal(energy_wh) / 1000:.3f} kWh" if energy_wh else ""


def _price(paise: str) -> str:
    """A price may have parts of a paisa: ₹18.255; a least price is none of a unit."""
    if not paise:
        return ""
    price = (Decimal(paise) / 100).normalize()
    whole, _, rest = f"{price:f}".partition(".")
    return f"₹{grouped(int(whole))}.{rest.ljust(2, '0')}"


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"
