from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from evcharge.kernel.db import changed
from evcharge.kernel.ids import new_id
from evcharge.payments.jobs import send_refund
from evcharge.payments.models import Payment, Refund, SimulatedRefund
from evcharge.payments.queries import collected_paise, refunds_of_item
from evcharge.payments.rules import (
    Item,
    ItemKind,
    PaymentChanged,
    RefundNotFailed,
    RefundNotFound,
    RefundRefused,
)
from evcharge.payments.service import (
    begin_sending_refund,
    refund_item,
    refunds,
    retry_refund,
)

BOOKING = ItemKind.BOOKING
PRICE = 12_000


def sent_back(shop) -> int:
    """Return how much the gateway really sent back."""
    with shop.database.reading() as session:
        return sum(row.amount_paise for row in session.query(SimulatedRefund))


def test_what_was_paid_can_go_back_whole(shop):
    payment = shop.paid()

    assert shop.refund(PRICE) == [PRICE]

    assert shop.status(payment) == "REFUNDED"
    assert [refund.status for refund in shop.refunds()] == ["CREATED"]


def test_or_in_parts(shop):
    payment = shop.paid()

    assert shop.refund(5_000) == [5_000]
    assert shop.status(payment) == "PARTIALLY_REFUNDED"
    assert shop.refund(7_000) == [7_000]
    assert shop.status(payment) == "REFUNDED"


def test_never_more_goes_back_than_came_in(shop):
    shop.paid()

    assert shop.refund(PRICE + 1) == [PRICE]
    assert shop.refund(1) == []


def test_what_never_came_in_does_not_go_back(shop):
    shop.hear(shop.payment(), "FAILED")

    assert shop.refund(PRICE) == []
    assert shop.jobs("payments.send_refund") == []


def test_nothing_to_return_is_no_refund(shop):
    shop.paid()

    assert shop.refund(0) == []
    with pytest.raises(ValueError, match="-1 paise"):
        shop.refund(-1)


def test_the_newest_payment_goes_back_first(shop):
    first = shop.paid()
    shop.now += timedelta(minutes=1)
    item = Item(BOOKING, shop.item_id, 3_000)
    second = shop.paid(checkout_id=shop.checkout(item))

    assert shop.refund(4_000) == [3_000, 1_000]

    assert shop.status(second) == "REFUNDED"
    assert shop.read(first).refunded_paise == 1_000


def test_one_item_never_takes_the_money_of_another(shop):
    other = Item(BOOKING, new_id(), 5_000)
    payment = shop.paid(
        checkout_id=shop.checkout(Item(BOOKING, shop.item_id, 7_000), other)
    )

    assert shop.refund(PRICE) == [7_000]

    assert shop.status(payment) == "PARTIALLY_REFUNDED"
    assert shop.refund(PRICE) == []


def test_a_refund_inside_the_payments_own_transaction_works(shop):
    """Money that comes too late goes back by itself."""

    def too_late(session, *, item_id, amount_paise, payment_id, now):
        refund_item(
            session,
            kind=BOOKING,
            item_id=item_id,
            amount_paise=amount_paise,
            reason="Too late",
            now=now,
        )

    shop.on_paid = {BOOKING: too_late}

    assert shop.hear(shop.payment()) == "REFUNDED"


def at_once(times: int, act: Callable[[], list[int]]) -> list[int]:
    with ThreadPoolExecutor(times) as people:
        done = [people.submit(act) for _ in range(times)]
        return [amount for each in done for amount in each.result()]


def test_eight_who_refund_at_once_never_return_more_than_was_paid(shop):
    payment = shop.paid()

    returned = at_once(8, lambda: shop.refund(5_000))

    assert sum(returned) == PRICE
    assert shop.read(payment).refunded_paise == PRICE


def test_behind_the_lock_stands_compare_and_set(shop, monkeypatch):
    payment = shop.paid()
    read = refunds.refundable_parts

    def read_before_another_refunds(session, *item):
        parts = read(session, *item)
        changed(session, update(Payment).values(refunded_paise=1))
        return parts

    monkeypatch.setattr(refunds, "refundable_parts", read_before_another_refunds)

    with pytest.raises(PaymentChanged):
        shop.refund()
    assert shop.status(payment) == "PAID"


@pytest.mark.parametrize("wrong", [-1, PRICE + 1])
def test_the_database_itself_refuses_a_payment_returned_beyond_its_amount(shop, wrong):
    payment = shop.paid()

    with pytest.raises(IntegrityError), shop.database.transaction() as session:
        session.get_one(Payment, payment.id).refunded_paise = wrong


# ── sending ──────────────────────────────────────────────────────────────────────


def test_a_refund_is_sent_by_a_job(shop):
    shop.paid()
    shop.refund(5_000)

    shop.work()

    (refund,) = shop.refunds()
    assert (refund.status, refund.provider_ref) == ("DONE", f"rfnd_{refund.id.hex}")
    assert refund.created_at <= refund.sent_at <= refund.done_at
    assert sent_back(shop) == 5_000


def test_a_program_that_dies_after_sending_does_not_send_twice(shop, monkeypatch):
    shop.paid()
    shop.refund()

    def die(*_, **__):
        raise RuntimeError("the power went out")

    with monkeypatch.context() as broken:
        broken.setattr("evcharge.payments.jobs.record_refund_news", die)
        shop.work()
    assert [refund.status for refund in shop.refunds()] == ["SENT"]
    assert sent_back(shop) == PRICE

    shop.work(at=shop.now + timedelta(hours=1))

    assert [refund.status for refund in shop.refunds()] == ["DONE"]
    assert sent_back(shop) == PRICE


def test_a_program_that_dies_before_sending_sends_later(shop, monkeypatch):
    shop.paid()
    shop.refund()

    def die(*_, **__):
        raise RuntimeError("the power went out")

    with monkeypatch.context() as broken:
        broken.setattr(shop.gateway, "refund", die)
        shop.work()
    assert sent_back(shop) == 0

    shop.work(at=shop.now + timedelta(hours=1))

    assert sent_back(shop) == PRICE


def test_a_job_that_runs_again_after_all_is_done_does_nothing(shop):
    shop.paid()
    shop.refund()
    shop.work()
    (refund,) = shop.refunds()

    send_refund(shop.database, providers=shop.providers, refund_id=str(refund.id))

    assert sent_back(shop) == PRICE
    with shop.database.reading() as session:
        assert session.get_one(Refund, refund.id).done_at == refund.done_at


def test_a_refund_nobody_knows_is_refused(session):
    with pytest.raises(RefundNotFound):
        begin_sending_refund(session, new_id(), now=None)


def test_a_refused_refund_is_kept_and_can_be_sent_again(shop, monkeypatch):
    shop.paid()
    shop.refund()

    def refuse(*_, **__):
        raise RefundRefused("The account is closed.")

    with monkeypatch.context() as broken:
        broken.setattr(shop.gateway, "refund", refuse)
        shop.work()
    (refund,) = shop.refunds()
    assert (refund.status, refund.failure) == ("FAILED", "The account is closed.")
    assert shop.refund() == []  # Still promised: it is owed until it has arrived.

    with shop.database.transaction() as session:
        retry_refund(session, refund.id, now=shop.now)
    shop.work()

    assert [each.status for each in shop.refunds()] == ["DONE"]
    assert sent_back(shop) == PRICE


def test_only_a_refused_refund_can_be_sent_again(shop):
    shop.paid()
    shop.refund()
    (refund,) = shop.refunds()

    with pytest.raises(RefundNotFailed), shop.database.transaction() as session:
        retry_refund(session, refund.id, now=shop.now)


def test_pages_hear_that_a_refund_has_arrived(shop):
    shop.paid()
    shop.refund()
    published = []
    shop.database.publish = published.extend

    shop.work()

    assert published == [f"booking:{shop.item_id}"]


# ── what is left ─────────────────────────────────────────────────────────────────


def test_revenue_is_what_came_in_less_what_goes_back_each_in_its_time(shop):
    start = shop.now
    shop.paid()
    shop.now += timedelta(days=1)
    shop.refund(5_000)

    def between(since=None, until=None):
        with shop.database.reading() as session:
            return collected_paise(session, since=since, until=until)

    assert between() == 7_000
    assert between(since=start, until=shop.now) == PRICE
    assert between(since=shop.now) == -5_000


def test_attempts_that_brought_no_money_are_no_revenue(shop):
    shop.hear(shop.payment(), "FAILED")

    with shop.database.reading() as session:
        assert collected_paise(session) == 0


def test_the_refunds_of_an_item_are_listed_in_order(shop):
    shop.paid()
    shop.refund(1_000)
    shop.refund(2_000)

    with shop.database.reading() as session:
        found = refunds_of_item(session, BOOKING, shop.item_id)
        assert [refund.amount_paise for refund in found] == [1_000, 2_000]
