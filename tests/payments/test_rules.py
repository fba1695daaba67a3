import pytest

from evcharge.kernel.ids import new_id
from evcharge.payments.rules import check_local_path, ref_of, status_after_refunds


def test_an_attempt_always_has_the_same_name_at_the_provider():
    payment_id = new_id()

    assert ref_of(payment_id) == ref_of(payment_id) == f"pay_{payment_id.hex}"
    assert ref_of(new_id()) != ref_of(payment_id)


@pytest.mark.parametrize("path", ["/", "/bookings/8a40c3", "/a-b/c_d?e=f&g=%20#top"])
def test_payers_go_back_to_pages_of_ours(path):
    assert check_local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "bookings",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/a\nSet-Cookie: b",
        "/é",
        "/" + "a" * 200,
    ],
)
def test_payers_are_never_sent_elsewhere(path):
    with pytest.raises(ValueError, match="not a path of ours"):
        check_local_path(path)


@pytest.mark.parametrize(
    ("refunded_paise", "status"),
    [
        (0, "PAID"),
        (1, "PARTIALLY_REFUNDED"),
        (99, "PARTIALLY_REFUNDED"),
        (100, "REFUNDED"),
    ],
)
def test_a_payment_is_called_after_what_went_back(refunded_paise, status):
    assert status_after_refunds(100, refunded_paise) == status
