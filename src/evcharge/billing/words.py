"""A bill as people read it: rows of a table, and what is said of its tax."""

from evcharge.billing.models import Bill
from evcharge.tariffs.rules import line_label


def rows_of(bill: Bill) -> list[tuple[str, int]]:
    """Return label and paise of each row; together they are the total."""
    rows = [
        (
            line_label(line["text"], line["quantity"], line["unit"]),
            int(line["amount_paise"]),
        )
        for line in bill.lines
    ]
    if bill.includes_tax:
        return rows
    return rows + _taxes(bill)


def tax_words(bill: Bill) -> str:
    """Say which tax is in the total."""
    if not bill.tax_percent:
        return "No tax is charged"
    if bill.includes_tax:
        return f"{bill.tax_percent} % GST included"
    return f"With {bill.tax_percent} % GST"


def _taxes(bill: Bill) -> list[tuple[str, int]]:
    half = f"{bill.tax_percent / 2:g} %"
    taxes = (
        (f"CGST {half}", bill.cgst_paise),
        (f"SGST {half}", bill.sgst_paise),
        (f"IGST {bill.tax_percent} %", bill.igst_paise),
    )
    return [(label, paise) for label, paise in taxes if paise]
