from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy import text

from desk import OPERATOR
from evcharge.bookings.rules import (
    BookingsInTheWay,
    BookingStatus,
    EvseNotBookable,
)
from evcharge.bookings.service import close_location
from evcharge.payments.queries import refunds_of_item
from evcharge.payments.rules import ItemKind
from evcharge.stations.models import Evse, Location
from evcharge.stations.rules import EditedMeanwhile, Lifecycle
from make import NOON, PRICE_PAISE


@pytest.fixture
def location_id(desk):
    with desk.database.reading() as session:
        return session.get_one(Evse, desk.evse_id).charger.location_id


def close(session, location_id, *, cancel_bookings=False, version=1):
    close_location(
        session,
        location_id=location_id,
        version=version,
        actor=OPERATOR,
        cancel_bookings=cancel_bookings,
        reason="The road is dug up",
        now=NOON,
    )


def test_a_closed_location_takes_no_bookings(desk, location_id):
    desk.database.perform(lambda session: close(session, location_id))

    with pytest.raises(EvseNotBookable):
        desk.book()


def test_closing_a_location_leaves_its_charging_points_as_they_are(desk, location_id):
    desk.database.perform(lambda session: close(session, location_id))

    with desk.database.reading() as session:
        assert session.get_one(Evse, desk.evse_id).lifecycle == Lifecycle.ACTIVE


def test_a_location_with_bookings_stays_open_unless_they_are_cancelled(
    desk, location_id
):
    booking = desk.book()

    with pytest.raises(BookingsInTheWay) as refusal:
        desk.database.perform(lambda session: close(session, location_id))
    assert refusal.value.details["booking_ids"] == [booking.id]
    with desk.database.reading() as session:
        assert session.get_one(Location, location_id).is_active


def test_closing_over_bookings_gives_all_the_money_back(desk, location_id):
    booking = desk.book()
    desk.pay(booking)

    desk.database.perform(
        lambda session: close(session, location_id, cancel_bookings=True)
    )

    assert desk.read(booking.id).status == BookingStatus.CANCELLED
    assert refunded_paise(desk, booking) == PRICE_PAISE
    assert desk.audit() == []


def refunded_paise(desk, booking):
    with desk.database.reading() as session:
        refunds = refunds_of_item(session, ItemKind.BOOKING, booking.id)
        return sum(refund.amount_paise for refund in refunds)


def test_a_location_edited_meanwhile_is_not_closed(desk, location_id):
    with pytest.raises(EditedMeanwhile):
        desk.database.perform(lambda session: close(session, location_id, version=9))


def test_who_books_while_a_location_is_being_closed_is_refused(desk, location_id):
    began = Event()

    def book():
        began.set()
        try:
            return desk.book().status
        except EvseNotBookable:
            return "refused"

    with ThreadPoolExecutor(1) as drivers:
        with desk.database.transaction() as session:
            close(session, location_id)
            driver = drivers.submit(book)
            began.wait()
            pause_until_the_driver_waits(desk)
        told = driver.result()

    assert told == "refused"


def pause_until_the_driver_waits(desk):
    """On PostgreSQL for a lock of ours; on SQLite writers take turns anyway."""
    if desk.database.is_sqlite:
        return
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with desk.database.reading() as session:
        while not session.scalar(waiting):
            session.rollback()
