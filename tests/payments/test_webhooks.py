import json

import pytest

from evcharge.kernel.metrics import FORGED_MESSAGES
from evcharge.payments.models import ProviderEvent
from evcharge.payments.providers.simulated import SIGNATURE_HEADER, notice_body
from evcharge.payments.rules import PaymentStatus

PRICE = 12_000


@pytest.fixture
def shop(shop, app):
    """The same shop, with its webhook open to the world."""
    app.config["WTF_CSRF_ENABLED"] = True  # Providers have no token to send.
    app.extensions["evcharge.on_paid"] = shop.on_paid
    return shop


@pytest.fixture
def payment(shop):
    return shop.ordered()


@pytest.fixture
def send(client, shop):
    """Send a webhook, signed by the gateway unless another signature is given."""

    def post(body, signature=None, name="simulated"):
        raw = body if isinstance(body, bytes) else body.encode()
        signature = shop.gateway.sign(raw) if signature is None else signature
        return client.post(
            f"/webhooks/{name}",
            data=raw,
            headers={SIGNATURE_HEADER: signature},
            content_type="application/json",
        )

    return post


def paid(shop, payment, **changes):
    body = notice_body(shop.gateway.order(payment.provider_ref), PaymentStatus.PAID)
    return json.dumps(json.loads(body) | changes)


def events(shop):
    with shop.database.reading() as session:
        return session.query(ProviderEvent).count()


def untouched(shop, payment):
    return (shop.status(payment), shop.told(), events(shop)) == ("PENDING", [], 0)


def test_the_gateway_tells_us_that_money_came_in(send, shop, payment):
    answer = send(paid(shop, payment))

    assert answer.status_code == 200
    assert shop.status(payment) == "PAID"
    assert shop.told() == [PRICE]


def test_a_replay_is_answered_alike_and_changes_nothing(send, shop, payment):
    body = paid(shop, payment)

    first, second = send(body), send(body)

    assert (first.status_code, first.json) == (second.status_code, second.json)
    assert shop.told() == [PRICE]
    assert events(shop) == 1


@pytest.mark.parametrize("signature", ["", "0" * 64, "café", "0"])
def test_a_forged_message_is_refused_logged_and_counted(
    send, shop, payment, signature, caplog
):
    counter = FORGED_MESSAGES.labels("simulated")
    before = counter._value.get()

    answer = send(paid(shop, payment), signature)

    assert answer.status_code == 403
    assert answer.json["code"] == "forged_message"
    assert untouched(shop, payment)
    assert counter._value.get() == before + 1
    assert "forged webhook" in caplog.text


def test_a_signature_of_another_message_does_not_fit(send, shop, payment):
    stolen = shop.gateway.sign(paid(shop, payment).encode())

    assert send(paid(shop, payment), stolen).status_code == 403
    assert untouched(shop, payment)


def test_the_signature_on_a_return_address_is_none_for_a_webhook(send, shop, payment):
    carried = f"return|{payment.provider_ref}|PAID|{PRICE}"

    assert send(carried).status_code == 422
    assert untouched(shop, payment)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"PAID"',
        b"{}",
        b"[" * 60_000,
        b'{"event_id": NaN}',
    ],
)
def test_a_signed_message_that_makes_no_sense_is_refused(send, shop, payment, body):
    answer = send(body)

    assert answer.status_code == 422
    assert answer.json["code"] == "unreadable_message"
    assert untouched(shop, payment)


@pytest.mark.parametrize(
    "changes",
    [
        {"event_id": None},
        {"event_id": ""},
        {"event_id": 7},
        {"event_id": "e" * 81},
        {"event_id": "a\x00b"},
        {"event_id": "evt\n"},
        {"ref": "pay_1"},
        {"ref": ["pay_1"]},
        {"ref": "pay_" + "0" * 32 + "\n"},
        {"status": "paid"},
        {"status": "REFUNDED"},
        {"status": {"a": 1}},
        {"amount_paise": "12000"},
        {"amount_paise": 12000.5},
        {"amount_paise": True},
        {"amount_paise": -1},
        {"amount_paise": 10**30},
        {"currency": "rupees"},
        {"currency": 1},
        {"method": "cash"},
        {"failure": "\x00"},
        {"failure": "f" * 201},
    ],
)
def test_fields_of_the_wrong_kind_are_refused(send, shop, payment, changes):
    answer = send(paid(shop, payment, **changes))

    assert answer.status_code == 422
    assert untouched(shop, payment)


def test_a_huge_message_is_refused(send, shop, payment):
    answer = send(paid(shop, payment) + " " * 70_000)

    assert answer.status_code == 413
    assert untouched(shop, payment)


def test_an_unknown_provider_is_not_found(send, shop, payment):
    for name in ("nobody", "a" * 500, "%00", "simulated%00"):
        assert send(paid(shop, payment), name=name).status_code == 404
    assert untouched(shop, payment)


def test_a_message_about_an_unknown_payment_is_answered_so_that_it_ends(send, shop):
    body = paid(shop, shop.ordered(), ref="pay_" + "0" * 32)

    assert send(body).status_code == 200
    assert events(shop) == 1


def test_another_amount_is_kept_for_a_person_and_is_no_error(send, shop, payment):
    answer = send(paid(shop, payment, amount_paise=1))

    assert answer.status_code == 200
    assert shop.status(payment) == "PENDING"
    assert shop.read(payment).failure == "1 INR paise came, 12000 were asked"


def test_looking_at_the_address_does_nothing(client):
    assert client.get("/webhooks/simulated").status_code == 405


def test_late_success_after_failure_over_http(send, shop, payment):
    order = shop.gateway.order(payment.provider_ref)

    send(notice_body(order, PaymentStatus.FAILED))
    assert shop.status(payment) == "FAILED"
    send(notice_body(order, PaymentStatus.PAID))

    assert shop.status(payment) == "PAID"
