"""Issuing tax documents. Callers open the transaction; an event makes one document."""

from evcharge.invoices.service.events import (
    credit_or_refund_voucher,
    invoice,
    receipt,
)
from evcharge.invoices.service.issuing import issue, note_mailed

__all__ = [
    "credit_or_refund_voucher",
    "invoice",
    "issue",
    "note_mailed",
    "receipt",
]
