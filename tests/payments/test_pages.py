from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from evcharge.payments.paying import begin_payment, settle_simulated
from evcharge.payments.providers.simulated_choices import Choice
from evcharge.payments.rules import OrderOver, PaymentStatus

PRICE = 12_000


@pytest.fixture
def shop(shop, app, driver):
    """A shop whose customer sits at a browser."""
    app.extensions["evcharge.on_paid"] = shop.on_paid
    shop.user_id = driver.user_id
    return shop


@pytest.fixture
def payment(shop):
    return shop.ordered()


def way_back(shop, payment, status="PAID", tampered=None):
    """Return the address the payer's browser comes back to, perhaps tampered with."""
    order = shop.gateway.order(payment.provider_ref)
    address = urlsplit(shop.gateway.way_back(order, PaymentStatus(status)))
    query = dict(parse_qsl(address.query)) | (tampered or {})
    return f"{address.path}?{urlencode(query)}"


def flashes(client):
    with client.session_transaction() as cookie:
        return [message for _, message in cookie.get("_flashes", [])]


def test_who_comes_back_having_paid_goes_on_to_what_they_bought(driver, shop, payment):
    answer = driver.get(way_back(shop, payment))

    assert answer.status_code == 303
    assert answer.location == f"/bookings/{shop.item_id}"
    assert flashes(driver) == ["You paid ₹120.00."]
    assert shop.status(payment) == "PAID"
    assert shop.told() == [PRICE]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("FAILED", "Payment did not go through. No money was taken."),
        ("CANCELLED", "You left without paying. No money was taken."),
    ],
)
def test_who_comes_back_without_paying_is_told_so(driver, shop, payment, status, said):
    answer = driver.get(way_back(shop, payment, status))

    assert answer.location == f"/bookings/{shop.item_id}"
    assert flashes(driver) == [said]
    assert shop.status(payment) == status


def test_coming_back_before_and_after_the_webhook_is_one_payment(driver, shop, payment):
    driver.get(way_back(shop, payment))
    shop.hear(payment)
    answer = driver.get(way_back(shop, payment))

    assert answer.status_code == 303
    assert shop.told() == [PRICE]


def test_who_comes_back_before_the_webhook_says_how_they_paid(driver, shop, payment):
    address = shop.gateway.choose(payment.provider_ref, Choice.PAY, "card")

    driver.get(address)

    assert shop.read(payment).method == "card"


def test_an_old_address_saying_failed_does_not_undo_a_payment(driver, shop, payment):
    shop.hear(payment)

    driver.get(way_back(shop, payment, "FAILED"))

    assert shop.status(payment) == "PAID"


def test_money_that_went_back_is_named(driver, shop, payment):
    shop.hear(payment)
    shop.refund(5_000)

    driver.get(f"/payments/{payment.id}/return")

    assert flashes(driver) == [
        "Your payment came in, and ₹50.00 of it goes back to you."
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "FAILED"},
        {"amount_paise": "1"},
        {"amount_paise": "12000 "},
        {"method": "cash"},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "café\x00"},
        {"status": "\ud800".encode("utf-8", "surrogatepass")},
    ],
)
def test_a_tampered_address_says_nothing(driver, shop, payment, changes, caplog):
    answer = driver.get(way_back(shop, payment, tampered=changes))

    assert answer.status_code == 200
    assert "We are waiting to hear from the bank" in answer.text
    assert shop.status(payment) == "PENDING"
    assert "forged return address" in caplog.text


def test_an_address_of_another_payment_says_nothing_about_this_one(driver, shop):
    first = shop.ordered()
    shop.hear(first, "FAILED")
    second = shop.ordered()
    stolen = way_back(shop, first).replace(str(first.id), str(second.id))

    assert driver.get(stolen).status_code == 200
    assert shop.status(second) == "PENDING"


def test_while_the_bank_is_silent_the_page_looks_again_by_itself(driver, payment):
    answer = driver.get(f"/payments/{payment.id}/return")

    assert answer.status_code == 200
    assert answer.headers["Refresh"] == f"3; url=/payments/{payment.id}/return"
    assert "₹120.00" in answer.text


def test_after_some_minutes_it_looks_more_rarely(driver, shop):
    shop.now -= timedelta(minutes=3)
    payment = shop.ordered()

    answer = driver.get(f"/payments/{payment.id}/return")

    assert answer.headers["Refresh"].startswith("15;")


def test_who_paid_another_amount_is_told_that_a_person_looks(driver, shop, payment):
    shop.hear(payment, amount_paise=1)

    page = driver.get(f"/payments/{payment.id}/return").text

    assert "A person looks at this payment" in page
    assert payment.provider_ref in page


def test_the_payment_of_somebody_else_is_not_found(shop, payment, sign_in):
    stranger = sign_in("driver")

    assert stranger.get(way_back(shop, payment)).status_code == 404
    assert shop.status(payment) == "PENDING"


def test_who_was_logged_out_meanwhile_logs_in_and_is_brought_back(
    client, shop, payment
):
    answer = client.get(way_back(shop, payment))

    assert answer.status_code == 303
    assert answer.location.startswith("/login?next=")
    assert shop.status(payment) == "PENDING"


@pytest.mark.parametrize("wrong", ["0", "nothing", "0" * 36])
def test_an_address_of_no_payment_is_not_found(driver, shop, wrong):
    assert driver.get(f"/payments/{wrong}/return").status_code == 404


# ── what sellers call ────────────────────────────────────────────────────────────


def test_beginning_twice_leads_to_the_same_page_of_the_gateway(app, shop):
    checkout_id = shop.checkout()

    with app.test_request_context():
        first, address = begin_payment(checkout_id, shop.user_id)
        second, same = begin_payment(checkout_id, shop.user_id)

    assert (first.id, address) == (second.id, same)
    order = shop.gateway.order(first.provider_ref)
    assert (order.amount_paise, order.description) == (PRICE, "Booking EV-7K3M9Q")
    assert order.return_path == f"/payments/{first.id}/return"


def test_beginning_again_after_the_hold_was_extended_gives_the_order_that_time(
    app, shop
):
    with app.test_request_context():
        payment, _ = begin_payment(shop.checkout(), shop.user_id)
        later = shop.now + timedelta(minutes=30)
        begin_payment(shop.checkout(expires_at=later), shop.user_id)

    assert shop.gateway.order(payment.provider_ref).expires_at == later


@pytest.mark.parametrize(
    ("choice", "status"), [(Choice.PAY, "PAID"), (Choice.FAIL, "FAILED")]
)
def test_programs_can_settle_a_simulated_payment_without_its_page(
    app, shop, payment, choice, status
):
    with app.test_request_context():
        assert settle_simulated(payment, choice).status == status
        with pytest.raises(OrderOver):
            settle_simulated(payment, choice)
