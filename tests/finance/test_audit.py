"""Each check, seen to find exactly what it is for."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from evcharge.billing.models import Bill
from evcharge.bookings.models import Booking
from evcharge.bookings.service import complete_bookings
from evcharge.finance.audit import discrepancies, money
from evcharge.finance.jobs import backfill
from evcharge.finance.models import Payout
from evcharge.invoices.models import DocumentSeries, TaxDocument
from evcharge.invoices.rules import DocumentKind
from evcharge.kernel.ids import new_id
from evcharge.ledger.models import LedgerEntry
from evcharge.ledger.rules import Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.payments.models import CheckoutItem, Due, Payment, Refund
from evcharge.payments.rules import PaymentStatus, RefundStatus
from evcharge.taxes.models import TaxRegistration
from make import NOON, PRICE_PAISE, a_slot
from old_money import change_the_ledger, forget_the_ledger

LATER = NOON + timedelta(days=1)


@pytest.fixture
def history(database, desk):
    """One slot used and billed, one cancelled and sent back, one to come."""
    used, back, ahead = (desk.book(a_slot(after_hours=1)), None, None)
    desk.pay(used)
    back = desk.book(a_slot(after_hours=5))
    desk.pay(back)
    desk.cancel(back)
    ahead = desk.book(a_slot(after_hours=60))
    desk.pay(ahead)
    with database.transaction() as session:
        session.execute(
            update(Booking)
            .where(Booking.id == used.id)
            .values(session_started_at=NOON + timedelta(hours=1))
        )
        complete_bookings(session, now=NOON + timedelta(hours=3))
        session.execute(update(Refund).values(status=RefundStatus.DONE, done_at=NOON))
    forget_the_ledger(database)
    backfill(database, until=LATER.isoformat(), renew=lambda *_, **__: None)
    assert found(database) == []
    return used, back, ahead


def found(database, *, now=LATER):
    with database.reading() as session:
        return money(session, now=now)


def write(database, kind, key, paise, booking, **columns):
    with database.transaction() as session:
        location_id = session.scalar(select(CheckoutItem.location_id).limit(1))
        entry = Entry(
            kind, key, paise, columns.get("at", NOON), "booking", booking.id,
            location_id, "simulated",
        )  # fmt: skip
        assert post(session, [entry]) == 1


def bill_of(database):
    with database.reading() as session:
        return session.scalars(select(Bill)).one()


def test_a_payment_that_the_ledger_does_not_have(database, history):
    _, _, ahead = history
    with database.transaction() as session:
        key = session.scalar(
            select(LedgerEntry.key).where(
                LedgerEntry.item_id == ahead.id, LedgerEntry.kind == EntryKind.PAYMENT
            )
        )
    forget_the_ledger(database, key)

    assert found(database) == [
        f"booking {ahead.id}: payments and the ledger disagree by -12000 paise",
        "provider simulated: the ledger is -12000 paise off",
    ]


def test_a_payment_that_was_never_collected(database, history):
    _, _, ahead = history
    with database.transaction() as session:
        checkout_id = session.scalar(
            select(CheckoutItem.checkout_id).where(CheckoutItem.item_id == ahead.id)
        )
        session.execute(
            update(Payment)
            .where(Payment.checkout_id == checkout_id)
            .values(status=PaymentStatus.FAILED)
        )

    assert f"booking {ahead.id}: payments and the ledger disagree by 12000 paise" in (
        found(database)
    )


def test_a_refund_that_the_ledger_does_not_have(database, history):
    _, back, _ = history
    with database.transaction() as session:
        refund_id = session.scalars(select(Refund.id)).one()
    forget_the_ledger(database, f"refund:{refund_id}")

    assert found(database) == [
        f"booking {back.id}: refunds and the ledger disagree by -12000 paise",
        f"booking {back.id} is over, and 12000 paise of it are still held",
    ]


def test_a_refund_that_was_sent_without_the_ledger_knowing(database, history):
    _, back, _ = history
    with database.transaction() as session:
        refund_id = session.scalars(select(Refund.id)).one()
    forget_the_ledger(database, f"refund_sent:{refund_id}")

    assert found(database)[0] == (
        f"booking {back.id}: refunds sent and the ledger disagree by -12000 paise"
    )


def test_a_sale_that_is_not_the_bill(database, history):
    used, *_ = history
    change_the_ledger(
        database, "UPDATE ledger_entries SET amount_paise = 11000 WHERE kind = 'sale'"
    )

    assert found(database) == [
        f"booking {used.id}: the bill and the sale disagree by -1000 paise",
        f"booking {used.id}: the sale and its shares disagree by -1000 paise",
        f"booking {used.id} is over, and 1000 paise of it are still held",
    ]


def test_shares_that_do_not_add_up_to_the_sale(database, history):
    used, *_ = history
    write(database, EntryKind.FEE, "fee:twice", 500, used)

    assert found(database) == [
        f"booking {used.id}: the sale and its shares disagree by -500 paise"
    ]


def test_tax_that_is_not_on_the_bill(database, history):
    used, *_ = history
    write(database, EntryKind.GST, "gst:extra", 500, used)

    assert f"booking {used.id}: the bill and its tax disagree by 500 paise" in (
        found(database)
    )


def test_a_due_that_is_not_on_the_bill(database, history):
    used, *_ = history
    write(database, EntryKind.SALE_DUE, "sale_due:extra", 500, used)

    said = found(database)
    assert f"booking {used.id}: the bill and what is due disagree by 500 paise" in said
    assert "location 1: dues and ledger differ by 500 paise" in said


def test_more_used_than_paid(database, history):
    _, _, ahead = history
    write(database, EntryKind.REFUND, "refund:too-much", PRICE_PAISE + 1, ahead)

    assert f"booking {ahead.id}: 1 paise more were used than paid" in found(database)


def test_money_held_for_what_is_over(database, history):
    used, *_ = history
    bill = bill_of(database)
    forget_the_ledger(database, f"sale:{bill.id}", f"operator:{bill.id}")
    with database.transaction() as session:
        session.delete(session.get_one(Bill, bill.id))

    assert found(database) == [
        f"booking {used.id} is over, and 12000 paise of it are still held"
    ]
    # It has just ended: the job that bills it is given its time.
    assert found(database, now=used.ends_at + timedelta(minutes=59)) == []


def test_a_refund_of_what_was_earned_that_nobody_has_borne(database, history):
    used, *_ = history
    write(database, EntryKind.RETURN, "return:one", 500, used, at=NOON)

    said = f"booking {used.id}: nobody has borne 500 paise that went back"
    assert said in found(database)
    assert said not in found(database, now=NOON + timedelta(minutes=59))

    write(database, EntryKind.OPERATOR_BACK, "operator_back:one", 500, used)
    assert said not in found(database)


def test_a_payout_that_the_ledger_does_not_have(database, history, desk):
    payout_id = new_id()
    with database.transaction() as session:
        session.add(
            Payout(
                id=payout_id,
                operator_id=1,
                amount_paise=100,
                reference="UTR 1",
                created_at=NOON,
                created_by=desk.user_id,
            )
        )

    assert found(database) == [
        f"payout {payout_id}: payouts and the ledger disagree by -100 paise"
    ]


def test_more_taken_back_than_went_back(database, history):
    used, *_ = history
    write(database, EntryKind.FEE_BACK, "fee_back:one", 5, used)

    assert found(database) == [
        f"booking {used.id}: 5 paise more were taken back than went back"
    ]


def test_an_open_due_that_the_ledger_does_not_have(database, history, desk):
    used, *_ = history
    with database.transaction() as session:
        session.add(
            Due(
                id=new_id(),
                user_id=desk.user_id,
                item_kind="booking",
                item_id=used.id,
                reference=used.reference,
                location_id=1,
                amount_paise=700,
                reason="More was used",
                created_at=NOON,
            )
        )

    assert found(database) == ["location 1: dues and ledger differ by -700 paise"]


# ── papers ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def paper(database, history):
    """The bill has a registered supplier, a tax invoice, and its series."""
    bill = bill_of(database)
    with database.transaction() as session:
        registration = TaxRegistration(
            operator_id=bill.operator_id,
            gstin="29AAAAA0000A1Z5",
            state="Karnataka",
            legal_name="Test Power",
            address="12 MG Road",
            created_at=NOON,
        )
        session.add(registration)
        session.flush()
        session.get_one(Bill, bill.id).registration_id = registration.id
        session.add(
            DocumentSeries(
                supplier=registration.gstin,
                kind=DocumentKind.TAX_INVOICE,
                financial_year=2025,
                last_number=1,
            )
        )
        document = TaxDocument(
            id=new_id(),
            event=f"invoice:{bill.id}",
            kind=DocumentKind.TAX_INVOICE,
            supplier=registration.gstin,
            financial_year=2025,
            sequence=1,
            number="T/25-26/1",
            issued_on=NOON.date(),
            issued_at=NOON,
            operator_id=bill.operator_id,
            location_id=bill.location_id,
            user_id=bill.user_id,
            item_kind=bill.kind,
            item_id=bill.item_id,
            bill_id=bill.id,
            net_paise=bill.net_paise,
            cgst_paise=0,
            sgst_paise=0,
            igst_paise=0,
            rounding_paise=0,
            total_paise=bill.total_paise,
            supplier_details={},
            customer_details={},
            details={},
        )
        session.add(document)
    assert found(database) == []
    return document


def change(database, paper, **columns):
    with database.transaction() as session:
        session.execute(
            update(TaxDocument).where(TaxDocument.id == paper.id).values(columns)
        )


def test_a_bill_of_a_registered_supplier_without_an_invoice(database, history, paper):
    used, *_ = history
    with database.engine.begin() as connection:
        connection.execute(text("DELETE FROM tax_documents"))
        connection.execute(text("DELETE FROM document_series"))

    assert found(database) == [f"the bill of {used.reference} has no tax invoice"]
    assert found(database, now=used.ends_at + timedelta(minutes=59)) == []


def test_an_invoice_that_says_something_else_than_its_bill(database, paper):
    change(database, paper, total_paise=1)

    assert found(database) == ["tax invoice T/25-26/1 and its bill disagree"]


def test_a_series_with_a_gap(database, paper):
    change(database, paper, sequence=2)

    assert found(database) == [
        "the series of tax_invoice of 29AAAAA0000A1Z5 in 2025 has a gap"
    ]


def test_a_series_that_gave_out_a_number_for_nothing(database, paper):
    with database.transaction() as session:
        session.execute(update(DocumentSeries).values(last_number=2))

    assert found(database) == [
        "the series of tax_invoice of 29AAAAA0000A1Z5 in 2025 has a gap"
    ]


def test_tax_that_went_back_without_a_credit_note(database, history, paper):
    used, *_ = history
    write(database, EntryKind.RETURN, "return:one", 118, used)
    write(database, EntryKind.GST_BACK, "gst_back:one", 18, used)
    write(database, EntryKind.OPERATOR_BACK, "operator_back:one", 100, used)
    said = f"booking {used.id}: 18 paise of tax went back without a credit note"

    assert said in found(database)
    assert said not in found(database, now=NOON + timedelta(minutes=59))

    credit(database, paper, cgst_paise=9, sgst_paise=9)
    assert said not in found(database)


def test_a_credit_note_for_what_did_not_go_back(database, history, paper):
    used, *_ = history
    credit(database, paper, igst_paise=20)

    assert found(database) == [
        f"booking {used.id}: a credit note has 20 paise of tax that did not go back"
    ]


def credit(database, paper, **taxes):
    with database.transaction() as session:
        series = {"supplier": paper.supplier, "financial_year": 2025}
        note = DocumentKind.CREDIT_NOTE
        session.add(DocumentSeries(kind=note, last_number=1, **series))
        columns = {
            column.name: getattr(paper, column.name)
            for column in TaxDocument.__table__.columns
        }
        changes = {"id": new_id(), "event": "credit_note:1", "kind": note}
        changes |= {"number": "CN/25-26/1", "bill_id": None, "total_paise": 118}
        session.add(TaxDocument(**(columns | changes | taxes)))


def test_bookings_and_claims_are_looked_at_too(database, history):
    _, _, ahead = history
    with database.transaction() as session:
        session.execute(text("DELETE FROM slot_claims"))

    with database.reading() as session:
        assert discrepancies(session) == [
            f"bookings {ahead.id} does not own exactly its claims"
        ]
