"""What follows from a supply: a bill, its entries in the ledger, the rest sent back."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from evcharge.billing.models import Bill
from evcharge.billing.queries import bill_of, returned_by_refund, share_terms
from evcharge.billing.rules import Party, Supply
from evcharge.kernel.ids import new_id
from evcharge.kernel.jobs import enqueue
from evcharge.kernel.live import announce
from evcharge.ledger.rules import Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.payments.queries import lock_payers, refundable_parts
from evcharge.payments.rules import Payer
from evcharge.payments.service import open_due, refund_item
from evcharge.stations.models import Location
from evcharge.taxes.queries import SupplyTax, supply_tax
from evcharge.taxes.rules import Taxed, add_tax, take_tax_out
from evcharge.taxes.rules.parts import part_of

UNUSED = "You paid more than you used"


def bill(session: Session, supply: Supply, *, now: datetime) -> Bill:
    """Work out what a supply comes to, and settle it with what was paid for it.

    The rest goes back by itself; what is missing becomes a due. Billing the same
    booking or session again changes nothing and returns the first bill.
    """
    payer = Payer(supply.user_id, supply.guest_id)
    lock_payers(session, [payer])
    known = bill_of(session, supply.kind, supply.item_id)
    if known is not None:
        return known
    tax = supply_tax(
        session, supply.location_id, user_id=supply.user_id, at=supply.ends_at
    )
    taxed = _taxed(supply, tax)
    held = sum(
        part.left_paise
        for part in refundable_parts(session, supply.kind, supply.item_id)
    )
    row = _row(session, supply, tax, taxed, held, now=now)
    session.add(row)
    session.flush()
    post(session, _entries(row))
    _settle(session, row, payer, held, now=now)
    if row.total_paise:
        enqueue(session, "invoices.invoice", now=now, bill_id=str(row.id))
    announce(session, f"{supply.kind}:{supply.item_id}")
    return row


def _taxed(supply: Supply, tax: SupplyTax) -> Taxed:
    work_out = take_tax_out if supply.includes_tax else add_tax
    return work_out(supply.price_paise, tax.treatment)


def _row(
    session: Session,
    supply: Supply,
    tax: SupplyTax,
    taxed: Taxed,
    held_paise: int,
    *,
    now: datetime,
) -> Bill:
    operator_id = session.get_one(Location, supply.location_id).operator_id
    terms = share_terms(
        session,
        operator_id=operator_id,
        location_id=supply.location_id,
        at=supply.ends_at,
    )
    fee, host = (
        terms[party].of(taxed.net_paise, supply.energy_wh) if party in terms else 0
        for party in (Party.PLATFORM, Party.HOST)
    )
    return Bill(
        id=new_id(),
        kind=supply.kind,
        item_id=supply.item_id,
        reference=supply.reference,
        user_id=supply.user_id,
        guest_id=supply.guest_id,
        operator_id=operator_id,
        location_id=supply.location_id,
        evse_id=supply.evse_id,
        title=supply.title,
        starts_at=supply.starts_at,
        ends_at=supply.ends_at,
        energy_wh=supply.energy_wh,
        lines=[line.as_json() for line in supply.lines],
        includes_tax=supply.includes_tax,
        tax_percent=tax.treatment.percent,
        registration_id=tax.registration_id,
        place_of_supply=tax.place_of_supply,
        net_paise=taxed.net_paise,
        cgst_paise=taxed.cgst_paise,
        sgst_paise=taxed.sgst_paise,
        igst_paise=taxed.igst_paise,
        rounding_paise=taxed.rounding_paise,
        total_paise=taxed.total_paise,
        fee_paise=fee,
        host_paise=min(host, taxed.net_paise - fee),
        paid_paise=held_paise,
        due_paise=max(0, taxed.total_paise - held_paise),
        created_at=now,
    )


def _entries(row: Bill) -> Iterator[Entry]:
    gst = row.cgst_paise + row.sgst_paise + row.igst_paise
    operator = row.total_paise - gst - row.fee_paise - row.host_paise
    amounts = {
        EntryKind.SALE: row.total_paise - row.due_paise,
        EntryKind.SALE_DUE: row.due_paise,
        EntryKind.GST: gst,
        EntryKind.FEE: row.fee_paise,
        EntryKind.HOST: row.host_paise,
        EntryKind.OPERATOR: operator,
    }
    for kind, paise in amounts.items():
        yield Entry(
            kind,
            f"{kind}:{row.id}",
            paise,
            row.created_at,
            row.kind,
            row.item_id,
            row.location_id,
        )


def _settle(
    session: Session, row: Bill, payer: Payer, held_paise: int, *, now: datetime
) -> None:
    if held_paise > row.total_paise:
        refund_item(
            session,
            kind=row.kind,
            item_id=row.item_id,
            amount_paise=held_paise - row.total_paise,
            reason=UNUSED,
            now=now,
        )
    if row.due_paise:
        open_due(
            session,
            payer=payer,
            item_kind=row.kind,
            item_id=row.item_id,
            reference=row.reference,
            location_id=row.location_id,
            amount_paise=row.due_paise,
            reason=row.title,
            now=now,
        )


def take_back(session: Session, refund_id: UUID, *, now: datetime) -> None:
    """Take what goes back out of a bill from those who had shared it.

    In proportion, the operator bearing what rounding leaves over. Repeating it changes
    nothing; a refund out of an advance that nobody had earned takes nothing.
    """
    returned = returned_by_refund(session, refund_id)
    if returned is None:
        return
    entry, row = returned
    parts = {EntryKind.FEE_BACK: row.fee_paise, EntryKind.HOST_BACK: row.host_paise}
    back = {
        kind: entry.amount_paise * paise // row.total_paise
        for kind, paise in parts.items()
    }
    # To the paisa what the credit note says.
    back[EntryKind.GST_BACK] = part_of(_taxed_of(row), entry.amount_paise).tax_paise
    back[EntryKind.OPERATOR_BACK] = entry.amount_paise - sum(back.values())
    post(
        session,
        (
            Entry(
                kind,
                f"{kind}:{refund_id}",
                paise,
                now,
                row.kind,
                row.item_id,
                row.location_id,
            )
            for kind, paise in back.items()
        ),
    )


def _taxed_of(row: Bill) -> Taxed:
    return Taxed(
        row.net_paise,
        row.cgst_paise,
        row.sgst_paise,
        row.igst_paise,
        row.rounding_paise,
        row.total_paise,
    )
