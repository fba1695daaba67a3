"""Booking where a tariff applies: what pages say is what is paid."""

import re
from urllib.parse import urlencode

import pytest

from booking_pages import fields, forms, words
from evcharge.billing.queries import bill_of
from evcharge.bookings.alternatives import alternatives
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.charging.service.settling import settle_booking
from evcharge.payments.rules import ItemKind, Payer
from evcharge.payments.service import open_due
from evcharge.stations.models import Evse
from evcharge.tariffs.rules import Terms
from evcharge.web.formats import rupees
from make import HOUR, NOON, a_slot
from papers import a_bill
from tariff_rows import a_registration, a_tariff, per_kwh


def amount_at(page, slot):
    """What the script is told that a start costs."""
    value = slot.starts_at.isoformat().replace("+00:00", "Z")
    found = re.search(rf'value="{value}"(.*?)>', page.text, flags=re.S)
    assert found
    amount = re.search(r'data-accept="(\d+)"', found.group(1))
    assert amount
    return int(amount.group(1))


pytestmark = pytest.mark.usefixtures("clock")


def asked(path, slot=None):
    return f"{path}?{urlencode(fields(slot))}"


@pytest.fixture
def at(desk):
    return f"/evses/{desk.evse_id}/book"


def by_day(session):
    """Until 21:00 in India, 15:30 UTC, it costs twice as much."""
    dear = {"type": "ENERGY", "price_paise": 2000}
    cheap = {"type": "ENERGY", "price_paise": 1000}
    hours = {"start_time": "12:00", "end_time": "21:00"}
    terms = Terms.from_json(
        {
            "elements": [
                {"components": [dear], "restrictions": hours},
                {"components": [cheap]},
            ]
        }
    )
    return a_tariff(session, terms=terms)


def test_the_price_follows_the_time_and_is_what_is_paid(driver, desk, database, at):
    with database.transaction() as session:
        by_day(session)
    early, late = a_slot(after_hours=0.5), a_slot(after_hours=4)

    page = driver.get(at)
    shown = {slot: amount_at(page, slot) for slot in (early, late)}
    for slot in (early, late):
        assert desk.book(slot).amount_paise == shown[slot]

    assert shown[early] == 2 * shown[late]
    assert "₹10–20 per kWh" in words(page)
    assert "What you pay now depends on the time." in words(page)


def test_a_chosen_time_says_what_is_paid_and_that_the_rest_comes_back(
    client, desk, database, at
):
    with database.transaction() as session:
        a_tariff(session, terms=per_kwh(1800))
        a_registration(session, state="Karnataka")

    page = words(client.get(asked(at)))

    assert "₹18 per kWh + GST" in page
    assert "What you do not use comes back by itself." in page
    assert "started hour" not in page


def test_a_deposit_is_called_one(client, database, at):
    with database.transaction() as session:
        a_tariff(session, terms=per_kwh(1800, deposit_paise=20_000))

    page = words(client.get(asked(at)))

    assert "A deposit" in page
    assert "₹200" in page


def test_others_are_offered_at_their_price(desk, database):
    with database.transaction() as session:
        by_day(session)
    with database.reading() as session:
        offers = alternatives(
            session,
            evse_id=desk.evse_id,
            slot=a_slot(after_hours=3),
            limits=desk.limits,
            now=NOON,
        )
    assert len({offer.amount_paise for offer in offers}) > 1
    booked = desk.book(offers[0].slot)
    assert booked.amount_paise == offers[0].amount_paise


def test_a_move_shows_and_takes_the_price_of_the_new_time(driver, mine, desk, database):
    with database.transaction() as session:
        by_day(session)
    booking = mine.book(a_slot(after_hours=26))
    mine.pay(booking)
    path = f"/bookings/{booking.id}/move"
    late = a_slot(after_hours=28.5)

    page = driver.get(asked(path, late))
    (form,) = [each for each in forms(page, path) if "accept_amount_paise" in each]
    assert int(form["accept_amount_paise"]) == amount_at(page, late)
    moved = driver.post(path, data=fields(late) | form)

    assert moved.status_code == 303
    assert "goes back to you." in words(page)
    assert mine.read(booking.id).amount_paise == int(form["accept_amount_paise"])


def test_its_page_says_what_it_came_to(driver, mine, database, clock):
    with database.transaction() as session:
        a_tariff(session, terms=per_kwh(1800))
        a_registration(session, state="Karnataka")
    booking = mine.book()
    mine.pay(booking)
    path = f"/bookings/{booking.id}"

    before = words(driver.get(path))
    mine.cancel(booking, now=NOON + HOUR * 0.9)
    database.perform(
        lambda session: settle_booking(session, booking.id, now=NOON + HOUR)
    )
    after = words(driver.get(path))

    assert "For about 36.0 kWh" in before or "For about 30.0 kWh" in before
    assert "What you do not use comes back by itself." in before
    with database.reading() as session:
        bill = bill_of(session, ItemKind.BOOKING, booking.id)
    assert f"Cancelled late {rupees(bill.total_paise)}" in after
    assert "18 % GST included" in after


def test_the_list_says_what_it_came_to_and_the_page_what_is_still_to_pay(
    driver, mine, desk, database, clock
):
    with database.transaction() as session:
        a_tariff(session, terms=per_kwh(1800))
    booking = mine.book()
    mine.pay(booking)
    with database.transaction() as session:
        evse = session.get_one(Evse, booking.evse_id)
        a_bill(session, evse, user_id=mine.user_id, item_id=booking.id, due_paise=4_200)
        end_of(session, booking)
        due = open_due(
            session,
            payer=Payer(mine.user_id),
            item_kind=ItemKind.BOOKING,
            item_id=booking.id,
            reference=booking.reference,
            location_id=evse.charger.location_id,
            amount_paise=4_200,
            reason="You used more than you paid for",
            now=NOON,
        )

    listed = words(driver.get("/bookings?tab=past"))
    page = driver.get(f"/bookings/{booking.id}")

    assert "₹118.00" in listed
    assert rupees(booking.amount_paise) not in listed
    assert "₹42.00 is still to pay." in words(page)
    assert f'action="/dues/{due.id}/pay"' in page.text
    assert "Energy ₹18 per kWh" in words(page)


def end_of(session, booking):
    row = session.get_one(Booking, booking.id)
    row.status = BookingStatus.COMPLETED
