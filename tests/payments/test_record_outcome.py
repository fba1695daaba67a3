import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from evcharge.accounts.models import User
from evcharge.kernel.ids import new_id
from evcharge.payments.models import ProviderEvent
from evcharge.payments.providers.simulated import notice_body
from evcharge.payments.rules import (
    Item,
    ItemKind,
    PaymentNotFound,
    PaymentStatus,
)

BOOKING = ItemKind.BOOKING
PRICE = 12_000


def test_money_that_came_in_is_written_down_and_told_once(shop):
    payment = shop.payment()

    assert shop.hear(payment) == "PAID"
    assert shop.hear(payment) == "PAID"

    stored = shop.read(payment)
    assert (stored.status, stored.paid_at, stored.method) == ("PAID", shop.now, "upi")
    assert shop.told() == [PRICE]


def test_every_item_of_the_checkout_is_told(shop):
    items = [Item(BOOKING, new_id(), 5_000), Item(BOOKING, new_id(), 7_000)]

    shop.hear(shop.payment(shop.checkout(*items)))

    assert sorted(shop.told()) == [5_000, 7_000]


@pytest.mark.parametrize("first", ["FAILED", "CANCELLED"])
def test_money_may_come_late_for_an_attempt_that_was_given_up(shop, first):
    payment = shop.payment()
    shop.hear(payment, first, failure="The bank said no.")

    assert shop.hear(payment) == "PAID"
    assert shop.read(payment).failure is None
    assert shop.told() == [PRICE]


@pytest.mark.parametrize("late", ["FAILED", "CANCELLED", "PENDING"])
def test_no_later_word_undoes_money_that_came_in(shop, late):
    payment = shop.payment()
    shop.hear(payment)

    assert shop.hear(payment, late) == "PAID"


def test_an_attempt_that_failed_stays_failed_when_the_payer_leaves(shop):
    payment = shop.payment()
    shop.hear(payment, "FAILED", failure="n" * 300)

    assert shop.hear(payment, "CANCELLED") == "FAILED"
    assert shop.read(payment).failure == "n" * 200
    assert shop.told() == []


def test_no_news_changes_nothing(shop):
    payment = shop.payment()

    assert shop.hear(payment, "PENDING") == "PENDING"


@pytest.mark.parametrize(
    "came",
    [{"amount_paise": PRICE - 1}, {"amount_paise": PRICE + 1}, {"currency": "USD"}],
)
def test_other_money_than_was_asked_is_not_taken_for_it(shop, came):
    payment = shop.payment()

    assert shop.hear(payment, **came) == "PENDING"
    assert "12000 were asked" in (shop.read(payment).failure or "")
    assert shop.told() == []


def test_the_right_money_still_counts_after_a_wrong_amount(shop):
    payment = shop.payment()
    shop.hear(payment, amount_paise=1)

    assert shop.hear(payment) == "PAID"
    assert shop.read(payment).failure is None


def test_the_money_of_a_suspended_driver_is_written_down(shop):
    payment = shop.payment()
    with shop.database.transaction() as session:
        session.get_one(User, shop.user_id).status = "suspended"

    assert shop.hear(payment) == "PAID"


def test_an_unknown_payment_is_refused(shop):
    with pytest.raises(PaymentNotFound):
        shop.hear(shop.payment(), ref="pay_" + "0" * 32)


def test_payment_and_what_follows_from_it_are_one_transaction(shop):
    payment = shop.payment()

    def break_down(session, **_):
        raise RuntimeError("the power went out")

    shop.on_paid = {BOOKING: break_down}
    with pytest.raises(RuntimeError):
        shop.hear(payment)

    assert shop.status(payment) == "PENDING"


def test_pages_that_show_the_item_are_told_to_look_again(shop):
    published = []
    shop.database.publish = published.append

    shop.hear(shop.payment())

    assert published[-1] == [f"booking:{shop.item_id}"]


# ── webhooks ─────────────────────────────────────────────────────────────────────


def body_of(shop, payment, status=PaymentStatus.PAID):
    return notice_body(shop.gateway.order(payment.provider_ref), status, method="upi")


def test_a_message_that_comes_twice_counts_once(shop):
    payment = shop.ordered()
    body = body_of(shop, payment)

    shop.deliver(body)
    shop.deliver(body)

    assert shop.status(payment) == "PAID"
    assert shop.told() == [PRICE]


def test_messages_in_any_order_end_in_the_same_state(shop):
    payment = shop.ordered()
    words = [PaymentStatus.FAILED, PaymentStatus.PAID, PaymentStatus.CANCELLED]
    bodies = [body_of(shop, payment, status) for status in words]
    random.shuffle(bodies)

    for body in bodies:
        shop.deliver(body)

    assert shop.status(payment) == "PAID"
    assert shop.told() == [PRICE]


def test_a_message_about_an_unknown_payment_is_kept(shop, database):
    payment = shop.ordered()
    unknown = body_of(shop, payment).replace(payment.provider_ref, "pay_" + "0" * 32)

    shop.deliver(unknown)

    with database.reading() as session:
        assert session.query(ProviderEvent).one().body["ref"] == "pay_" + "0" * 32
    assert shop.status(payment) == "PENDING"


def test_a_message_that_could_not_be_acted_on_may_come_again(shop):
    payment = shop.ordered()
    body = body_of(shop, payment)
    works = shop.on_paid
    shop.on_paid = {}
    with pytest.raises(KeyError):
        shop.deliver(body)

    shop.on_paid = works
    shop.deliver(body)

    assert shop.status(payment) == "PAID"


def test_ten_who_bring_the_same_news_at_once_make_one_payment(shop):
    payment = shop.ordered()
    bodies = [body_of(shop, payment) for _ in range(4)]
    ways = [
        *[lambda: shop.hear(payment)] * 4,
        *[lambda body=body: shop.deliver(body) for body in [*bodies, bodies[0]]],
        lambda: shop.hear(payment, "FAILED"),
    ]

    with ThreadPoolExecutor(len(ways)) as messengers:
        for done in [messengers.submit(way) for way in ways]:
            done.result()

    assert shop.status(payment) == "PAID"
    assert shop.told() == [PRICE]
