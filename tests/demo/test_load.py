import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.security import check_password_hash

from evcharge.accounts.models import Operator, OperatorMember, User
from evcharge.bookings.audit import discrepancies
from evcharge.bookings.models import Booking, BookingEvent, MaintenanceBlock
from evcharge.bookings.rules import BookingPayment, BookingStatus, Limits
from evcharge.demo import people
from evcharge.demo.load import load_demo
from evcharge.demo.people import PASSWORD
from evcharge.kernel.db import Database
from evcharge.payments.models import (
    CheckoutItem,
    Payment,
    Refund,
    SimulatedOrder,
    SimulatedRefund,
)
from evcharge.payments.rules import COLLECTED, PaymentStatus
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import Lifecycle, ReportedStatus
from evcharge.stations.rules.opening import OpeningHours
from evcharge.wiring import metadata
from make import NOON, a_user

INDIA = ZoneInfo("Asia/Kolkata")
WEEK = timedelta(days=7)
LIMITS = Limits()


def ignore(text: str) -> None:
    """Say nothing."""


def counts(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }


def of_driver(session: Session) -> list[Booking]:
    return list(
        session.scalars(
            select(Booking).join(User, User.id == Booking.user_id)
            .where(User.email == people.DRIVER)
        )
    )  # fmt: skip


def test_exactly_the_three_named_people_can_log_in(demo: Session):
    users = demo.scalars(select(User)).all()

    assert {
        user.email: user.role.value
        for user in users
        if check_password_hash(user.password_hash, PASSWORD)
    } == {
        "driver@example.com": "driver",
        "operator@example.com": "operator",
        "admin@example.com": "admin",
    }
    assert PASSWORD == "charge-demo-1"
    assert len(users) > 200


def test_the_operator_looks_after_one_network_of_a_dozen_sites_or_more(demo: Session):
    sites = demo.execute(
        select(Operator.name, func.count(Location.id))
        .join(OperatorMember, OperatorMember.operator_id == Operator.id)
        .join(User, User.id == OperatorMember.user_id)
        .join(Location, Location.operator_id == Operator.id)
        .where(User.email == "operator@example.com")
        .group_by(Operator.name)
    ).all()

    assert [name for name, _ in sites] == ["Deccan Amps"]
    assert sites[0][1] >= 12


def test_some_points_are_planned_or_out_of_use_and_one_site_is_closed(demo: Session):
    lifecycles = Counter(demo.scalars(select(Evse.lifecycle)))
    closed = demo.scalars(select(Location.name).where(~Location.is_active)).all()

    assert lifecycles[Lifecycle.PLANNED] == 3
    assert lifecycles[Lifecycle.INOPERATIVE] == 3
    assert len(closed) == 1


def test_the_audit_finds_nothing(demo: Session):
    assert discrepancies(demo) == []


def test_the_audit_would_find_a_claim_too_few(network: Database):
    with network.reading() as session:
        block = session.scalars(select(MaintenanceBlock)).one()
        block.ends_at += timedelta(minutes=15)
        session.flush()

        assert len(discrepancies(session)) == 1


def test_what_came_in_less_what_went_back_is_what_bookings_keep(demo: Session):
    came_in = dict(
        demo.execute(
            select(CheckoutItem.item_id, func.sum(Payment.amount_paise))
            .join(Payment, Payment.checkout_id == CheckoutItem.checkout_id)
            .where(Payment.status.in_(COLLECTED))
            .group_by(CheckoutItem.item_id)
        ).all()
    )
    went_back = dict(
        demo.execute(
            select(Refund.item_id, func.sum(Refund.amount_paise))
            .group_by(Refund.item_id)
        ).all()
    )  # fmt: skip
    bookings = demo.scalars(select(Booking)).all()

    assert went_back
    for booking in bookings:
        kept = came_in.get(booking.id, 0) - went_back.get(booking.id, 0)
        assert kept == booking.paid_paise
        is_paid = booking.payment_status == BookingPayment.PAID
        assert came_in.get(booking.id, 0) == (booking.amount_paise if is_paid else 0)


def test_the_simulated_gateway_has_the_same_books(demo: Session):
    ours = {
        (payment.provider_ref, payment.amount_paise, payment.status in COLLECTED)
        for payment in demo.scalars(select(Payment))
    }
    theirs = {
        (order.ref, order.amount_paise, order.status == PaymentStatus.PAID)
        for order in demo.scalars(select(SimulatedOrder))
    }
    refunds = demo.execute(select(Refund.id, Refund.amount_paise)).all()
    sent = demo.execute(select(SimulatedRefund.id, SimulatedRefund.amount_paise)).all()

    assert ours == theirs
    assert sorted(map(tuple, refunds)) == sorted(map(tuple, sent))


def test_the_events_of_a_booking_lead_to_what_it_is(demo: Session):
    events: dict[object, list[BookingEvent]] = {}
    for event in demo.scalars(select(BookingEvent).order_by(BookingEvent.id)):
        events.setdefault(event.booking_id, []).append(event)
    bookings = demo.scalars(select(Booking)).all()

    assert events.keys() == {booking.id for booking in bookings}
    for booking in bookings:
        told = events[booking.id]
        assert told[0].from_status is None
        assert told[0].at == booking.created_at
        assert told[-1].to_status == booking.status
        assert [e.at for e in told] == sorted(e.at for e in told)
        assert all(
            before.to_status == after.from_status for before, after in pairwise(told)
        )


def test_nothing_has_happened_yet_that_is_still_to_come(demo: Session):
    latest = [
        demo.scalar(select(func.max(moment)))
        for moment in (
            BookingEvent.at, Payment.paid_at, Refund.done_at, Booking.created_at,
            Connector.reported_at, Charger.last_seen_at, User.created_at,
        )
    ]  # fmt: skip

    assert max(filter(None, latest)) <= NOON


def test_every_ending_is_there_and_most_drivers_came(demo: Session):
    endings = Counter(
        demo.scalars(select(Booking.status).where(Booking.ends_at <= NOON))
    )

    total = endings.total()
    assert endings[BookingStatus.ACTIVE] == 0
    assert endings[BookingStatus.COMPLETED] > 0.75 * total
    for rare in ("CANCELLED", "NO_SHOW", "EXPIRED"):
        assert 0.01 * total < endings[BookingStatus(rare)] < 0.12 * total


def test_half_a_price_came_back_to_those_who_cancelled_late(demo: Session):
    kept = demo.execute(
        select(Booking.paid_paise, Booking.amount_paise).where(
            Booking.status == BookingStatus.CANCELLED, Booking.paid_paise > 0
        )
    ).all()

    assert kept
    assert all(paid * 2 == amount for paid, amount in kept)


def test_points_are_used_as_much_as_real_ones(demo: Session):
    bookable = demo.scalar(
        select(func.count(Evse.id)).where(Evse.lifecycle == Lifecycle.ACTIVE)
    )
    used = sum(
        (booking.slot.length for booking in _used(demo)),
        timedelta(),
    )

    assert 0.07 <= used / (WEEK * (bookable or 0)) <= 0.15


def test_drivers_come_in_the_morning_and_more_in_the_evening(demo: Session):
    hours = Counter(each.starts_at.astimezone(INDIA).hour for each in _used(demo))

    night, morning, noon, evening = (
        sum(hours[hour] for hour in of) / len(of)
        for of in (range(1, 5), range(8, 11), range(12, 15), range(17, 21))
    )
    assert night < noon < morning < evening


def _used(session: Session) -> list[Booking]:
    came = (BookingStatus.COMPLETED, BookingStatus.NO_SHOW)
    return list(session.scalars(select(Booking).where(Booking.status.in_(came))))


def test_no_booking_lies_outside_opening_hours(demo: Session):
    rows = demo.execute(
        select(Booking, Location.opening_hours)
        .join(Evse, Evse.id == Booking.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .where(Location.opening_hours != "24/7")
    ).all()

    assert rows
    assert all(
        OpeningHours(hours, "Asia/Kolkata").covers(booking.starts_at, booking.ends_at)
        for booking, hours in rows
    )


def test_the_drivers_calendar_has_something_of_everything(demo: Session):
    bookings = of_driver(demo)
    upcoming = [each for each in bookings if each.ends_at > NOON]
    statuses = Counter(each.status for each in bookings if each.ends_at <= NOON)

    assert len(upcoming) == 3
    assert all(
        (each.status, each.payment_status)
        == (BookingStatus.ACTIVE, BookingPayment.PAID)
        for each in upcoming
    )
    assert statuses[BookingStatus.COMPLETED] == 4
    assert statuses[BookingStatus.CANCELLED] == 1
    assert statuses[BookingStatus.NO_SHOW] == 1


def test_everybody_may_still_book(demo: Session):
    most = demo.scalar(
        select(func.count(Booking.id))
        .where(Booking.status == BookingStatus.ACTIVE, Booking.ends_at > NOON)
        .group_by(Booking.user_id)
        .order_by(func.count(Booking.id).desc())
        .limit(1)
    )

    assert 0 < (most or 0) < LIMITS.most_upcoming


def test_most_plugs_are_free_some_charge_and_few_are_broken(demo: Session):
    said = Counter(demo.scalars(select(Connector.reported_status)))
    total = said.total()

    assert 0.6 <= said[ReportedStatus.AVAILABLE] / total <= 0.8
    assert 0.15 <= said[ReportedStatus.CHARGING] / total <= 0.35
    assert 1 <= said[ReportedStatus.FAULTED] <= 5


def test_whoever_has_booked_this_moment_is_charging(demo: Session):
    said = demo.execute(
        select(Booking.id, Connector.reported_status)
        .join(Connector, Connector.evse_id == Booking.evse_id)
        .join(Evse, Evse.id == Booking.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .where(
            Booking.status == BookingStatus.ACTIVE,
            Booking.starts_at <= NOON,
            Booking.ends_at > NOON,
            Connector.number == 1,
            Charger.last_seen_at == NOON,
        )
    ).all()

    assert said
    assert {status for _, status in said} == {ReportedStatus.CHARGING}


def test_loading_again_changes_nothing(network: Database):
    before = counts(network)
    said: list[str] = []

    assert load_demo(network, now=NOON + WEEK, say=said.append) is False
    assert counts(network) == before
    assert said == ["The database is not empty: the demo network was not loaded."]


def test_a_database_with_a_person_in_it_is_left_alone(database: Database):
    with database.transaction() as session:
        a_user(session)

    assert load_demo(database, now=NOON, say=ignore) is False
    assert counts(database)["locations"] == 0


def test_loading_takes_seconds_and_gives_the_same_demo_everywhere(
    network: Database, tmp_path: Path
):
    again = Database(f"sqlite:///{tmp_path}/again.db")
    metadata.create_all(again.engine)
    random.seed()  # Nothing hangs on the random numbers of others.
    started = time.process_time()

    load_demo(again, now=NOON, say=ignore)

    assert time.process_time() - started < 10
    assert _calendar(again) == _calendar(network)
    again.engine.dispose()


def _calendar(database: Database) -> list[tuple[object, ...]]:
    with database.reading() as session:
        rows = session.execute(
            select(
                Booking.id, Booking.reference, Booking.evse_id, Booking.starts_at,
                Booking.ends_at, Booking.status, Booking.paid_paise,
            ).order_by(Booking.id)
        )  # fmt: skip
        return [tuple(row) for row in rows]


def test_it_may_be_loaded_at_midnight(tmp_path: Path):
    database = Database(f"sqlite:///{tmp_path}/demo.db")
    metadata.create_all(database.engine)
    now = datetime(2026, 1, 31, 18, 30, tzinfo=UTC)  # In India.

    load_demo(database, now=now, say=ignore)

    with database.reading() as session:
        upcoming = [each for each in of_driver(session) if each.ends_at > now]
        assert discrepancies(session) == []
        assert len(upcoming) == 3
    database.engine.dispose()
