import pytest

from evcharge.kernel.settings import InvalidSettings, read_settings

STRONG = "0123456789-abcdefgh-ABCDEFGH-xyz"
GOOD = {
    "secret_key": STRONG,
    "payments": "razorpay",
    "razorpay_key_id": "rzp_live_4Zk1uJ9",
    "razorpay_key_secret": "kR8vQ2mX7tLw5nYb",
    "razorpay_webhook_secrets": "wh-9f27c1d4e8a6b350",
}


def problems(**given: object) -> str:
    with pytest.raises(InvalidSettings) as refusal:
        read_settings(**(GOOD | given))
    return str(refusal.value)


def test_payments_are_simulated_unless_somebody_says_otherwise() -> None:
    settings = read_settings(secret_key=STRONG)

    assert settings.payments == "simulated"
    assert settings.razorpay_url == "https://api.razorpay.com"


def test_a_secret_of_webhooks_may_have_one_before_it() -> None:
    secrets = "wh-of-this-week-1234 wh-9f27c1d4e8a6b350"

    settings = read_settings(**(GOOD | {"razorpay_webhook_secrets": secrets}))

    assert settings.razorpay_webhook_secrets.get_secret_value() == secrets
    assert "wh-" not in repr(settings)
    assert "kR8v" not in repr(settings)


def test_all_that_razorpay_needs_is_asked_for_at_once() -> None:
    with pytest.raises(InvalidSettings) as refusal:
        read_settings(secret_key=STRONG, payments="razorpay")

    assert str(refusal.value).splitlines() == [
        f"EVCHARGE_RAZORPAY_{name}: is missing: EVCHARGE_PAYMENTS is razorpay"
        for name in ("KEY_ID", "KEY_SECRET", "WEBHOOK_SECRETS")
    ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"payments": "stripe"}, "EVCHARGE_PAYMENTS"),
        ({"razorpay_key_id": "kR8vQ2mX7tLw5nYb"}, "starts with rzp_live_"),
        ({"razorpay_webhook_secrets": "wh-9f27c1d4e8a6b350 short"}, "16 characters"),
        ({"razorpay_webhook_secrets": "   "}, "is missing"),
        ({"razorpay_webhook_secrets": "kR8vQ2mX7tLw5nYb"}, "than the key's own"),
        ({"razorpay_url": "http://api.razorpay.com"}, "https://api.razorpay.com"),
        ({"razorpay_url": "https://api.razorpay.com/v1"}, "https://api.razorpay.com"),
        ({"razorpay_url": "https://user@elsewhere"}, "https://api.razorpay.com"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    given: dict[str, str], said: str
) -> None:
    message = problems(**given)

    assert said in message
    assert len(message.splitlines()) == 1


def test_secrets_are_never_repeated_in_a_refusal() -> None:
    message = problems(razorpay_webhook_secrets="kR8vQ2mX7tLw5nYb")

    assert "kR8v" not in message
