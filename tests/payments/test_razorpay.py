"""The provider against a server that behaves as Razorpay's documentation says."""

import time
from datetime import timedelta

import pytest
from pydantic import SecretStr

import razorpay_server
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import Unavailable
from evcharge.kernel.ids import new_id
from evcharge.payments.providers.base import ASK, Order
from evcharge.payments.providers.razorpay import Razorpay, calls
from evcharge.payments.providers.razorpay.messages import signature
from evcharge.payments.rules import (
    ForgedMessage,
    OrderRefused,
    RefundRefused,
    UnreadableMessage,
    ref_of,
)
from razorpay_server import KEY_ID, KEY_SECRET, WEBHOOK_SECRET

PRICE = 12_000
UTR = "249727216453"


@pytest.fixture
def there():
    with razorpay_server.running() as server:
        yield server


def provider_of(there, **changes):
    given = {
        "key_id": KEY_ID,
        "key_secret": SecretStr(KEY_SECRET),
        "webhook_secrets": SecretStr(WEBHOOK_SECRET),
        "url": there.url,
    }
    return Razorpay(**(given | changes))


@pytest.fixture
def provider(there):
    return provider_of(there)


def an_order(**changes):
    given = {
        "ref": ref_of(new_id()),
        "amount_paise": PRICE,
        "description": "Booking EV-7K3M9Q",
        "return_path": "/payments/1/return",
        "expires_at": utc_now() + timedelta(minutes=20),
        "origin": "https://evcharge.example",
    }
    return Order(**(given | changes))


@pytest.fixture
def order(provider):
    order = an_order()
    provider.open_order(order)
    return order


@pytest.fixture
def paid(there, order):
    there.pay(order.ref)
    return order


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(calls, "PATIENCE_SECONDS", 0.6)
    monkeypatch.setattr(calls, "SILENCE_SECONDS", 0.4)


# ── orders ───────────────────────────────────────────────────────────────────────


def test_an_order_is_a_payment_link_that_asks_for_exactly_this(there, provider):
    order = an_order()

    address = provider.open_order(order)

    link = there.link(order.ref)
    assert address == link["short_url"]
    assert (link["amount"], link["currency"], link["accept_partial"]) == (
        PRICE,
        "INR",
        False,
    )
    assert link["callback_url"] == "https://evcharge.example/payments/1/return"
    assert link["expire_by"] == int(order.expires_at.timestamp())
    assert link["notify"] == {"sms": False, "email": False}


def test_the_same_order_again_is_the_same_link(there, provider, order):
    assert provider.open_order(order) == there.link(order.ref)["short_url"]
    assert len(there.links) == 1


def test_a_link_lives_longer_if_it_is_wanted_for_longer(there, provider, order):
    later = order.expires_at + timedelta(minutes=30)

    provider.open_order(an_order(ref=order.ref, expires_at=later))

    assert there.link(order.ref)["expire_by"] == int(later.timestamp())


def test_a_deadline_too_near_for_razorpay_becomes_the_nearest_it_takes(there, provider):
    order = an_order(expires_at=utc_now() + timedelta(minutes=3))

    provider.open_order(order)

    life = there.link(order.ref)["expire_by"] - time.time()
    assert 15 * 60 < life < 17 * 60


def test_an_order_that_razorpay_does_not_take_is_refused(there, provider, caplog):
    with pytest.raises(OrderRefused):
        provider.open_order(an_order(amount_paise=99))

    assert "minimum 100 paise" in caplog.text


def test_how_an_order_stands(there, provider, order):
    assert provider.ask(ref_of(new_id())) is None
    assert provider.ask(order.ref).status == "PENDING"

    there.pay(order.ref)

    outcome = provider.ask(order.ref)
    assert (outcome.status, outcome.amount_paise, outcome.currency) == (
        "PAID",
        PRICE,
        "INR",
    )
    assert (outcome.ref, outcome.method, outcome.bank_reference) == (
        order.ref,
        "upi",
        UTR,
    )


@pytest.mark.parametrize("status", ["cancelled", "expired"])
def test_a_link_that_is_over_is_a_cancelled_order(there, provider, order, status):
    there.link(order.ref)["status"] = status

    assert provider.ask(order.ref).status == "CANCELLED"


def test_money_counts_whatever_became_of_the_link(there, provider, paid):
    there.link(paid.ref)["status"] = "expired"

    assert provider.ask(paid.ref).status == "PAID"


def test_that_money_came_is_known_also_without_its_bank_reference(
    there, provider, paid
):
    there.fail("500 before", "GET /v1/payments/")

    outcome = provider.ask(paid.ref)

    assert (outcome.status, outcome.bank_reference) == ("PAID", None)


def test_other_money_than_asked_for_is_told_as_it_is(there, provider, order):
    there.pay(order.ref, amount=1, currency="USD")

    outcome = provider.ask(order.ref)

    assert (outcome.amount_paise, outcome.currency) == (1, "USD")


def test_a_closed_order_cannot_be_paid_any_more(there, provider, order):
    assert provider.close_order(order.ref).status == "CANCELLED"
    assert there.link(order.ref)["status"] == "cancelled"
    assert provider.close_order(order.ref).status == "CANCELLED"
    assert provider.close_order(ref_of(new_id())) is None


def test_closing_too_late_says_that_the_payer_was_quicker(there, provider, paid):
    assert provider.close_order(paid.ref).status == "PAID"


def test_a_payer_may_be_quicker_between_the_look_and_the_close(
    there, provider, order, monkeypatch
):
    refuse = there.cancel_link

    def pay_first(link):
        there.pay(order.ref)
        return refuse(link)

    monkeypatch.setattr(there, "cancel_link", pay_first)

    assert provider.close_order(order.ref).status == "PAID"


# ── refunds ──────────────────────────────────────────────────────────────────────


def refund(provider, order, refund_id, amount_paise=5_000):
    return provider.refund(order.ref, refund_id=refund_id, amount_paise=amount_paise)


def test_a_refund_is_taken_on_and_is_done_later(there, provider, paid):
    refund_id = new_id()

    taken_on = refund(provider, paid, refund_id)
    assert (taken_on.refund_id, taken_on.status) == (refund_id, "SENT")

    there.settle(there.refunds[taken_on.provider_ref])

    done = provider.ask_refund(paid.ref, refund_id)
    assert (done.status, done.bank_reference) == ("DONE", "111222333444")
    assert provider.ask_refund(paid.ref, new_id()) is None


def test_the_same_refund_again_is_the_same_one(there, provider, paid):
    refund_id = new_id()

    first, second = (refund(provider, paid, refund_id) for _ in range(2))

    assert first == second
    assert there.sent_paise() == 5_000


@pytest.mark.parametrize("fault", ["500 after", "dropped after"])
def test_a_refund_whose_answer_was_lost_is_found_and_not_made_again(
    there, provider, paid, fault
):
    refund_id = new_id()
    there.fail(fault, "POST")
    with pytest.raises(Unavailable):
        refund(provider, paid, refund_id)
    assert there.sent_paise() == 5_000

    news = refund(provider, paid, refund_id)

    assert news.provider_ref in there.refunds
    assert there.sent_paise() == 5_000


def test_where_the_list_of_refunds_is_behind_the_key_keeps_a_refund_single(
    there, provider, paid, monkeypatch
):
    refund_id = new_id()
    refund(provider, paid, refund_id)
    monkeypatch.setattr(razorpay_server, "listed", lambda rows: {"items": []})

    refund(provider, paid, refund_id)

    assert there.sent_paise() == 5_000


def test_two_refunds_of_one_payment_are_two(there, provider, paid):
    for _ in range(2):
        refund(provider, paid, new_id())

    assert there.sent_paise() == 10_000


def test_a_refund_that_failed_there_can_be_sent_anew(there, provider, paid):
    refund_id = new_id()
    first = refund(provider, paid, refund_id)
    there.settle(there.refunds[first.provider_ref], "failed")
    assert provider.ask_refund(paid.ref, refund_id).status == "FAILED"

    second, again = (refund(provider, paid, refund_id) for _ in range(2))

    assert first.provider_ref != second.provider_ref == again.provider_ref
    assert there.sent_paise() == 5_000
    assert provider.ask_refund(paid.ref, refund_id).status == "SENT"


def test_more_than_was_paid_is_refused_for_good(there, provider, paid):
    with pytest.raises(RefundRefused, match="greater than"):
        refund(provider, paid, new_id(), PRICE + 1)


def test_too_little_on_the_account_is_refused_and_works_once_there_is_more(
    there, provider, paid
):
    refund_id, there.balance_paise = new_id(), 0
    with pytest.raises(RefundRefused, match="balance"):
        refund(provider, paid, refund_id)

    there.balance_paise = PRICE

    assert refund(provider, paid, refund_id).status == "SENT"


def test_nothing_goes_back_of_what_never_came(there, provider, order):
    for ref in (order.ref, ref_of(new_id())):
        with pytest.raises(RefundRefused, match="no money"):
            provider.refund(ref, refund_id=new_id(), amount_paise=1)


# ── faults ───────────────────────────────────────────────────────────────────────

FAULTS = [
    "500 before",
    "500 after",
    "502",
    "409",
    "429",
    "dropped",
    "dropped after",
    "garbage",
    "odd",
    "odd error",
    "empty",
    "redirect",
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "question",
    [
        lambda provider, order: provider.ask(order.ref),
        lambda provider, order: provider.close_order(order.ref),
        lambda provider, order: provider.open_order(an_order()),
        lambda provider, order: refund(provider, order, new_id()),
        lambda provider, order: provider.ask_refund(order.ref, new_id()),
        lambda provider, order: list(
            provider.movements(utc_now() - timedelta(hours=1), utc_now())
        ),
    ],
    ids=["ask", "close", "open", "refund", "ask_refund", "movements"],
)
def test_no_fault_is_anything_but_no_answer(there, provider, paid, question, fault):
    there.fail(fault)

    with pytest.raises(Unavailable) as raised:
        question(provider, paid)

    assert type(raised.value) is Unavailable


@pytest.mark.parametrize("fault", ["429", "409", "500 before", "dropped", "garbage"])
def test_a_refund_is_never_given_up_for_what_may_pass(there, provider, paid, fault):
    refund_id = new_id()
    there.fail(fault, "POST")
    with pytest.raises(Unavailable):
        refund(provider, paid, refund_id)

    assert refund(provider, paid, refund_id).status == "SENT"
    assert there.sent_paise() == 5_000


@pytest.mark.parametrize("fault", ["500 after", "dropped after"])
def test_an_order_whose_answer_was_lost_is_found_again(there, provider, fault):
    order = an_order()
    there.fail(fault, "payment_links")
    with pytest.raises(Unavailable):
        provider.open_order(order)

    assert provider.open_order(order) == there.link(order.ref)["short_url"]
    assert len(there.links) == 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", ["slow", "drip"])
def test_a_slow_provider_is_given_up_in_time(there, provider, order, fault):
    there.fail(fault)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        provider.ask(order.ref)

    assert time.monotonic() - began < 1


def test_several_calls_share_one_patience(there, provider, paid, monkeypatch):
    monkeypatch.setattr(calls, "PATIENCE_SECONDS", 3)
    there.fail("slow", times=3)
    began = time.monotonic()

    with pytest.raises(Unavailable):
        refund(provider, paid, new_id())

    assert time.monotonic() - began < 3.5
    assert there.sent_paise() == 0


def test_the_patience_is_less_than_ten_seconds():
    assert calls.PATIENCE_SECONDS < 10


def test_a_provider_that_is_away_is_no_answer(provider, there):
    there.server_close()

    with pytest.raises(Unavailable):
        provider.ask(ref_of(new_id()))


def test_a_wrong_key_is_no_refusal_and_is_shouted(there, paid, caplog):
    stranger = provider_of(there, key_secret=SecretStr("wrong"))

    with pytest.raises(Unavailable):
        refund(stranger, paid, new_id())

    assert "401" in caplog.text
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_nothing_is_printed(there, provider, capfd):
    there.fail("dropped")
    with pytest.raises(Unavailable):
        provider.ask(ref_of(new_id()))

    assert capfd.readouterr() == ("", "")


# ── books ────────────────────────────────────────────────────────────────────────


def test_the_books_name_money_as_we_do(there, provider, paid, monkeypatch):
    monkeypatch.setattr("evcharge.payments.providers.razorpay.provider.PAGE", 1)
    refunds = [new_id(), new_id()]
    for refund_id in refunds:
        refund(provider, paid, refund_id, 1_000)
    failed = refund(provider, paid, new_id(), 1_000)
    there.settle(there.refunds[failed.provider_ref], "failed")
    by_hand = there.refund(next(iter(there.payments.values())), {"amount": 7}, None)

    now = utc_now()
    moved = list(provider.movements(now - timedelta(hours=1), now + timedelta(hours=1)))

    assert [(each.kind, each.ref, each.amount_paise) for each in moved] == [
        ("payment", paid.ref, PRICE),
        *(("refund", str(refund_id), 1_000) for refund_id in refunds),
        ("refund", by_hand["id"], 7),
    ]
    long_ago = now - timedelta(days=2)
    assert list(provider.movements(long_ago, now - timedelta(days=1))) == []


# ── signatures ───────────────────────────────────────────────────────────────────


def signed(body, secret=WEBHOOK_SECRET):
    return {"X-Razorpay-Signature": signature(body, secret)}


def test_a_webhook_says_that_money_came(there, provider, paid):
    body = there.link_event(paid.ref)

    message = provider.read_message(body, signed(body))

    assert message.outcome == provider.ask(paid.ref)
    assert message.refund is None


def test_what_identifies_the_payer_is_not_kept(there, provider, paid):
    body = there.link_event(paid.ref)

    kept = str(provider.read_message(body, signed(body)).body)

    assert paid.ref in kept
    assert not any(word in kept for word in ("asha", "9876543210"))


def test_a_webhook_says_how_a_refund_stands(there, provider, paid):
    refund_id = new_id()
    made = there.refunds[refund(provider, paid, refund_id).provider_ref]

    for status, said in [
        ("pending", "SENT"),
        ("processed", "DONE"),
        ("failed", "FAILED"),
    ]:
        body = there.refund_event(there.settle(made, status), f"refund.{status}")
        news = provider.read_message(body, signed(body)).refund
        assert (news.refund_id, news.provider_ref, news.status) == (
            refund_id,
            made["id"],
            said,
        )


def test_a_refund_made_by_hand_is_no_news_of_ours(there, provider, paid):
    made = there.refund(next(iter(there.payments.values())), {"amount": 7}, None)
    body = there.refund_event(made)

    message = provider.read_message(body, signed(body))

    assert (message.outcome, message.refund) == (None, None)


def test_an_event_of_an_unknown_kind_is_read_whatever_it_holds(there, provider):
    body = there.event("payment.dispute.created", {"dispute": ["anything"]})

    message = provider.read_message(body, signed(body))

    assert (message.outcome, message.refund) == (None, None)
    assert message.body["event"] == "payment.dispute.created"


def test_the_key_secret_does_not_sign_webhooks(there, provider, paid):
    body = there.link_event(paid.ref)

    for headers in (signed(body, KEY_SECRET), {"X-Razorpay-Signature": "é"}, {}):
        with pytest.raises(ForgedMessage):
            provider.read_message(body, headers)
    with pytest.raises(ForgedMessage):
        provider.read_message(body.replace(b"12000", b"99999"), signed(body))


def test_while_the_secret_changes_both_are_good(there, paid):
    body = there.link_event(paid.ref)
    both = provider_of(
        there, webhook_secrets=SecretStr(f"wh-new-secret {WEBHOOK_SECRET}")
    )

    for secret in ("wh-new-secret", WEBHOOK_SECRET):
        assert both.read_message(body, signed(body, secret)).outcome
    with pytest.raises(ForgedMessage):
        both.read_message(body, signed(body, "wh-older-secret"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"x"',
        b"{}",
        b'{"event": 7}',
        b"\xff\x00",
        b"[" * 60_000,
        b'{"event": "payment_link.paid", "payload": 3}',
        b'{"event": "payment_link.paid", "payload": {"payment_link": {}}}',
        b'{"event": "refund.processed", "payload": {"refund": {"entity": []}}}',
    ],
)
def test_signed_nonsense_is_unreadable(provider, body):
    with pytest.raises(UnreadableMessage):
        provider.read_message(body, signed(body))


def test_a_browser_that_carries_good_news_makes_us_ask(there, provider, paid):
    carried = there.way_back(paid.ref)

    assert provider.read_return(paid.ref, carried) == ASK
    assert provider.read_return(paid.ref, {}) is None


def test_a_browser_is_believed_about_its_own_order_only(there, provider, paid):
    carried = there.way_back(paid.ref)

    for ref, query in [
        (ref_of(new_id()), carried),
        (paid.ref, carried | {"razorpay_payment_link_status": "x"}),
        (paid.ref, there.way_back(paid.ref, WEBHOOK_SECRET)),
        (paid.ref, {"razorpay_signature": ""}),
    ]:
        with pytest.raises(ForgedMessage):
            provider.read_return(ref, query)
