"""From which account a refund is taken, and that never more goes back than came."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from evcharge.ledger.queries import balances, entries_of_item
from evcharge.ledger.rules import Account, Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.payments.models import Payment
from evcharge.payments.rules import ItemKind, PaymentStatus
from make import HOUR, MINUTE

BOOKING = ItemKind.BOOKING
PRICE = 12_000


def sell(shop, paise):
    """So much of the advance is earned."""
    entry = Entry(
        EntryKind.SALE, "sale:1", paise, shop.now, BOOKING, shop.item_id, None
    )
    with shop.database.transaction() as session:
        post(session, [entry])


def booked(shop):
    with shop.database.reading() as session:
        return [
            (entry.kind.value, entry.amount_paise)
            for entry in entries_of_item(session, BOOKING, shop.item_id)
        ]


def balance(shop, account):
    with shop.database.reading() as session:
        return balances(session)[account]


def test_a_refund_of_an_advance_comes_out_of_advances(shop):
    shop.paid()

    shop.refund(5_000)

    assert booked(shop) == [("payment", PRICE), ("refund", 5_000)]
    assert shop.jobs("billing.credit") == []
    assert len(shop.jobs("invoices.refund_paper")) == 1


def test_what_was_earned_is_returned_once_the_advance_is_used_up(shop):
    shop.paid()
    sell(shop, 9_000)

    shop.refund(5_000)

    assert booked(shop)[2:] == [("refund", 3_000), ("return", 2_000)]
    assert balance(shop, Account.ADVANCES) == 0
    assert balance(shop, Account.RETURNS) == 2_000
    [refund] = shop.refunds()
    assert [job.details for job in shop.jobs("billing.credit")] == [
        {"refund_id": str(refund.id)}
    ]


def test_of_two_payments_one_is_earned_and_the_other_is_still_an_advance(shop):
    checkout_id = shop.checkout(expires_at=shop.now + HOUR)
    first = shop.payment(checkout_id)
    second = shop.payment(checkout_id, now=shop.now + 20 * MINUTE)
    shop.hear(first)
    shop.hear(second)
    sell(shop, PRICE)

    shop.refund(PRICE)
    shop.refund(1)

    assert booked(shop)[-2:] == [("refund", PRICE), ("return", 1)]


def test_what_was_sent_leaves_the_gateway_once(shop):
    shop.paid()
    shop.refund(5_000)

    shop.work()
    shop.work()

    assert booked(shop)[-1] == ("refund_sent", 5_000)
    assert balance(shop, Account.GATEWAY) == PRICE - 5_000
    assert balance(shop, Account.REFUNDS) == 0


def test_more_than_was_paid_never_goes_back(shop):
    shop.paid()

    assert shop.refund(PRICE + 1) == [PRICE]
    assert shop.refund(1) == []
    assert balance(shop, Account.REFUNDS) == -PRICE


def test_money_from_before_the_ledger_is_written_down_before_it_goes_back(shop):
    payment = shop.payment()
    with shop.database.transaction() as session:
        session.execute(
            update(Payment)
            .where(Payment.id == payment.id)
            .values(status=PaymentStatus.PAID, paid_at=shop.now)
        )

    shop.refund()

    assert booked(shop) == [("payment", PRICE), ("refund", PRICE)]
    assert balance(shop, Account.RETURNS) == 0


def test_eight_who_hear_of_the_same_money_at_once_write_it_down_once(shop):
    payment = shop.payment()

    with ThreadPoolExecutor(8) as channels:
        heard = list(channels.map(lambda _: shop.hear(payment), range(8)))

    assert heard == [PaymentStatus.PAID] * 8
    assert booked(shop) == [("payment", PRICE)]
    assert shop.told() == [PRICE]


@pytest.mark.parametrize(
    "came", [{"amount_paise": 1}, {"amount_paise": PRICE * 2}, {"currency": "USD"}]
)
def test_other_money_than_was_asked_is_in_no_account_of_ours(shop, came):
    shop.hear(shop.payment(), **came)

    assert booked(shop) == []
    assert shop.told() == []
