"""What a driver owes, for programs."""

from datetime import timedelta

import pytest

from api import bearer
from evcharge.payments.models import Due


@pytest.fixture
def call(app, shop):
    headers = bearer(shop.database, user_id=shop.user_id)
    client = app.test_client()

    def make(method, path, json=None):
        return client.open(
            f"/api/v1/dues{path}", method=method, json=json, headers=headers
        )

    return make


def test_what_is_owed_says_since_when_it_blocks_bookings(call, due, shop):
    [listed] = call("GET", "").json["items"]

    assert listed["amount"]["amount_paise"] == 4_200
    assert listed["booking_id"] == str(shop.item_id)
    assert listed["session_id"] is None
    blocks_from = (shop.now + timedelta(days=3)).isoformat().replace("+00:00", "Z")
    assert listed["blocks_booking_from"] == blocks_from


def test_it_is_paid_once(call, due, shop):
    paid = call("POST", f"/{due.id}/pay", {"outcome": "succeed"})
    again = call("POST", f"/{due.id}/pay", {"outcome": "succeed"})

    assert (paid.status_code, paid.json["status"]) == (201, "PAID")
    assert again.json["code"] == "due_over"
    [listed] = call("GET", "").json["items"]
    assert listed["paid_at"] is not None
    assert listed["blocks_booking_from"] is None
    with shop.database.reading() as session:
        assert session.get_one(Due, due.id).paid_at is not None
