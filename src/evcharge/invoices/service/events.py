"""What calls for a document: a bill, an advance, money that goes back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.billing.models import Bill
from evcharge.billing.queries import bill_of
from evcharge.invoices.models import TaxDocument
from evcharge.invoices.queries import receipts_of
from evcharge.invoices.rules import About, DocumentKind, Draft
from evcharge.invoices.service import snapshots
from evcharge.invoices.service.issuing import issue
from evcharge.ledger.models import LedgerEntry
from evcharge.payments.models import Checkout, CheckoutItem, Payment, Refund
from evcharge.payments.rules import ItemKind
from evcharge.stations.models import Location
from evcharge.taxes.models import TaxRegistration
from evcharge.taxes.queries import supply_tax
from evcharge.taxes.rules import Taxed, take_tax_out
from evcharge.taxes.rules.parts import part_of

# A due is owed for what has its invoice already.
ADVANCES = (ItemKind.BOOKING, ItemKind.SESSION)


def invoice(session: Session, bill_id: UUID, *, now: datetime) -> TaxDocument | None:
    """Issue the invoice of a bill, or the bill of supply of an unregistered supplier.

    A bill of nothing has none.
    """
    bill = session.get_one(Bill, bill_id)
    if bill.total_paise == 0:
        return None
    about = _about_bill(bill)
    receipts = receipts_of(session, bill.kind, bill.item_id)
    is_registered = bill.registration_id is not None
    draft = Draft(
        event=f"invoice:{bill.id}",
        kind=DocumentKind.TAX_INVOICE if is_registered else DocumentKind.BILL_OF_SUPPLY,
        supplier=_supplier_of(session, bill),
        about=about,
        taxed=_taxed(bill),
        supplier_details=snapshots.supplier(
            session, bill.registration_id, bill.location_id
        ),
        customer_details=snapshots.customer(session, about),
        details=snapshots.place(session, about, bill.place_of_supply, bill.tax_percent)
        | snapshots.about_bill(session, bill, receipts),
        bill_id=bill.id,
    )
    return issue(session, draft, now=now)


def receipt(
    session: Session, payment_id: UUID, item_id: UUID, *, now: datetime
) -> TaxDocument | None:
    """Issue the receipt voucher for an advance; only who is registered does."""
    payment, checkout, item = session.execute(
        select(Payment, Checkout, CheckoutItem)
        .join(Checkout, Checkout.id == Payment.checkout_id)
        .join(CheckoutItem, CheckoutItem.checkout_id == Checkout.id)
        .where(Payment.id == payment_id, CheckoutItem.item_id == item_id)
    ).one()
    if item.kind not in ADVANCES or item.location_id is None:
        return None
    tax = supply_tax(
        session,
        item.location_id,
        user_id=checkout.user_id,
        at=payment.paid_at or now,
    )
    if tax.registration_id is None:
        return None
    about = About(
        operator_id=session.get_one(Location, item.location_id).operator_id,
        location_id=item.location_id,
        user_id=checkout.user_id,
        guest_id=checkout.guest_id,
        item_kind=item.kind,
        item_id=item.item_id,
    )
    taxed = take_tax_out(item.amount_paise, tax.treatment)
    details = snapshots.place(
        session, about, tax.place_of_supply, tax.treatment.percent
    )
    draft = Draft(
        event=f"receipt:{payment.id}:{item.item_id}",
        kind=DocumentKind.RECEIPT_VOUCHER,
        supplier=tax.supplier,
        about=about,
        taxed=taxed,
        supplier_details=snapshots.supplier(
            session, tax.registration_id, item.location_id
        ),
        customer_details=snapshots.customer(session, about),
        details=details
        | {
            "title": checkout.description,
            "lines": snapshots.one_line("Advance for charging", taxed),
            "includes_tax": False,
            "payments": [snapshots.paid_by(payment, item.amount_paise)],
        },
    )
    return issue(session, draft, now=now)


def credit_or_refund_voucher(
    session: Session, refund_id: UUID, *, now: datetime
) -> list[TaxDocument]:
    """Issue what a refund calls for: a refund voucher for so much of it as was an
    advance, a credit note for so much as had been invoiced."""
    refund = session.get_one(Refund, refund_id)
    rows = session.execute(
        select(LedgerEntry.key, LedgerEntry.amount_paise).where(
            LedgerEntry.key.in_([f"refund:{refund_id}", f"return:{refund_id}"])
        )
    )
    amounts = {key: paise for key, paise in rows}  # noqa: C416 - rows are no pairs
    papers = [
        _refund_voucher(
            session, refund, amounts.get(f"refund:{refund_id}", 0), now=now
        ),
        _credit_note(session, refund, amounts.get(f"return:{refund_id}", 0), now=now),
    ]
    return [paper for paper in papers if paper is not None]


def _refund_voucher(
    session: Session, refund: Refund, amount_paise: int, *, now: datetime
) -> TaxDocument | None:
    if amount_paise == 0:
        return None
    # Its own job may not have run yet; a voucher refers to the receipt.
    original = receipt(session, refund.payment_id, refund.item_id, now=now)
    if original is None:
        return None
    return _paper_about(
        session,
        refund,
        original,
        DocumentKind.REFUND_VOUCHER,
        "Advance returned",
        amount_paise,
        now=now,
    )


def _credit_note(
    session: Session, refund: Refund, amount_paise: int, *, now: datetime
) -> TaxDocument | None:
    bill = bill_of(session, refund.kind, refund.item_id)
    if amount_paise == 0 or bill is None:
        return None
    original = invoice(session, bill.id, now=now)
    if original is None:
        return None
    return _paper_about(
        session,
        refund,
        original,
        DocumentKind.CREDIT_NOTE,
        "Charging, returned",
        amount_paise,
        now=now,
    )


def _paper_about(
    session: Session,
    refund: Refund,
    original: TaxDocument,
    kind: DocumentKind,
    text: str,
    amount_paise: int,
    *,
    now: datetime,
) -> TaxDocument:
    """A document that takes back part of another one: same parties, same taxes."""
    taxed = part_of(_taxed(original), amount_paise)
    payment = session.get_one(Payment, refund.payment_id)
    draft = Draft(
        event=f"{kind}:{refund.id}",
        kind=kind,
        supplier=original.supplier,
        about=About(
            operator_id=original.operator_id,
            location_id=original.location_id,
            user_id=original.user_id,
            guest_id=original.guest_id,
            item_kind=original.item_kind,
            item_id=original.item_id,
        ),
        taxed=taxed,
        supplier_details=original.supplier_details,
        customer_details=original.customer_details,
        details=_kept(original)
        | {
            "lines": snapshots.one_line(text, taxed),
            "includes_tax": False,
            "payments": [snapshots.paid_by(payment, amount_paise)],
            "original": snapshots.named(original),
            "reason": refund.reason,
        },
        bill_id=original.bill_id,
        refund_id=refund.id,
        original_id=original.id,
    )
    return issue(session, draft, now=now)


_KEPT = (
    *("sac", "percent", "place_of_supply", "place_code"),
    *("location", "location_address", "zone", "title", "reference"),
)


def _kept(original: TaxDocument) -> dict[str, object]:
    return {key: original.details[key] for key in _KEPT if key in original.details}


def _about_bill(bill: Bill) -> About:
    return About(
        operator_id=bill.operator_id,
        location_id=bill.location_id,
        user_id=bill.user_id,
        guest_id=bill.guest_id,
        item_kind=bill.kind,
        item_id=bill.item_id,
    )


def _supplier_of(session: Session, bill: Bill) -> str:
    if bill.registration_id is None:
        return f"operator-{bill.operator_id}"
    return session.get_one(TaxRegistration, bill.registration_id).gstin


def _taxed(row: Bill | TaxDocument) -> Taxed:
    return Taxed(
        row.net_paise,
        row.cgst_paise,
        row.sgst_paise,
        row.igst_paise,
        row.rounding_paise,
        row.total_paise,
    )
