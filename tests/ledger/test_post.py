from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

import make
from evcharge.kernel.ids import new_id
from evcharge.ledger.models import LedgerEntry
from evcharge.ledger.queries import balances, entries_of_item, item_balance
from evcharge.ledger.rules import Account, Entry, EntryKind
from evcharge.ledger.service import post
from make import NOON

ITEM = new_id()


def an_entry(kind=EntryKind.PAYMENT, paise=500, *, key="payment:1", location_id=None):
    return Entry(kind, key, paise, NOON, "booking", ITEM, location_id, "simulated")


def test_every_entry_moves_money_from_one_account_to_another(session):
    post(session, [an_entry()])

    found = balances(session)
    assert (found[Account.GATEWAY], found[Account.ADVANCES]) == (500, -500)
    assert sum(found.values()) == 0


def test_the_same_event_twice_is_written_down_once(session):
    assert post(session, [an_entry()]) == 1
    assert post(session, [an_entry(), an_entry(paise=900)]) == 0

    assert balances(session)[Account.GATEWAY] == 500


def test_eight_who_write_down_the_same_event_at_once_write_it_once(database):
    def write(_):
        return database.perform(lambda session: post(session, [an_entry()]))

    with ThreadPoolExecutor(8) as writers:
        assert sum(writers.map(write, range(8))) == 1


def test_nothing_is_no_entry(session):
    assert post(session, [an_entry(paise=0)]) == 0


def test_an_entry_belongs_to_the_operator_of_its_location(session):
    location = make.a_location(session)

    post(session, [an_entry(location_id=location.id)])

    assert [each.operator_id for each in entries_of_item(session, "booking", ITEM)] == [
        location.operator_id
    ]


def test_the_balance_of_an_item_is_what_came_in_less_what_went_on(session):
    post(session, [an_entry(), an_entry(EntryKind.REFUND, 200, key="refund:1")])

    assert item_balance(session, Account.ADVANCES, "booking", ITEM) == 300
    assert item_balance(session, Account.REFUNDS, "booking", ITEM) == 200
    assert item_balance(session, Account.ADVANCES, "session", ITEM) == 0


@pytest.mark.parametrize(
    "change",
    [
        update(LedgerEntry).values(amount_paise=1),
        delete(LedgerEntry),
        text("UPDATE ledger_entries SET key = 'another'"),
        text("DELETE FROM ledger_entries WHERE amount_paise = 500"),
    ],
)
def test_the_database_itself_refuses_to_change_what_was_written(database, change):
    with database.transaction() as session:
        post(session, [an_entry()])

    with (
        pytest.raises(DBAPIError, match="only added to"),
        database.transaction() as session,
    ):
        session.execute(change)

    with database.reading() as session:
        assert session.scalar(select(func.sum(LedgerEntry.amount_paise))) == 500


@pytest.mark.parametrize(
    "wrong", [{"amount_paise": 0}, {"amount_paise": -5}, {"credit": Account.GATEWAY}]
)
def test_the_database_itself_refuses_what_is_no_movement(database, wrong):
    row = {
        "key": "payment:1",
        "at": NOON,
        "kind": EntryKind.PAYMENT,
        "debit": Account.GATEWAY,
        "credit": Account.ADVANCES,
        "amount_paise": 500,
        "item_kind": "booking",
        "item_id": ITEM,
    }

    with (
        pytest.raises(DBAPIError, match="ck_ledger"),
        database.transaction() as session,
    ):
        session.execute(LedgerEntry.__table__.insert().values(row | wrong))
