from datetime import timedelta

import pytest

import make
from evcharge.accounts.models import Guest
from evcharge.kernel.ids import new_id
from evcharge.payments.models import Due, Refund
from evcharge.payments.paying import begin_payment
from evcharge.payments.rules import ItemKind, Payer, RefundStatus
from evcharge.payments.service import settle_due

OWED = 4_200


@pytest.fixture
def shop(shop, app, driver):
    app.extensions["evcharge.on_paid"] = shop.on_paid | {ItemKind.DUE: settle_due}
    shop.user_id = driver.user_id
    return shop


def test_who_owes_nothing_is_told_so(driver, shop):
    assert "You owe nothing." in driver.get("/dues").text


@pytest.mark.parametrize("path", ["/bookings", "/account"])
def test_who_owes_something_reads_it_where_they_often_are(driver, due, path):
    assert "You owe ₹42.00." in driver.get(path).text


@pytest.mark.parametrize("path", ["/bookings", "/account"])
def test_who_owes_nothing_does_not(driver, shop, path):
    assert "You owe ₹" not in driver.get(path).text


def test_what_is_owed_is_paid_at_the_gateway_and_then_gone(driver, shop, due):
    at_gateway = driver.post(f"/dues/{due.id}/pay").location
    back = driver.post(at_gateway, data={"choice": "pay", "method": "upi"}).location
    answer = driver.get(back)

    assert answer.location == "/dues"
    page = driver.get("/dues").text
    assert f"/dues/{due.id}/pay" not in page
    assert "EV-7K3M9Q" in page
    with shop.database.reading() as session:
        assert session.get_one(Due, due.id).paid_at is not None


def test_what_was_paid_cannot_be_paid_again(driver, shop, due):
    with shop.database.transaction() as session:
        session.get_one(Due, due.id).paid_at = shop.now

    answer = driver.post(f"/dues/{due.id}/pay", follow_redirects=True)

    assert "This is not owed any more." in answer.text


def test_what_others_owe_is_not_found(driver, shop, due):
    with shop.database.transaction() as session:
        session.get_one(Due, due.id).user_id = make.a_user(session).id

    assert driver.post(f"/dues/{due.id}/pay").status_code == 404


# ── where a refund is ────────────────────────────────────────────────────────────


def refunded(shop, **columns):
    payment = shop.paid()
    shop.refund(5_000)
    with shop.database.transaction() as session:
        refund = session.query(Refund).one()
        for name, value in columns.items():
            setattr(refund, name, value)
    return payment


@pytest.mark.parametrize(
    ("columns", "said", "unsaid"),
    [
        ({}, "It is back in your account by", "Sent to the payment provider"),
        (
            {"status": RefundStatus.SENT, "sent_at": "now"},
            "Sent to the payment provider",
            "Accepted",
        ),
        (
            {"status": RefundStatus.SENT, "sent_at": "now", "accepted_at": "now"},
            "Accepted by the payment provider",
            "Left for your bank",
        ),
        (
            {"status": RefundStatus.DONE, "done_at": "now", "bank_reference": "6123"},
            "Bank reference 6123",
            "It is back in your account",
        ),
        ({"status": RefundStatus.FAILED}, "We are on it", "Left for your bank"),
    ],
)
def test_a_driver_reads_how_far_a_refund_is(driver, shop, columns, said, unsaid):
    values = {k: shop.now if v == "now" else v for k, v in columns.items()}
    payment = refunded(shop, **values)

    page = driver.get(f"/payments/{payment.id}").text

    assert "₹50.00 goes back to you" in page
    assert said in page
    assert unsaid not in page


def test_the_payment_of_somebody_else_is_not_found(driver, shop):
    with shop.database.transaction() as session:
        shop.user_id = make.a_user(session).id
    payment = shop.paid()

    assert driver.get(f"/payments/{payment.id}").status_code == 404


# ── guests ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def guest_id(shop):
    guest_id = new_id()
    with shop.database.transaction() as session:
        session.add(Guest(id=guest_id, created_at=shop.now))
    return guest_id


def test_a_guest_pays_and_comes_back_without_a_login(app, client, shop, guest_id):
    checkout_id = shop.checkout(
        user_id=None, guest_id=guest_id, return_path="/visits/secret"
    )
    with app.test_request_context():
        payment, at_gateway = begin_payment(checkout_id, guest_id=guest_id)

    back = client.post(at_gateway, data={"choice": "pay", "method": "upi"}).location
    answer = client.get(back)

    assert (answer.status_code, answer.location) == (303, "/visits/secret")
    assert shop.status(payment) == "PAID"
    assert str(payment.id) not in back


@pytest.mark.parametrize("token", ["x", "IjAxIg.AAAA", "a" * 500])
def test_an_address_that_was_not_signed_by_us_leads_nowhere(client, shop, token):
    assert client.get(f"/guest-payments/{token}/return").status_code == 404


def test_the_payment_of_a_guest_is_not_found_by_its_number(driver, shop, guest_id):
    checkout_id = shop.checkout(user_id=None, guest_id=guest_id)
    payment = shop.payment(checkout_id, payer=Payer(guest_id=guest_id))

    assert driver.get(f"/payments/{payment.id}").status_code == 404
    assert driver.get(f"/payments/{payment.id}/return").status_code == 404


def test_a_refund_is_expected_after_seven_working_days():
    friday = make.NOON + timedelta(days=1)

    refund = Refund(created_at=friday, done_at=None)

    assert refund.expected_by == friday + timedelta(days=11)
