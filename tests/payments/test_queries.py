from datetime import timedelta

from sqlalchemy import select

from evcharge.kernel.ids import new_id
from evcharge.payments.models import CheckoutItem, Payment
from evcharge.payments.queries import payments_list, payments_of_item
from evcharge.payments.rules import Item, ItemKind, PaymentStatus

BOOKING = ItemKind.BOOKING


def listed(shop, **chosen):
    with shop.database.reading() as session:
        return [payment.id for payment in session.scalars(payments_list(**chosen))]


def test_every_attempt_at_an_item_is_listed_with_its_refunds(shop):
    failed = shop.payment()
    shop.hear(failed, "FAILED")
    shop.now += timedelta(minutes=1)
    paid = shop.paid()
    shop.refund(1_000)

    with shop.database.reading() as session:
        found = payments_of_item(session, BOOKING, shop.item_id)
        assert [payment.id for payment in found] == [failed.id, paid.id]
        assert [refund.amount_paise for refund in found[1].refunds] == [1_000]


def test_what_came_in_for_an_item_counts_no_failed_attempt(shop):
    assert shop.collected() == 0
    shop.hear(shop.payment(), "FAILED")
    shop.paid()
    shop.refund(1_000)

    assert shop.collected() == 12_000


def test_the_list_of_payments_filters_and_starts_with_the_newest(shop):
    first = shop.paid()
    shop.now += timedelta(minutes=1)
    item = Item(BOOKING, new_id(), 100)
    second = shop.payment(shop.checkout(item))

    assert listed(shop) == [second.id, first.id]
    assert listed(shop, status=PaymentStatus.PAID) == [first.id]
    assert listed(shop, since=shop.now) == [second.id]
    assert listed(shop, until=shop.now) == [first.id]
    of_one = select(CheckoutItem.item_id).where(CheckoutItem.item_id == item.item_id)
    assert listed(shop, item_ids=of_one) == [second.id]


def test_the_list_of_payments_costs_as_many_statements_as_it_has_parts(shop):
    for paise in (100, 200, 300):
        payment = shop.payment(shop.checkout(Item(BOOKING, shop.item_id, paise)))
        shop.hear(payment)

    with shop.database.reading() as session:
        rows: list[Payment] = list(session.scalars(payments_list()))
    # Loaded before the session ended: nothing is fetched row by row.
    assert [row.checkout.items[0].amount_paise for row in rows] == [300, 200, 100]
    assert [row.refunds for row in rows] == [[], [], []]
