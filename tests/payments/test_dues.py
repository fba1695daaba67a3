from datetime import timedelta

import pytest
from sqlalchemy import select

import make
from evcharge.accounts.models import Guest
from evcharge.bookings.rules import Limits
from evcharge.bookings.service import book_slot
from evcharge.kernel.ids import new_id
from evcharge.ledger.queries import balances, item_balance
from evcharge.ledger.rules import Account, Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.payments.models import CheckoutItem, Due
from evcharge.payments.queries import open_dues, overdue_dues, owed_paise
from evcharge.payments.rules import (
    DueNotFound,
    DueOver,
    DueUnpaid,
    Item,
    ItemKind,
    Payer,
    ReasonMissing,
)
from evcharge.payments.service import ask_for_due, open_due, settle_due, waive_due
from make import NOON

DUE = ItemKind.DUE
DAY = timedelta(days=1)
OWED = 4_200


@pytest.fixture
def owing(shop):
    """A shop whose customer owes something, sold on credit."""
    shop.on_paid[DUE] = settle_due
    shop.due = owe(shop)
    return shop


def owe(shop, *, item_id=None, amount_paise=OWED, payer=None, now=None):
    item_id = item_id or shop.item_id

    def act(session):
        location = make.a_location(session)
        due = open_due(
            session,
            payer=payer or Payer(shop.user_id),
            item_kind=ItemKind.BOOKING,
            item_id=item_id,
            reference="EV-7K3M9Q",
            location_id=location.id,
            amount_paise=amount_paise,
            reason="You used more than you paid for",
            now=now or shop.now,
        )
        key = f"sale_due:{due.id}"
        sold = Entry(
            EntryKind.SALE_DUE,
            key,
            due.amount_paise,
            shop.now,
            "booking",
            item_id,
            None,
        )
        post(session, [sold])
        return due

    return shop.database.perform(act)


def ask(shop, payer=None):
    return shop.database.perform(
        lambda session: ask_for_due(
            session,
            due_id=shop.due.id,
            payer=payer or Payer(shop.user_id),
            return_path="/dues",
            now=shop.now,
        )
    )


def pay(shop, checkout_id, **given):
    payment = shop.payment(checkout_id, **given)
    shop.order(payment)
    shop.gateway.choose(payment.provider_ref, "pay", "upi")
    shop.hear(payment)
    return payment


def waive(shop, reason="The meter was wrong"):
    shop.database.perform(
        lambda session: waive_due(
            session, shop.due.id, by=shop.user_id, reason=reason, now=shop.now
        )
    )


def stored(shop):
    with shop.database.reading() as session:
        return session.get_one(Due, shop.due.id)


def balance(shop, account):
    with shop.database.reading() as session:
        return balances(session)[account]


def test_what_is_owed_for_an_item_is_opened_once(owing):
    again = owe(owing, amount_paise=9_900)

    assert (again.id, again.amount_paise) == (owing.due.id, OWED)
    with owing.database.reading() as session:
        assert owed_paise(session, owing.user_id) == OWED


def test_paying_settles_what_was_owed(owing):
    pay(owing, ask(owing).id)

    assert stored(owing).paid_at == owing.now
    assert balance(owing, Account.DUES) == 0
    assert balance(owing, Account.ADVANCES) == 0
    assert balance(owing, Account.GATEWAY) == OWED
    with owing.database.reading() as session:
        assert open_dues(session, owing.user_id) == []


def test_money_for_a_due_needs_no_receipt_voucher(owing):
    pay(owing, ask(owing).id)

    assert owing.jobs("invoices.receipt") == []


def test_what_was_paid_twice_goes_back(owing):
    checkout_id = ask(owing).id
    first = owing.payment(checkout_id)
    second = owing.payment(checkout_id, now=owing.now + timedelta(minutes=20))
    owing.hear(first)
    owing.hear(second)

    assert [refund.amount_paise for refund in owing.refunds()] == [OWED]
    assert balance(owing, Account.ADVANCES) == 0
    assert balance(owing, Account.DUES) == 0


def test_money_for_what_was_waived_goes_back(owing):
    payment = owing.payment(ask(owing).id)
    waive(owing)

    owing.hear(payment)

    assert stored(owing).paid_at is None
    assert owing.status(payment) == "REFUNDED"
    assert balance(owing, Account.ADVANCES) == 0


def test_less_than_was_owed_is_not_taken_for_it(owing):
    checkout_id = owing.checkout(Item(DUE, owing.due.id, OWED - 1))

    payment = pay(owing, checkout_id)

    assert stored(owing).paid_at is None
    assert owing.status(payment) == "REFUNDED"


def test_more_than_was_owed_comes_back_in_part(owing):
    payment = pay(owing, owing.checkout(Item(DUE, owing.due.id, OWED + 100)))

    assert stored(owing).paid_at is not None
    assert owing.status(payment) == "PARTIALLY_REFUNDED"
    assert [refund.amount_paise for refund in owing.refunds()] == [100]
    with owing.database.reading() as session:
        assert item_balance(session, Account.ADVANCES, DUE, owing.due.id) == 0


def test_what_is_waived_is_borne_by_the_operator(owing):
    waive(owing)

    due = stored(owing)
    assert (due.waived_by, due.waived_reason) == (owing.user_id, "The meter was wrong")
    assert balance(owing, Account.DUES) == 0
    assert balance(owing, Account.OPERATOR_PAYABLE) == OWED
    with pytest.raises(DueOver):
        waive(owing)
    with pytest.raises(DueOver):
        ask(owing)


@pytest.mark.parametrize("reason", ["", "  ", "r" * 201])
def test_waiving_needs_a_reason(owing, reason):
    with pytest.raises(ReasonMissing):
        waive(owing, reason)

    assert stored(owing).is_open


def test_what_somebody_else_owes_is_not_found(owing):
    with owing.database.transaction() as session:
        other = make.a_user(session).id

    with pytest.raises(DueNotFound):
        ask(owing, Payer(other))


def test_a_guest_pays_like_anybody(owing):
    guest_id = new_id()
    with owing.database.transaction() as session:
        session.add(Guest(id=guest_id, created_at=owing.now))
    guest = Payer(guest_id=guest_id)
    owing.due = owe(owing, item_id=new_id(), payer=guest)

    payment = pay(owing, ask(owing, guest).id, payer=guest)

    assert owing.status(payment) == "PAID"
    assert not stored(owing).is_open
    with owing.database.reading() as session:
        location = select(CheckoutItem.location_id).where(
            CheckoutItem.item_id == owing.due.id
        )
        assert session.scalar(location) == owing.due.location_id


@pytest.mark.parametrize(("age", "refused"), [(3 * DAY, False), (4 * DAY, True)])
def test_what_is_owed_for_long_keeps_from_booking(owing, age, refused):
    with owing.database.transaction() as session:
        evse = make.an_evse(session)
        session.flush()
        evse_id = evse.id
        session.get_one(Due, owing.due.id).created_at = NOON - age
    request = make.a_request(evse_id, user_id=owing.user_id)

    def book(session):
        return book_slot(session, request, limits=Limits(), now=NOON)

    if refused:
        with pytest.raises(DueUnpaid, match="EV-7K3M9Q"):
            owing.database.perform(book)
        waive(owing)
    assert owing.database.perform(book)


def test_only_what_is_old_is_overdue(owing):
    with owing.database.reading() as session:
        assert overdue_dues(session, owing.user_id, owing.now) == []
        assert overdue_dues(session, owing.user_id, owing.now + DAY) != []
