"""Money by Razorpay, from the shop's side: their words in, one outcome in our books."""

import itertools
from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

import make
import razorpay_server
from evcharge.kernel.clock import utc_now
from evcharge.kernel.ids import new_id
from evcharge.kernel.metrics import FORGED_MESSAGES, UNKNOWN_MESSAGES
from evcharge.ledger.models import LedgerEntry
from evcharge.payments import jobs
from evcharge.payments.models import Checkout, Payment, ProviderEvent, Refund
from evcharge.payments.providers import Providers
from evcharge.payments.providers.base import Order
from evcharge.payments.providers.razorpay import Razorpay
from evcharge.payments.providers.razorpay.messages import signature
from evcharge.payments.rules import RefundNews, RefundStatus
from evcharge.payments.service import record_refund_news, retry_refund
from razorpay_server import KEY_ID, KEY_SECRET, WEBHOOK_SECRET

PRICE = make.PRICE_PAISE
LATER = timedelta(hours=2)


@pytest.fixture
def there():
    with razorpay_server.running() as server:
        yield server


@pytest.fixture
def provider(there):
    return Razorpay(
        key_id=KEY_ID,
        key_secret=SecretStr(KEY_SECRET),
        webhook_secrets=SecretStr(WEBHOOK_SECRET),
        url=there.url,
    )


@pytest.fixture
def shop(shop, provider):
    """The same shop, with another gateway. Jobs make up their own mind about now."""
    shop.gateway = provider
    shop.providers = Providers(provider)
    return shop


@pytest.fixture
def payment(shop):
    return ordered(shop)


def ordered(shop) -> Payment:
    payment = shop.payment(provider="razorpay")
    shop.order(payment, origin="https://evcharge.example")
    return payment


@pytest.fixture
def paid(shop, there, payment):
    there.pay(payment.provider_ref)
    age(shop, Payment, created_at=utc_now() - timedelta(minutes=3))
    shop.reconcile()
    assert shop.status(payment) == "PAID"
    return payment


def age(shop, table, **values) -> None:
    with shop.database.transaction() as session:
        session.execute(update(table).values(**values))


def only_refund(shop) -> Refund:
    (refund,) = shop.refunds()
    return refund


def sent_entries(shop) -> int:
    with shop.database.reading() as session:
        entries = session.scalars(select(LedgerEntry)).all()
    return sum(entry.key.startswith("refund_sent:") for entry in entries)


def ask_about_refunds(shop) -> None:
    age(shop, Refund, sent_at=utc_now() - LATER, checked_at=None)
    jobs.reconcile_refunds(shop.database, providers=shop.providers)


# ── money in ─────────────────────────────────────────────────────────────────────


def test_a_missed_webhook_is_made_up_for_by_asking(shop, paid):
    stored = shop.read(paid)

    assert (stored.method, stored.bank_reference) == ("upi", "249727216453")
    assert shop.told() == [PRICE]


def test_other_money_than_asked_for_waits_for_a_person(shop, there, payment):
    there.pay(payment.provider_ref, amount=1)
    age(shop, Payment, created_at=utc_now() - timedelta(minutes=3))

    shop.reconcile()

    assert shop.read(payment).failure == "1 INR paise came, 12000 were asked"
    assert shop.told() == []


def test_an_attempt_nobody_paid_is_closed_there_and_here(shop, there, payment):
    age(shop, Payment, created_at=utc_now() - LATER)
    age(shop, Checkout, expires_at=utc_now() - LATER)

    shop.reconcile()

    assert shop.status(payment) == "CANCELLED"
    assert there.link(payment.provider_ref)["status"] == "cancelled"


def test_a_program_that_dies_before_it_asks_leaves_an_attempt_that_ends(shop):
    payment = shop.payment(provider="razorpay")
    age(shop, Payment, created_at=utc_now() - LATER)
    age(shop, Checkout, expires_at=utc_now() - LATER)

    shop.reconcile()

    assert shop.status(payment) == "CANCELLED"


def test_a_program_that_dies_with_the_answer_finds_the_order_again(shop, there):
    payment = shop.payment(provider="razorpay")
    lost = shop.order(payment, origin="https://evcharge.example")

    again = shop.order(
        shop.payment(checkout_id=payment.checkout_id, provider="razorpay"),
        origin="https://evcharge.example",
    )

    assert again == lost
    assert len(there.links) == 1


# ── money back ───────────────────────────────────────────────────────────────────


def test_a_refund_is_sent_taken_on_and_done(shop, there, paid):
    shop.refund(5_000)
    shop.work()
    refund = only_refund(shop)
    assert (refund.status, refund.done_at) == ("SENT", None)
    assert refund.accepted_at >= refund.sent_at
    assert sent_entries(shop) == 0

    there.settle(there.refunds[refund.provider_ref])
    ask_about_refunds(shop)

    refund = only_refund(shop)
    assert (refund.status, refund.bank_reference) == ("DONE", "111222333444")
    assert refund.done_at is not None
    assert sent_entries(shop) == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_program_that_dies_around_the_call_sends_once(
    shop, there, paid, monkeypatch, moment
):
    shop.refund(5_000)
    send = shop.gateway.refund

    def die(*asked, **given):
        if moment == "after":
            send(*asked, **given)
        raise RuntimeError("the power went out")

    with monkeypatch.context() as broken:
        broken.setattr(shop.gateway, "refund", die)
        shop.work()
    assert only_refund(shop).provider_ref is None

    shop.work(at=utc_now() + LATER)

    assert there.sent_paise() == 5_000
    assert only_refund(shop).provider_ref in there.refunds


@pytest.mark.parametrize("fault", ["500 before", "500 after", "429", "dropped after"])
def test_a_fault_on_the_way_back_is_tried_again_and_sends_once(
    shop, there, paid, fault
):
    shop.refund(5_000)
    there.fail(fault, "POST")
    shop.work()

    shop.work(at=utc_now() + LATER)

    assert there.sent_paise() == 5_000
    assert only_refund(shop).accepted_at is not None


def test_a_refused_refund_waits_for_the_admin_who_may_try_again(shop, there, paid):
    shop.refund(5_000)
    there.balance_paise = 0
    shop.work()
    refund = only_refund(shop)
    assert refund.status == "FAILED"
    assert "balance" in refund.failure

    there.balance_paise = PRICE
    shop.database.perform(
        lambda session: retry_refund(session, refund.id, now=utc_now())
    )
    shop.work()

    assert (only_refund(shop).status, there.sent_paise()) == ("SENT", 5_000)


def test_a_refund_the_bank_sends_back_is_sent_anew_once_the_admin_says_so(
    shop, there, paid
):
    shop.refund(5_000)
    shop.work()
    first = only_refund(shop)
    there.settle(there.refunds[first.provider_ref], "failed")
    ask_about_refunds(shop)
    assert only_refund(shop).status == "FAILED"
    assert there.sent_paise() == 0

    shop.database.perform(
        lambda session: retry_refund(session, first.id, now=utc_now())
    )
    shop.work()

    again = only_refund(shop)
    assert again.status == "SENT"
    assert again.provider_ref != first.provider_ref
    assert there.sent_paise() == 5_000


def test_a_bank_reference_may_come_after_the_money(shop, there, paid):
    shop.refund(5_000)
    there.refund_status = "processed"
    shop.work()
    refund = only_refund(shop)
    assert (refund.status, refund.bank_reference) == ("DONE", None)

    there.settle(there.refunds[refund.provider_ref])
    age(shop, Refund, done_at=utc_now() - timedelta(hours=1), checked_at=None)
    jobs.reconcile_refunds(shop.database, providers=shop.providers)

    assert only_refund(shop).bank_reference == "111222333444"
    assert sent_entries(shop) == 1


def test_a_silent_provider_leaves_refunds_as_they_are(shop, there, paid):
    shop.refund(5_000)
    shop.work()
    there.fail("500 before")

    ask_about_refunds(shop)

    assert only_refund(shop).status == "SENT"
    assert only_refund(shop).checked_at is not None


def test_who_was_just_asked_about_is_left_alone(shop, there, paid):
    shop.refund(5_000)
    shop.work()
    ask_about_refunds(shop)
    there.calls.clear()

    jobs.reconcile_refunds(shop.database, providers=shop.providers)

    assert there.calls == []


NEWS = ["SENT", "DONE", "FAILED"]


@pytest.mark.parametrize("order", list(itertools.permutations(NEWS)))
def test_news_of_a_refund_in_any_order_end_in_one_truth(shop, paid, order):
    """Money that left, left: a FAILED before it was wrong, one after it is an alarm."""
    shop.refund(5_000)
    shop.work()
    refund = only_refund(shop)

    for status in order * 2:
        news = RefundNews(refund.id, refund.provider_ref, RefundStatus(status), "42")
        shop.database.perform(
            lambda session, news=news: record_refund_news(session, news, now=utc_now())
        )

    refund = only_refund(shop)
    assert (refund.status, refund.bank_reference, refund.failure) == (
        "DONE",
        "42",
        None,
    )
    assert sent_entries(shop) == 1


def test_a_repeat_moves_no_date_and_a_failure_after_it_is_an_alarm(shop, paid, caplog):
    shop.refund(5_000)
    shop.work()
    refund = only_refund(shop)
    hear = [RefundNews(refund.id, refund.provider_ref, RefundStatus.DONE)] * 2
    hear.append(RefundNews(refund.id, refund.provider_ref, RefundStatus.FAILED))

    dates = []
    for minutes, news in enumerate(hear):
        now = utc_now() + timedelta(minutes=minutes)
        shop.database.perform(
            lambda session, news=news, now=now: record_refund_news(
                session, news, now=now
            )
        )
        dates.append(only_refund(shop).done_at)

    assert len(set(dates)) == 1
    assert "now said to have failed" in caplog.text


def test_a_failure_of_an_earlier_try_does_not_stop_the_next(shop, paid):
    shop.refund(5_000)
    shop.work()
    refund = only_refund(shop)
    old = RefundNews(refund.id, "rfnd_of_before", RefundStatus.FAILED)

    shop.database.perform(
        lambda session: record_refund_news(session, old, now=utc_now())
    )

    assert only_refund(shop).status == "SENT"


def test_news_of_an_unknown_refund_change_nothing(shop, caplog):
    news = RefundNews(new_id(), "rfnd_1", RefundStatus.DONE)

    shop.database.perform(
        lambda session: record_refund_news(session, news, now=utc_now())
    )

    assert "unknown refund" in caplog.text


# ── webhooks and the way back, by HTTP ───────────────────────────────────────────


@pytest.fixture
def web(shop, app):
    app.config["WTF_CSRF_ENABLED"] = True
    app.extensions["evcharge.on_paid"] = shop.on_paid
    app.extensions["evcharge.providers"] = shop.providers
    return app


@pytest.fixture
def send(web):
    def post(body, given=None):
        given = signature(body, WEBHOOK_SECRET) if given is None else given
        return web.test_client().post(
            "/webhooks/razorpay", data=body, headers={"X-Razorpay-Signature": given}
        )

    return post


def events(shop) -> int:
    with shop.database.reading() as session:
        return session.query(ProviderEvent).count()


def test_a_webhook_brings_the_money_once(send, shop, there, payment):
    there.pay(payment.provider_ref)
    body = there.link_event(payment.provider_ref)

    answers = [send(body).status_code for _ in range(3)]

    assert answers == [200] * 3
    assert (shop.status(payment), shop.told(), events(shop)) == ("PAID", [PRICE], 1)
    assert shop.read(payment).bank_reference == "249727216453"


def test_a_forged_webhook_is_refused_logged_and_counted(send, shop, there, payment):
    there.pay(payment.provider_ref)
    body = there.link_event(payment.provider_ref)
    before = FORGED_MESSAGES.labels("razorpay")._value.get()

    for given in ("", "0" * 64, signature(body, KEY_SECRET)):
        assert send(body, given).status_code == 403

    assert (shop.status(payment), events(shop)) == ("PENDING", 0)
    assert FORGED_MESSAGES.labels("razorpay")._value.get() == before + 3


def test_a_webhook_ends_a_refund(send, shop, there, paid):
    shop.refund(5_000)
    shop.work()
    there_refund = there.settle(there.refunds[only_refund(shop).provider_ref])
    body = there.refund_event(there_refund)

    for _ in range(2):
        assert send(body).status_code == 200

    assert only_refund(shop).status == "DONE"
    assert sent_entries(shop) == 1


def test_what_we_do_not_follow_is_kept_answered_and_counted(send, shop, there):
    before = UNKNOWN_MESSAGES.labels("razorpay")._value.get()

    answer = send(there.event("payment.downtime.started", {"x": {}}))

    assert (answer.status_code, events(shop)) == (200, 1)
    assert UNKNOWN_MESSAGES.labels("razorpay")._value.get() == before + 1


def test_money_for_an_unknown_payment_is_kept_and_answered(send, shop, there, provider):
    stranger = Order(
        f"pay_{new_id().hex}", PRICE, "x", "/x", utc_now() + LATER, "https://x.example"
    )
    provider.open_order(stranger)
    there.pay(stranger.ref)

    answer = send(there.link_event(stranger.ref))

    assert (answer.status_code, events(shop)) == (200, 1)


@pytest.fixture
def payer(web, shop, sign_in):
    """A browser of the payer, and an attempt of theirs."""
    browser = sign_in("driver")
    shop.user_id = browser.user_id
    return browser


def test_a_payer_who_comes_back_first_is_told_at_once(payer, shop, there):
    payment = ordered(shop)
    there.pay(payment.provider_ref)

    answer = payer.get(
        f"/payments/{payment.id}/return",
        query_string=there.way_back(payment.provider_ref),
    )

    assert answer.status_code == 303
    assert shop.status(payment) == "PAID"
    assert shop.told() == [PRICE]


def test_a_payer_waits_when_the_provider_does_not_answer(payer, shop, there):
    payment = ordered(shop)
    there.pay(payment.provider_ref)
    there.fail("500 before")

    answer = payer.get(
        f"/payments/{payment.id}/return",
        query_string=there.way_back(payment.provider_ref),
    )

    assert answer.status_code == 200
    assert shop.status(payment) == "PENDING"


def test_a_way_back_of_another_payment_pays_nothing(payer, shop, there):
    paid = ordered(shop)
    there.pay(paid.provider_ref)
    stolen = there.way_back(paid.provider_ref)
    shop.item_id = new_id()
    wanted = ordered(shop)
    there.pay(wanted.provider_ref)  # Even so: nothing is asked on a forged word.
    there.calls.clear()

    payer.get(f"/payments/{wanted.id}/return", query_string=stolen)

    assert shop.status(wanted) == "PENDING"
    assert there.calls == []


# ── pages ────────────────────────────────────────────────────────────────────────


def forms_may_lead_to(app) -> str:
    policy = app.test_client().get("/login").headers["Content-Security-Policy"]
    (forms,) = (part for part in policy.split("; ") if part.startswith("form-action"))
    return forms


def test_forms_may_lead_to_razorpay_only_where_it_is_used(app, new_app):
    razorpay = new_app(
        payments="razorpay",
        razorpay_key_id=KEY_ID,
        razorpay_key_secret=KEY_SECRET,
        razorpay_webhook_secrets=WEBHOOK_SECRET,
    )

    assert forms_may_lead_to(app) == "form-action 'self'"
    assert forms_may_lead_to(razorpay) == (
        "form-action 'self' https://rzp.io https://*.razorpay.com"
    )


def test_with_real_money_the_simulated_gateway_is_gone(new_app):
    razorpay = new_app(
        payments="razorpay",
        razorpay_key_id=KEY_ID,
        razorpay_key_secret=KEY_SECRET,
        razorpay_webhook_secrets=WEBHOOK_SECRET,
    ).test_client()

    assert razorpay.get(f"/simulated-gateway/pay_{'0' * 32}").status_code == 404
    assert razorpay.post("/webhooks/simulated", data=b"{}").status_code == 404
