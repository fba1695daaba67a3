"""Which papers the law asks for, and how they are numbered. Plain Python."""

from enum import StrEnum


class DocumentKind(StrEnum):
    """As the CGST Act, 2017, section 31, and its Rules, 46 to 53, name them."""

    TAX_INVOICE = "tax_invoice"
    CREDIT_NOTE = "credit_note"
    RECEIPT_VOUCHER = "receipt_voucher"
    REFUND_VOUCHER = "refund_voucher"
    # Of a supplier who is not registered: says so, and shows no tax.
    BILL_OF_SUPPLY = "bill_of_supply"
