from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

import make
from evcharge.accounts.models import User
from evcharge.accounts.rules import AccountSuspended
from evcharge.kernel.ids import new_id
from evcharge.payments.models import Checkout
from evcharge.payments.queries import checkout_of
from evcharge.payments.rules import (
    ATTEMPT_LIFE,
    CheckoutNotFound,
    CheckoutOver,
    Item,
    ItemKind,
    NothingToPay,
    Payer,
)
from make import MINUTE

BOOKING = ItemKind.BOOKING


def stored(shop, checkout_id) -> Checkout:
    with shop.database.reading() as session:
        return checkout_of(session, checkout_id, Payer(shop.user_id))


def test_a_checkout_adds_up_what_is_owed(shop):
    items = [Item(BOOKING, new_id(), 5_000), Item(BOOKING, new_id(), 7_000)]

    checkout = stored(shop, shop.checkout(*items))

    assert checkout.amount_paise == 12_000
    assert [item.amount_paise for item in checkout.items] == [5_000, 7_000]


def test_asking_again_for_the_same_is_the_same_checkout_with_more_time(shop):
    first = shop.checkout()

    again = shop.checkout(expires_at=shop.now + 30 * MINUTE)

    assert again == first
    assert stored(shop, first).expires_at == shop.now + 30 * MINUTE


def test_asking_again_never_takes_time_away(shop):
    first = shop.checkout()

    shop.checkout(expires_at=shop.now + MINUTE)

    assert stored(shop, first).expires_at == shop.now + 16 * MINUTE


@pytest.mark.parametrize("more_paise", [-1, 1])
def test_another_amount_is_another_checkout(shop, more_paise):
    first = shop.checkout(Item(BOOKING, shop.item_id, 5_000))

    assert shop.checkout(Item(BOOKING, shop.item_id, 5_000 + more_paise)) != first


def test_one_item_more_is_another_checkout(shop):
    item = Item(BOOKING, shop.item_id, 5_000)
    first = shop.checkout(item)

    assert shop.checkout(item, Item(BOOKING, new_id(), 5_000)) != first


def test_what_was_paid_or_is_over_is_not_taken_up_again(shop):
    over = shop.checkout(expires_at=shop.now)
    paid = shop.checkout()
    shop.hear(shop.payment(paid))

    assert shop.checkout() not in (over, paid)


def test_nothing_owed_needs_no_checkout(shop):
    with pytest.raises(NothingToPay):
        shop.checkout(items=[])


def test_a_suspended_driver_cannot_start_to_pay(shop):
    checkout_id = shop.checkout()
    with shop.database.transaction() as session:
        session.get_one(User, shop.user_id).status = "suspended"

    with pytest.raises(AccountSuspended):
        shop.checkout()
    with pytest.raises(AccountSuspended):
        shop.payment(checkout_id)


def test_an_attempt_asks_for_the_whole_checkout(shop):
    payment = shop.payment()

    assert (payment.status, payment.amount_paise) == ("PENDING", 12_000)


def test_pressing_pay_again_goes_on_with_the_attempt_while_it_is_young(shop):
    checkout_id = shop.checkout(expires_at=shop.now + 60 * MINUTE)
    first = shop.payment(checkout_id)

    soon = shop.payment(checkout_id, now=shop.now + ATTEMPT_LIFE - timedelta(seconds=1))
    late = shop.payment(checkout_id, now=shop.now + ATTEMPT_LIFE)

    assert soon.id == first.id
    assert late.id != first.id


def test_after_a_failure_there_is_a_new_attempt(shop):
    checkout_id = shop.checkout()
    first = shop.payment(checkout_id)
    shop.hear(first, "FAILED")

    assert shop.payment(checkout_id).id != first.id


def test_an_attempt_at_another_provider_is_another_attempt(shop):
    checkout_id = shop.checkout()

    first, second = shop.payment(checkout_id), shop.payment(checkout_id, provider="b")

    assert first.id != second.id


def test_what_is_paid_is_not_paid_again(shop):
    checkout_id = shop.checkout()
    shop.hear(shop.payment(checkout_id))

    with pytest.raises(NothingToPay):
        shop.payment(checkout_id)


def test_after_the_time_to_pay_no_attempt_starts(shop):
    checkout_id = shop.checkout(expires_at=shop.now + MINUTE)

    with pytest.raises(CheckoutOver):
        shop.payment(checkout_id, now=shop.now + MINUTE)


def test_the_checkout_of_somebody_else_is_not_found(shop, database):
    checkout_id = shop.checkout()
    with database.transaction() as session:
        other = make.a_user(session).id

    with pytest.raises(CheckoutNotFound):
        shop.payment(checkout_id, payer=Payer(other))
    with pytest.raises(CheckoutNotFound):
        shop.payment(new_id())


def test_a_button_pressed_eight_times_at_once_is_one_attempt(shop):
    def press(_):
        return shop.payment(shop.checkout()).id

    with ThreadPoolExecutor(8) as fingers:
        assert len(set(fingers.map(press, range(8)))) == 1
