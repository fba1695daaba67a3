from datetime import timedelta

import pytest

from evcharge.kernel.errors import Unavailable
from evcharge.payments import jobs
from evcharge.payments.models import Payment
from evcharge.payments.rules import Item, ItemKind
from make import HOUR, MINUTE

PRICE = 12_000


@pytest.fixture
def late(shop):
    """A shop that began to sell three minutes ago."""
    shop.now -= 3 * MINUTE
    return shop


def test_a_missed_webhook_is_made_good(late):
    payment = late.ordered()
    late.gateway.choose(payment.provider_ref, "pay", "card")

    late.reconcile()

    stored = late.read(payment)
    assert (stored.status, stored.method) == ("PAID", "card")
    assert late.told() == [PRICE]


@pytest.mark.parametrize(
    ("choice", "status"), [("fail", "FAILED"), ("leave", "CANCELLED")]
)
def test_so_is_the_news_that_nothing_was_paid(late, choice, status):
    payment = late.ordered()
    late.gateway.choose(payment.provider_ref, choice, "upi")

    late.reconcile()

    assert late.status(payment) == status


def test_a_fresh_attempt_is_left_to_its_webhook(shop):
    payment = shop.ordered()
    shop.gateway.choose(payment.provider_ref, "pay", "upi")

    shop.reconcile()

    assert shop.status(payment) == "PENDING"


def test_an_attempt_that_is_still_open_stays_open(late):
    payment = late.ordered()

    late.reconcile()

    assert late.status(payment) == "PENDING"
    assert late.gateway.is_open(late.gateway.order(payment.provider_ref))


def test_what_nobody_paid_in_time_is_closed_at_the_gateway_too(shop):
    shop.now -= HOUR
    payment = shop.ordered()

    shop.reconcile()

    assert shop.status(payment) == "CANCELLED"
    assert shop.gateway.order(payment.provider_ref).status == "CANCELLED"


def test_money_that_arrives_while_we_close_is_not_lost(shop, monkeypatch):
    shop.now -= HOUR
    payment = shop.ordered()
    asked = shop.gateway.ask

    def pay_meanwhile(ref):
        outcome = asked(ref)
        monkeypatch.setattr(shop.gateway, "ask", asked)
        shop.gateway.choose(ref, "pay", "upi")
        return outcome

    monkeypatch.setattr(shop.gateway, "ask", pay_meanwhile)

    shop.reconcile()

    assert shop.status(payment) == "PAID"


def test_a_program_that_died_before_opening_the_order_leaves_no_open_end(shop):
    shop.now -= HOUR
    payment = shop.payment()  # And never `open_order`.

    shop.reconcile()

    assert shop.status(payment) == "CANCELLED"


def test_until_the_time_is_over_the_payer_may_come_back_to_that_attempt(late):
    payment = late.payment()

    late.reconcile()

    assert late.status(payment) == "PENDING"
    assert late.order(payment) == f"/simulated-gateway/{payment.provider_ref}"


def test_a_failed_attempt_that_goes_through_after_all_is_found_within_a_day(late):
    payment = late.ordered()
    late.gateway.choose(payment.provider_ref, "fail_then_pay", "upi")
    late.hear(payment, "FAILED")

    late.reconcile()

    assert late.status(payment) == "PAID"


def test_failed_attempts_are_asked_about_once_an_hour_and_for_one_day(
    late, monkeypatch
):
    fresh = late.payment()
    late.hear(fresh, "FAILED")
    late.now -= timedelta(days=2)
    old = late.payment(late.checkout(Item(ItemKind.BOOKING, late.item_id, 1)))
    late.hear(old, "FAILED")
    asked = []
    monkeypatch.setattr(late.gateway, "ask", asked.append)

    late.reconcile()
    late.reconcile()

    assert asked == [fresh.provider_ref]


def test_an_attempt_with_the_wrong_amount_waits_for_a_person(late, monkeypatch):
    late.hear(late.ordered(), amount_paise=1)
    asked = []
    monkeypatch.setattr(late.gateway, "ask", asked.append)

    late.reconcile()

    assert asked == []


def test_a_provider_that_does_not_answer_holds_up_nobody_else(late, monkeypatch):
    silent = late.ordered()
    late.now += timedelta(seconds=1)
    other = late.payment(late.checkout(Item(ItemKind.BOOKING, late.item_id, 100)))
    late.order(other)
    late.gateway.choose(other.provider_ref, "pay", "upi")
    ask = late.gateway.ask

    def sometimes(ref):
        if ref == silent.provider_ref:
            raise Unavailable
        return ask(ref)

    monkeypatch.setattr(late.gateway, "ask", sometimes)

    late.reconcile()

    assert (late.status(silent), late.status(other)) == ("PENDING", "PAID")


def test_a_payment_at_a_provider_we_no_longer_work_with_holds_up_nobody(late):
    late.payment(provider="gone")

    late.reconcile()


def test_asking_stops_before_the_jobs_lease_ends_and_goes_on_with_the_rest(
    late, monkeypatch
):
    for paise in (1, 2):
        late.payment(late.checkout(Item(ItemKind.BOOKING, late.item_id, paise)))
    asked = []
    monkeypatch.setattr(late.gateway, "ask", asked.append)
    monkeypatch.setattr(jobs, "ASKING_TIME", timedelta(seconds=-1))

    late.reconcile()

    assert asked == []
    with late.database.reading() as session:
        assert all(payment.checked_at for payment in session.query(Payment))
