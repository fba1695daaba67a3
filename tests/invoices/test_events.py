"""Which event calls for which document, and what that says."""

import pytest
from sqlalchemy import select

from evcharge.invoices.models import TaxDocument
from evcharge.invoices.queries import documents_of
from evcharge.invoices.rules import DocumentKind
from evcharge.invoices.service import credit_or_refund_voucher, invoice, receipt
from evcharge.kernel.ids import new_id
from evcharge.kernel.jobs import Job
from evcharge.ledger.rules import Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.payments.models import Refund
from evcharge.payments.rules import ItemKind
from evcharge.stations.models import Evse, Location
from evcharge.taxes.models import TaxRegistration
from make import NOON
from papers import KARNATAKA, a_bill, a_business, a_payment


@pytest.fixture
def write(database, shop):
    with database.transaction() as session:
        yield session


@pytest.fixture
def pay(write, shop):
    location = write.get_one(Location, shop.location_id)

    def make(**columns):
        return a_payment(write, location, user_id=shop.user_id, **columns)

    return make


@pytest.fixture
def bill(write, shop):
    evse = write.get_one(Evse, shop.evse_id)

    def make(**columns):
        return a_bill(
            write,
            evse,
            **{
                "user_id": shop.user_id,
                "registration_id": shop.registration_id,
                **columns,
            },
        )

    return make


def refund(session, payment, item, amount_paise, *kinds):
    """Promise money back; `kinds` with amounts are what the ledger says of it."""
    row = Refund(
        id=new_id(),
        payment_id=payment.id,
        kind=item.kind,
        item_id=item.item_id,
        amount_paise=amount_paise,
        reason="You cancelled",
        created_at=NOON,
    )
    session.add(row)
    session.flush()
    about = (NOON, item.kind, item.item_id, item.location_id)
    post(
        session,
        [Entry(kind, f"{kind}:{row.id}", paise, *about) for kind, paise in kinds],
    )
    return row


def test_an_invoice_says_who_supplied_what_to_whom_and_where(write, shop, bill):
    a_business(write, shop.user_id)

    paper = invoice(write, bill().id, now=NOON)

    assert paper.kind == DocumentKind.TAX_INVOICE
    assert paper.number == "TI/25-26/0000001"
    assert paper.supplier_details["gstin"] == paper.supplier == KARNATAKA
    assert paper.supplier_details["name"] == "Test Power Private Limited"
    assert paper.customer_details["business"] == "Rao and Sons"
    assert paper.customer_details["state"] == "Maharashtra (27)"
    assert paper.details["place_of_supply"] == "Karnataka (29)"
    assert paper.details["sac"] == "998714"
    assert paper.total_paise == 11_800


def test_an_invoice_names_the_advances_and_how_they_were_paid(write, pay, bill):
    payment, item = pay()
    voucher = receipt(write, payment.id, item.item_id, now=NOON)

    paper = invoice(write, bill(item_id=item.item_id).id, now=NOON)

    assert [each["number"] for each in paper.details["receipts"]] == [voucher.number]
    assert paper.details["payments"][0]["bank_reference"] == "432198765432"
    assert paper.details["payments"][0]["method"] == "upi"


def test_a_bill_of_nothing_has_no_invoice(write, bill):
    nothing = dict.fromkeys(
        ["net_paise", "cgst_paise", "sgst_paise", "total_paise", "paid_paise"], 0
    )

    assert invoice(write, bill(**nothing).id, now=NOON) is None


def test_an_advance_has_a_receipt_voucher_with_the_tax_within_it(write, pay):
    payment, item = pay()

    paper = receipt(write, payment.id, item.item_id, now=NOON)

    assert paper.kind == DocumentKind.RECEIPT_VOUCHER
    assert paper.number == "RV/25-26/0000001"
    assert (paper.net_paise, paper.cgst_paise, paper.sgst_paise) == (10_000, 900, 900)


def test_an_event_told_twice_has_one_document(write, pay, bill):
    payment, item = pay()
    once = bill()

    assert receipt(write, payment.id, item.item_id, now=NOON) is receipt(
        write, payment.id, item.item_id, now=NOON
    )
    assert invoice(write, once.id, now=NOON) is invoice(write, once.id, now=NOON)


def test_whoever_looks_at_a_booking_is_told_of_its_new_document(database, shop):
    published = []
    database.publish = published.extend
    with database.transaction() as session:
        location = session.get_one(Location, shop.location_id)
        payment, item = a_payment(session, location, user_id=shop.user_id)
        ids = payment.id, item.item_id
    published.clear()

    database.perform(lambda session: receipt(session, *ids, now=NOON))

    assert published == [f"booking:{item.item_id}"]


def test_what_is_owed_is_no_advance(write, pay):
    payment, item = pay(kind=ItemKind.DUE)

    assert receipt(write, payment.id, item.item_id, now=NOON) is None


def test_an_advance_that_goes_back_has_a_refund_voucher_after_its_receipt(write, pay):
    payment, item = pay()
    back = refund(write, payment, item, 5_900, (EntryKind.REFUND, 5_900))

    [paper] = credit_or_refund_voucher(write, back.id, now=NOON)

    original, found = documents_of(write, item.kind, item.item_id)
    assert found is paper
    assert paper.kind == DocumentKind.REFUND_VOUCHER
    assert paper.original_id == original.id
    assert paper.details["original"]["number"] == original.number
    assert (paper.net_paise, paper.cgst_paise, paper.total_paise) == (5_000, 450, 5_900)


def test_what_goes_back_of_an_invoice_has_a_credit_note(write, pay, bill):
    payment, item = pay()
    whole = bill(item_id=item.item_id)
    back = refund(write, payment, item, 11_800, (EntryKind.RETURN, 11_800))

    [paper] = credit_or_refund_voucher(write, back.id, now=NOON)

    assert paper.kind == DocumentKind.CREDIT_NOTE
    assert paper.bill_id == whole.id
    assert (paper.net_paise, paper.cgst_paise, paper.sgst_paise) == (10_000, 900, 900)
    assert credit_or_refund_voucher(write, back.id, now=NOON) == [paper]


def test_a_refund_of_both_has_both(write, pay, bill):
    payment, item = pay()
    bill(item_id=item.item_id)
    back = refund(
        write,
        payment,
        item,
        3_000,
        (EntryKind.REFUND, 1_000),
        (EntryKind.RETURN, 2_000),
    )

    papers = credit_or_refund_voucher(write, back.id, now=NOON)

    assert [(paper.kind, paper.total_paise) for paper in papers] == [
        (DocumentKind.REFUND_VOUCHER, 1_000),
        (DocumentKind.CREDIT_NOTE, 2_000),
    ]


def test_who_is_not_registered_gives_no_vouchers_and_bills_without_tax(
    write, shop, pay, bill
):
    write.get_one(TaxRegistration, shop.registration_id).ended_at = NOON
    payment, item = pay()
    free_of_tax = {"net_paise": 11_800, "cgst_paise": 0, "sgst_paise": 0}

    assert receipt(write, payment.id, item.item_id, now=NOON) is None
    paper = invoice(
        write, bill(registration_id=None, tax_percent=0, **free_of_tax).id, now=NOON
    )
    assert paper.kind == DocumentKind.BILL_OF_SUPPLY
    assert paper.supplier_details["gstin"] is None


def test_each_document_is_mailed_by_one_job(write, bill):
    paper = invoice(write, bill().id, now=NOON)
    invoice(write, paper.bill_id, now=NOON)

    jobs = write.scalars(select(Job).where(Job.name == "invoices.mail")).all()
    assert [job.details for job in jobs] == [{"document_id": str(paper.id)}]
    assert len(write.scalars(select(TaxDocument)).all()) == 1
