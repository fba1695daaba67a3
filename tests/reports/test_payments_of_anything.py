"""Payments of sessions and dues, by drivers and guests, in the console."""

import csv
import io

import pytest

import make
import money_rows
from charging_rows import a_session
from evcharge.accounts.models import Guest
from evcharge.kernel.clock import utc_now
from evcharge.kernel.ids import new_id
from evcharge.payments.rules import Item, ItemKind, Outcome, Payer, PaymentStatus
from evcharge.payments.service import open_checkout, record_outcome, start_payment


@pytest.fixture
def site(database):
    with database.transaction() as session:
        operator = make.an_operator(session)
        evse = make.an_evse(session, location=make.a_location(session))
        driver = make.a_user(session, name="Ravi")
        charge = a_session(session, evse.id, driver.id)
        guest = Guest(id=new_id(), email="guest@example.com", created_at=utc_now())
        session.add(guest)
        location_id = evse.charger.location_id
        due = money_rows.a_due(
            session, location_id, driver.id, item_id=charge.id,
            reference=charge.reference,
        )  # fmt: skip
    return operator, location_id, charge, guest, driver, due


def pay(database, item, payer):
    now = utc_now()
    with database.transaction() as session:
        checkout = open_checkout(
            session, user_id=payer.user_id, guest_id=payer.guest_id, items=[item],
            description="Charging",
            return_path="/",
            expires_at=now + make.HOUR,
            now=now,
        )  # fmt: skip
        payment = start_payment(
            session, checkout_id=checkout.id, payer=payer, provider="simulated", now=now
        )
        outcome = Outcome(payment.provider_ref, PaymentStatus.PAID, item.amount_paise)
        told = dict.fromkeys(ItemKind, lambda *_, **__: None)
        record_outcome(
            session, provider="simulated", outcome=outcome, on_paid=told, now=now
        )


def test_a_guests_charge_and_a_drivers_due_are_listed_with_what_they_are_for(
    database, sign_in, site
):
    operator, location_id, charge, guest, driver, due = site
    pay(
        database, Item(ItemKind.SESSION, charge.id, 20_000, location_id),
        Payer(guest_id=guest.id),
    )  # fmt: skip
    pay(
        database, Item(ItemKind.DUE, due.id, due.amount_paise, location_id),
        Payer(user_id=driver.id),
    )  # fmt: skip
    staff = sign_in("operator", operator=operator)

    page = staff.get("/admin/payments").text
    lines = csv.DictReader(io.StringIO(staff.get("/admin/payments.csv").text))

    assert page.count(f"/admin/sessions/{charge.id}") == 2
    assert "₹242.50" in page
    assert {(line["driver"], line["reference"]) for line in lines} == {
        ("Guest", charge.reference),
        ("Ravi", charge.reference),
    }


def test_others_do_not_see_them(database, sign_in, site):
    _, location_id, charge, guest, _, _ = site
    pay(
        database, Item(ItemKind.SESSION, charge.id, 20_000, location_id),
        Payer(guest_id=guest.id),
    )  # fmt: skip
    with database.transaction() as session:
        other = make.an_operator(session, "Other Power")
    stranger = sign_in("operator", operator=other)

    page = stranger.get("/admin/payments").text

    assert charge.reference not in page
    assert "₹200" not in page
