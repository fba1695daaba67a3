"""What bookings and charges finally come to, and what follows in ledger and wallet."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

import make
from evcharge.billing.models import Bill
from evcharge.billing.queries import bill_of
from evcharge.bookings.rules import BookingStatus
from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import SessionStatus
from evcharge.charging.service.settling import settle_booking, settle_session
from evcharge.ledger.queries import balances, item_balance
from evcharge.ledger.rules import Account
from evcharge.payments.models import Due, Refund
from evcharge.payments.rules import ItemKind
from make import HOUR, MINUTE, NOON, a_slot
from tariff_rows import a_registration, a_tariff, per_kwh

LATER = NOON + 3 * HOUR


@pytest.fixture
def sold(database, desk, box):
    """A slot from NOON on at ₹20 per kWh before tax, paid."""
    with database.transaction() as session:
        a_registration(session, state="Karnataka")
        a_tariff(session, terms=per_kwh(2_000))
    booking = desk.book(a_slot(after_hours=0))
    desk.pay(booking)
    return desk.read(booking.id)


def charge(box, booking, wh, *, minutes=30):
    answer = box.start(booking.reference, at=NOON + MINUTE)
    until = NOON + minutes * MINUTE
    box.meter(answer.number, 1_000 + wh, at=until)
    box.stop(answer.number, at=until, meter=1_000 + wh)


def settle(database, booking, *, now=LATER):
    return database.perform(lambda s: settle_booking(s, booking.id, now=now))


def test_what_was_not_used_of_an_advance_goes_back(database, desk, box, sold):
    charge(box, sold, 5_000)

    bill = settle(database, sold)

    # 5 kWh × ₹20 = ₹100, and 9 % CGST and 9 % SGST of it: ₹9 each.
    assert (bill.net_paise, bill.cgst_paise, bill.sgst_paise) == (10_000, 900, 900)
    assert bill.total_paise == 11_800
    with database.reading() as session:
        [refund] = session.scalars(select(Refund)).all()
        assert refund.amount_paise == sold.paid_paise - 11_800
        kept = item_balance(session, Account.ADVANCES, ItemKind.BOOKING, sold.id)
        assert kept == 0


def charge_twice(box, booking, wh):
    """As a charger tells it that was offline meanwhile: both are of the booking."""
    meter = 1_000
    for number in range(2):
        at = NOON + (1 + 20 * number) * MINUTE
        answer = box.start(booking.reference, at=at, meter=meter)
        meter += wh
        box.stop(answer.number, at=at + 15 * MINUTE, meter=meter)
    with box.database.transaction() as session:
        session.execute(
            update(ChargingSession).values(
                booking_id=booking.id, user_id=booking.user_id
            )
        )


@pytest.mark.parametrize(
    ("bound", "wh", "net"),
    [
        # Twice 1 kWh at ₹20 is ₹40: brought up to ₹100 once, not to ₹200.
        ({"min_price_paise": 10_000}, 1_000, 10_000),
        # Twice 5 kWh is ₹200: brought down to ₹150 together.
        ({"max_price_paise": 15_000}, 5_000, 15_000),
        # Neither: ₹200.
        ({"min_price_paise": 10_000}, 5_000, 20_000),
    ],
)
def test_the_least_and_highest_price_of_a_booking_count_once(
    database, desk, box, bound, wh, net
):
    with database.transaction() as session:
        a_registration(session, state="Karnataka")
        a_tariff(session, terms=per_kwh(2_000, **bound))
    booking = desk.book(a_slot(after_hours=0))
    desk.pay(booking)
    charge_twice(box, booking, wh)

    bill = settle(database, booking)

    assert bill.net_paise == net == sum(line["amount_paise"] for line in bill.lines)
    assert bill.energy_wh == 2 * wh


def test_the_parts_of_a_bill_are_in_the_ledger(database, desk, box, sold):
    charge(box, sold, 5_000)
    settle(database, sold)

    with database.reading() as session:
        found = balances(session)
    assert found[Account.SALES] == 0
    assert found[Account.GST_OUTPUT] == -1_800
    assert found[Account.OPERATOR_PAYABLE] == -10_000
    assert sum(found.values()) == 0


def test_who_used_more_than_they_paid_owes_the_rest(database, desk, box, sold):
    charge(box, sold, 60_000)

    bill = settle(database, sold)

    with database.reading() as session:
        [due] = session.scalars(select(Due)).all()
        assert due.amount_paise == bill.total_paise - sold.paid_paise > 0
        assert due.user_id == sold.user_id
        assert balances(session)[Account.DUES] == due.amount_paise


def test_settling_again_changes_nothing(database, desk, box, sold):
    charge(box, sold, 5_000)
    first = settle(database, sold)

    again = settle(database, sold, now=LATER + HOUR)

    assert again.id == first.id
    with database.reading() as session:
        assert len(session.scalars(select(Refund)).all()) == 1
        assert len(session.scalars(select(Bill)).all()) == 1


def test_a_booking_is_not_billed_while_its_charge_goes_on(database, desk, box, sold):
    box.start(sold.reference, at=NOON + MINUTE)

    assert settle(database, sold) is None


def test_a_booking_that_is_not_over_is_not_billed(database, desk, sold):
    assert settle(database, sold, now=NOON) is None


def test_a_no_show_is_billed_what_the_terms_let_the_operator_keep(database, desk, sold):
    from evcharge.bookings.service.sweep import mark_missed

    with database.transaction() as session:
        make_seen(session, sold)
        assert mark_missed(session, now=NOON + HOUR)

    bill = settle(database, sold)

    assert desk.read(sold.id).status == BookingStatus.NO_SHOW
    assert bill.total_paise == sold.paid_paise
    assert bill.lines[0]["text"] == "Slot kept for you, nobody came"


def make_seen(session, booking):
    """Its charger can tell who came, and was there all the time."""
    booking_evse = session.get_one(make.Evse, booking.evse_id)
    booking_evse.charger.last_seen_at = NOON + HOUR


def test_what_was_cancelled_for_nothing_makes_no_bill(database, desk, sold):
    desk.cancel(sold, by=desk_operator())

    assert settle(database, sold) is None


def desk_operator():
    from desk import OPERATOR

    return OPERATOR


def test_a_slot_by_the_hour_is_billed_at_its_price_with_tax_in_it(database, desk, box):
    with database.transaction() as session:
        a_registration(session, state="Karnataka")
    booking = desk.book(a_slot(after_hours=0))
    desk.pay(booking)
    charge(box, desk.read(booking.id), 5_000)

    bill = settle(database, booking)

    assert bill.total_paise == make.PRICE_PAISE
    assert bill.net_paise == 10_169  # 12000 / 1.18
    assert bill.due_paise == 0


def test_a_card_without_booking_leaves_a_due(database, box, card, asha):
    with database.transaction() as session:
        a_tariff(session, terms=per_kwh(2_000))
    answer = box.start(card, at=NOON)
    box.stop(answer.number, at=NOON + HOUR, meter=3_000)
    [session_row] = box.sessions()
    # Nobody pays by the hour where a tariff applies, not even until it is billed.
    assert session_row.amount_paise == 0

    bill = database.perform(lambda s: settle_session(s, session_row.id, now=LATER))

    assert bill.total_paise == 4_000  # 2 kWh, and nobody registered for tax.
    with database.reading() as session:
        due = session.scalars(select(Due)).one()
        assert (due.user_id, due.amount_paise) == (asha, 4_000)


def test_an_unknown_card_is_billed_to_nobody(database, box):
    answer = box.start("NOBODY", at=NOON)
    box.stop(answer.number, at=NOON + HOUR, meter=3_000)
    [row] = box.sessions()

    assert row.status == SessionStatus.COMPLETED
    assert database.perform(lambda s: settle_session(s, row.id, now=LATER)) is None


def test_a_tariff_changed_later_touches_no_booking(database, desk, box, sold):
    with database.transaction() as session:
        a_tariff(session, terms=per_kwh(9_900), valid_from=NOON - timedelta(days=1))
    charge(box, sold, 5_000)

    assert settle(database, sold).net_paise == 10_000


def test_the_bill_is_found_by_what_it_is_for(database, desk, box, sold):
    charge(box, sold, 5_000)
    made = settle(database, sold)

    with database.reading() as session:
        assert bill_of(session, ItemKind.BOOKING, sold.id).id == made.id
        assert bill_of(session, ItemKind.SESSION, sold.id) is None
