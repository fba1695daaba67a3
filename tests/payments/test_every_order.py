"""Whatever order the news come in, money comes in once and the ledger holds."""

import random
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest
from sqlalchemy import func, select

import make
from evcharge.kernel.jobs import Job
from evcharge.ledger.models import LedgerEntry
from evcharge.ledger.queries import balances
from evcharge.ledger.rules import Account
from evcharge.payments.models import Payment, Refund
from evcharge.payments.providers.simulated import SIGNATURE_HEADER, notice_body
from evcharge.payments.rules import (
    COLLECTED,
    Message,
    Outcome,
    PaymentStatus,
    RefundStatus,
)
from evcharge.payments.service import outcomes, receive_message, record_outcome

PRICE = make.PRICE_PAISE
CHANNELS = ("webhook", "return", "reconciler")
TIMES_EACH = 3
# Orders in which each channel comes up to so many times, the empty one among them.
ORDERS = {2: 271, 3: 5_248}


@dataclass
class Story:
    """What the three ways would tell us of one attempt, the first time and later."""

    payment: Payment
    webhooks: list[Message]
    returned: Outcome | None
    asked: Outcome

    def next(self, channel, heard):
        if channel == "webhook":
            return self.webhooks[heard.count("webhook")]
        return self.returned if channel == "return" else self.asked


def a_story(shop, choice, webhooks):
    payment = shop.ordered()
    way_back = shop.gateway.choose(payment.provider_ref, choice, "upi")
    order = shop.gateway.order(payment.provider_ref)
    bodies = {
        name: notice_body(order, PaymentStatus(name.split()[0])) for name in webhooks
    }
    query = dict(parse_qsl(urlsplit(way_back or "").query))
    return Story(
        payment,
        [message(shop, bodies[name]) for name in webhooks],
        shop.gateway.read_return(payment.provider_ref, query),
        shop.gateway.ask(payment.provider_ref),
    )


def message(shop, body):
    raw = body.encode()
    return shop.gateway.read_message(raw, {SIGNATURE_HEADER: shop.gateway.sign(raw)})


def take_in(session, shop, news):
    given = {"provider": "simulated", "on_paid": shop.on_paid, "now": shop.now}
    if isinstance(news, Message):
        receive_message(session, message=news, **given)
    elif news is not None:
        record_outcome(session, outcome=news, **given)


def check(session, shop, story, told):
    """What must be true after every step, whatever came before."""
    is_paid = any(status == PaymentStatus.PAID for status in told)
    payment = session.get_one(Payment, story.payment.id, populate_existing=True)
    assert (payment.status in COLLECTED) == is_paid
    if not is_paid:
        assert payment.status == (told[0] if told else PaymentStatus.PENDING)
    assert count(session, Job.id, Job.name == "told") == int(is_paid)
    assert count(session, Job.id, Job.name == "invoices.receipt") == int(is_paid)
    assert count(session, LedgerEntry.id) == int(is_paid)
    check_books(session)


def count(session, column, *conditions):
    return session.scalar(select(func.count(column)).where(*conditions))


def check_books(session):
    found = balances(session)
    came = total(session, Payment.amount_paise, Payment.status.in_(COLLECTED))
    promised = total(session, Refund.amount_paise)
    sent = total(session, Refund.amount_paise, Refund.status == RefundStatus.DONE)
    assert sum(found.values()) == 0
    assert found[Account.GATEWAY] == came - sent
    assert -found[Account.REFUNDS] == promised - sent
    assert -found[Account.ADVANCES] == came - promised >= 0


def total(session, column, *conditions):
    return session.scalar(select(func.coalesce(func.sum(column), 0)).where(*conditions))


def explore(session, shop, story, times=TIMES_EACH, heard=(), told=()):
    """Walk through every order from here; each step is undone by a savepoint."""
    check(session, shop, story, told)
    walked = 1
    for channel in CHANNELS:
        if heard.count(channel) == times:
            continue
        news = story.next(channel, heard)
        before = session.begin_nested()
        take_in(session, shop, news)
        session.flush()
        outcome = news.outcome if isinstance(news, Message) else news
        said = (outcome.status,) if outcome else ()
        walked += explore(session, shop, story, times, (*heard, channel), told + said)
        before.rollback()
        session.expire_all()
    return walked


STORIES = {
    "paid, and every webhook is the same one": ("pay", ["PAID"] * 3),
    "paid, and each webhook is a new one": ("pay", ["PAID", "PAID 2", "PAID 3"]),
    "failed": ("fail", ["FAILED", "FAILED", "FAILED 2"]),
    "left": ("leave", ["CANCELLED"] * 3),
    "failed, then paid": ("fail_then_pay", ["FAILED", "PAID", "FAILED"]),
    "paid, and the failure is told last": ("fail_then_pay", ["PAID", "FAILED", "PAID"]),
}


# Those in which more than one thing is said; the others are walked through in part.
IN_FULL = {
    "paid, and every webhook is the same one",
    "failed, then paid",
    "paid, and the failure is told last",
}


# Thousands of steps, one after the other: the locks of PostgreSQL would add nothing. It
# has the sample below.
@pytest.mark.walk_on_sqlite
@pytest.mark.parametrize("name", STORIES)
def test_in_every_order_money_comes_in_once(shop, name):
    story = a_story(shop, *STORIES[name])
    times = TIMES_EACH if name in IN_FULL else 2

    with shop.database.transaction() as session:
        assert explore(session, shop, story, times) == ORDERS[times]


@pytest.mark.parametrize("name", STORIES)
def test_so_it_does_where_each_step_is_a_transaction(shop, name):
    story = a_story(shop, *STORIES[name])
    order = list(CHANNELS * TIMES_EACH)
    random.Random(name).shuffle(order)  # noqa: S311

    heard, told = [], ()
    for channel in order:
        news = story.next(channel, heard)
        shop.database.perform(lambda session, news=news: take_in(session, shop, news))
        heard.append(channel)
        outcome = news.outcome if isinstance(news, Message) else news
        told += (outcome.status,) if outcome else ()
        with shop.database.reading() as session:
            check(session, shop, story, told)


def test_the_walk_notices_money_that_comes_in_twice(shop, monkeypatch):
    monkeypatch.setattr(outcomes, "MAY_BECOME_PAID", frozenset(PaymentStatus))
    story = a_story(shop, "pay", ["PAID"] * 3)

    with pytest.raises(AssertionError), shop.database.transaction() as session:
        explore(session, shop, story)


def test_the_walk_notices_a_ledger_that_was_not_told(shop, monkeypatch):
    monkeypatch.setattr(outcomes, "post_payment", lambda *_, **__: None)
    story = a_story(shop, "pay", ["PAID"] * 3)

    with pytest.raises(AssertionError), shop.database.transaction() as session:
        explore(session, shop, story)


def test_the_books_hold_through_part_refunds_and_their_sending(shop):
    shop.paid()
    for paise in (1, 5_000, PRICE):
        shop.refund(paise)
        with shop.database.reading() as session:
            check_books(session)
    shop.work()

    with shop.database.reading() as session:
        check_books(session)
        assert balances(session)[Account.GATEWAY] == 0
