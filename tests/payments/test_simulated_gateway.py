"""The gateway's own page, and what it tells the shop."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from evcharge.kernel.clock import utc_now
from evcharge.kernel.ids import new_id
from evcharge.payments.providers.simulated import CARD_REFUND_TAKES
from evcharge.payments.providers.simulated_choices import LATE, Choice
from evcharge.payments.rules import OrderNotFound, OrderOver, RefundRefused

PRICE = 12_000
LATER = timedelta(seconds=30)


@pytest.fixture
def payment(shop):
    return shop.ordered()


@pytest.fixture
def press(client, payment):
    """Press a button on the gateway's page."""

    def post(choice, **form):
        return client.post(
            f"/simulated-gateway/{payment.provider_ref}",
            data={"choice": choice, "method": "upi"} | form,
        )

    return post


def page(client, payment):
    return client.get(f"/simulated-gateway/{payment.provider_ref}")


def test_the_page_says_what_is_paid_and_that_no_money_moves(client, payment):
    answer = page(client, payment)

    assert answer.status_code == 200
    for words in ("Pay ₹120.00", "Booking EV-7K3M9Q", "no money moves", "UPI", "Card"):
        assert words in answer.text


def test_the_page_needs_the_token_of_its_form(app, client, shop, payment, press):
    app.config["WTF_CSRF_ENABLED"] = True

    assert press("pay").status_code == 400
    assert shop.gateway.order(payment.provider_ref).status == "PENDING"

    token = re.search(r'name="csrf_token" value="([^"]+)"', page(client, payment).text)
    assert press("pay", csrf_token=token[1]).status_code == 303


@pytest.mark.parametrize(
    ("choice", "truth", "carried"),
    [
        ("pay", "PAID", "PAID"),
        ("fail", "FAILED", "FAILED"),
        ("leave", "CANCELLED", "CANCELLED"),
        ("fail_then_pay", "PAID", "FAILED"),
    ],
)
def test_each_button_sends_the_payer_home_with_the_news(
    shop, payment, press, choice, truth, carried
):
    answer = press(choice)

    assert answer.status_code == 303
    assert answer.location.startswith(f"/payments/{payment.id}/return?status={carried}")
    assert shop.gateway.order(payment.provider_ref).status == truth


def test_who_pays_while_the_shop_hears_late_goes_home_without_news(
    shop, payment, press
):
    assert press("pay_late").location == f"/payments/{payment.id}/return"

    shop.work()
    assert shop.status(payment) == "PENDING"
    shop.work(at=utc_now() + LATER)
    assert shop.status(payment) == "PAID"


def test_the_shop_hears_of_those_who_never_come_back(shop, payment, press):
    answer = press("pay_and_stay")

    assert answer.location == f"/simulated-gateway/{payment.provider_ref}"
    shop.work()
    assert shop.status(payment) == "PAID"


def test_a_failure_may_turn_into_success(shop, payment, press):
    press("fail_then_pay")

    shop.work()
    assert shop.status(payment) == "FAILED"
    shop.work(at=utc_now() + LATER)
    assert shop.status(payment) == "PAID"
    assert shop.told() == [PRICE]


def test_the_way_of_paying_is_passed_on(shop, payment, press):
    press("pay", method="card")
    shop.work()

    assert shop.read(payment).method == "card"


def test_an_order_is_paid_once(client, shop, payment, press):
    press("pay")

    again = press("pay")

    assert again.status_code == 409
    assert "You paid ₹120.00." in again.text
    assert len(shop.jobs("payments.deliver_simulated")) == 1


def test_of_eight_who_press_at_once_one_is_heard(shop, payment):
    def press(_):
        try:
            return shop.gateway.choose(payment.provider_ref, "pay", "upi") is not None
        except OrderOver:
            return False

    with ThreadPoolExecutor(8) as people:
        assert sum(people.map(press, range(8))) == 1
    assert len(shop.jobs("payments.deliver_simulated")) == 1


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("pay", "You paid ₹120.00."),
        ("fail", "This payment did not go through."),
        ("leave", "This payment was called off."),
    ],
)
def test_an_ended_order_says_so_and_leads_back(client, payment, press, choice, words):
    press(choice)

    answer = page(client, payment)

    assert words in answer.text
    assert f"/payments/{payment.id}/return?status=" in answer.text
    assert 'name="choice"' not in answer.text


def test_after_the_time_to_pay_nothing_can_be_paid(client, shop):
    payment = shop.payment()
    shop.order(payment, expires_at=shop.now)

    answer = client.post(
        f"/simulated-gateway/{payment.provider_ref}", data={"choice": "pay"}
    )

    assert answer.status_code == 409
    assert "The time to pay is over." in answer.text
    assert shop.gateway.order(payment.provider_ref).status == "PENDING"


@pytest.mark.parametrize("choice", ["", "PAY", "refund", "\x00", "p" * 9_000])
def test_unknown_buttons_do_nothing(shop, payment, press, choice):
    answer = press(choice)

    assert answer.status_code == 422
    assert "Choose one of the buttons." in answer.text
    assert shop.gateway.order(payment.provider_ref).status == "PENDING"


def test_an_amount_smuggled_into_the_form_changes_nothing(shop, payment, press):
    press("pay", amount_paise="1", status="PAID", method="<script>")
    shop.work()

    stored = shop.read(payment)
    assert (stored.status, stored.amount_paise, stored.method) == ("PAID", PRICE, "upi")


@pytest.mark.parametrize(
    "ref", ["pay_1", "pay_" + "0" * 32, "%00", "pay_" + "0" * 31 + "%00", "é" * 900]
)
def test_an_unknown_order_is_not_found(client, shop, ref):
    assert client.get(f"/simulated-gateway/{ref}").status_code == 404
    answer = client.post(f"/simulated-gateway/{ref}", data={"choice": "pay"})
    assert answer.status_code == 404


# ── its books ────────────────────────────────────────────────────────────────────


def test_it_knows_nothing_of_orders_that_were_never_opened(shop):
    assert shop.gateway.ask("pay_" + "0" * 32) is None
    assert shop.gateway.close_order("pay_" + "0" * 32) is None
    with pytest.raises(OrderNotFound):
        shop.gateway.order("pay_" + "0" * 32)


def test_a_paid_order_is_not_closed(shop, payment):
    shop.gateway.choose(payment.provider_ref, "pay", "upi")

    assert shop.gateway.close_order(payment.provider_ref).status == "PAID"


def test_opening_an_order_again_never_reopens_it(shop, payment):
    shop.gateway.choose(payment.provider_ref, "fail", "upi")

    shop.order(payment)

    assert shop.gateway.ask(payment.provider_ref).status == "FAILED"


def test_the_same_refund_twice_goes_out_once(shop):
    ref = shop.paid().provider_ref
    refund_id = new_id()

    names = {
        shop.gateway.refund(ref, refund_id=refund_id, amount_paise=PRICE).provider_ref
        for _ in range(2)
    }

    assert names == {f"rfnd_{refund_id.hex}"}
    with pytest.raises(RefundRefused, match="more than was paid"):
        shop.gateway.refund(ref, refund_id=new_id(), amount_paise=1)


def test_what_was_not_paid_is_not_sent_back(shop, payment):
    for ref in (payment.provider_ref, "pay_" + "0" * 32):
        with pytest.raises(RefundRefused, match="no money"):
            shop.gateway.refund(ref, refund_id=new_id(), amount_paise=1)


@pytest.mark.parametrize(
    ("choice", "messages"), [(Choice.TOLD_TWICE, 2), (Choice.TOLD_BACKWARDS, 2)]
)
def test_messages_that_come_twice_or_backwards_change_nothing(shop, choice, messages):
    payment = shop.ordered()
    shop.gateway.choose(payment.provider_ref, choice, "upi")

    shop.work(at=utc_now() + LATE)

    assert len(shop.jobs("payments.deliver_simulated")) == messages
    assert shop.status(payment) == "PAID"
    assert shop.told() == [PRICE]


def test_a_refund_to_a_card_takes_its_time_and_then_has_a_bank_reference(shop):
    payment = shop.ordered()
    shop.gateway.choose(payment.provider_ref, "pay", "card")
    refund_id = new_id()
    refund = {"refund_id": refund_id, "amount_paise": PRICE}

    news = shop.gateway.refund(payment.provider_ref, **refund)
    shop.now += CARD_REFUND_TAKES
    later = shop.gateway.ask_refund(payment.provider_ref, refund_id)

    assert (news.status, news.bank_reference) == ("SENT", None)
    assert later.status == "DONE"
    assert later.bank_reference
