"""Money from before there was a ledger."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from evcharge.billing.models import Bill
from evcharge.bookings.models import Booking
from evcharge.bookings.service import complete_bookings
from evcharge.finance.jobs import backfill
from evcharge.finance.service import write_old_money
from evcharge.kernel.jobs import LeaseLost
from evcharge.ledger.models import LedgerEntry
from evcharge.ledger.queries import balances
from evcharge.ledger.rules import Account, EntryKind
from evcharge.payments.models import CheckoutItem, Refund
from evcharge.payments.rules import RefundStatus
from make import NOON, PRICE_PAISE, a_slot
from old_money import forget_the_ledger

LATER = NOON + timedelta(days=1)


def run(database, **options):
    backfill(database, until=LATER.isoformat(), renew=lambda *_, **__: None, **options)


@pytest.fixture
def history(database, desk):
    """One slot used, one cancelled for nothing, one to come, one not paid."""
    used, back, ahead = (_paid(desk, hours) for hours in (1, 5, 30))
    desk.cancel(back)
    desk.start_paying(desk.book(a_slot(after_hours=8)))
    with database.transaction() as session:
        session.execute(
            update(Booking)
            .where(Booking.id == used.id)
            .values(session_started_at=NOON + timedelta(hours=1))
        )
        complete_bookings(session, now=NOON + timedelta(hours=3))
    forget_the_ledger(database)
    return used, back, ahead


def _paid(desk, hours):
    booking = desk.book(a_slot(after_hours=hours))
    desk.pay(booking)
    return booking


def kinds(database):
    with database.reading() as session:
        rows = session.execute(
            select(LedgerEntry.kind, func.count(), func.sum(LedgerEntry.amount_paise))
            .group_by(LedgerEntry.kind)
        )  # fmt: skip
        return {kind: (number, int(paise)) for kind, number, paise in rows}


def test_what_came_in_went_back_and_was_earned_is_written_down(database, history):
    run(database)

    assert kinds(database) == {
        EntryKind.PAYMENT: (3, 3 * PRICE_PAISE),
        EntryKind.REFUND: (1, PRICE_PAISE),
        EntryKind.SALE: (1, PRICE_PAISE),
        EntryKind.OPERATOR: (1, PRICE_PAISE),
    }


def test_it_says_whose_money_it_was_and_where(database, history):
    run(database)

    with database.reading() as session:
        location_id = session.scalar(select(CheckoutItem.location_id).distinct())
        entries = session.scalars(select(LedgerEntry)).all()
    assert location_id is not None
    assert {each.location_id for each in entries} == {location_id}
    assert None not in {each.operator_id for each in entries}


def test_a_refund_that_arrived_is_no_longer_owed(database, history):
    with database.transaction() as session:
        session.execute(
            update(Refund).values(status=RefundStatus.DONE, done_at=NOON)
        )  # fmt: skip
    run(database)

    with database.reading() as session:
        held = balances(session)
    assert held[Account.REFUNDS] == 0
    assert held[Account.GATEWAY] == 2 * PRICE_PAISE
    assert held[Account.ADVANCES] == -PRICE_PAISE


def test_running_it_again_changes_nothing(database, history):
    run(database)
    before = kinds(database)

    run(database)

    assert kinds(database) == before


def test_killed_half_way_it_goes_on(database, history):
    def die(*_, **__):
        raise LeaseLost

    with pytest.raises(LeaseLost):
        backfill(database, until=LATER.isoformat(), renew=die)
    run(database)

    assert kinds(database)[EntryKind.PAYMENT] == (3, 3 * PRICE_PAISE)
    assert kinds(database)[EntryKind.SALE] == (1, PRICE_PAISE)


def test_a_booking_that_ended_with_the_ledger_there_is_left_to_be_settled(
    database, history
):
    backfill(database, until=NOON.isoformat(), renew=lambda *_, **__: None)

    with database.reading() as session:
        assert session.scalar(select(func.count(Bill.id))) == 0


def test_the_bill_is_for_what_was_kept_and_has_no_tax(database, history):
    used, *_ = history
    run(database)

    with database.reading() as session:
        bill = session.scalars(select(Bill)).one()
    assert (bill.item_id, bill.total_paise, bill.net_paise) == (
        used.id,
        PRICE_PAISE,
        PRICE_PAISE,
    )
    assert bill.registration_id is None
    assert bill.lines[0]["text"] == "Booked slot"


def test_a_refund_out_of_what_was_earned_is_not_taken_for_an_older_one(
    database, history
):
    run(database)
    with database.transaction() as session:
        refund = session.scalars(select(Refund)).one()
        entry = session.scalars(
            select(LedgerEntry).where(LedgerEntry.kind == EntryKind.REFUND)
        ).one()
    forget_the_ledger(database, entry.key)
    with database.transaction() as session:
        session.add(
            LedgerEntry(
                key=f"return:{refund.id}",
                at=entry.at,
                kind=EntryKind.RETURN,
                debit=Account.RETURNS,
                credit=Account.REFUNDS,
                amount_paise=entry.amount_paise,
                item_kind=entry.item_kind,
                item_id=entry.item_id,
            )
        )

    run(database)

    assert EntryKind.REFUND not in kinds(database)


def test_it_goes_on_where_it_was(database, history):
    with database.transaction() as session:
        last = write_old_money(session, after=None)
        assert last is not None
        assert write_old_money(session, after=last) is None
