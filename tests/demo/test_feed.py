import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking
from evcharge.bookings.rules import BookingStatus
from evcharge.demo.feed import MOST_ARRIVALS, MOST_CHANGES, feed, tick
from evcharge.demo.hardware import SILENT
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.settings import Settings
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.queries import connectors_of
from evcharge.stations.rules import Lifecycle, Plug, ReportedStatus, is_silent
from evcharge.wiring import JOBS, timetable
from make import HOUR, MINUTE, NOON, an_evse

TICK = timedelta(seconds=10)
EACH_TICK = MOST_CHANGES + MOST_ARRIVALS + 1


def run(session: Session, *, since: datetime = NOON, ticks: int = 1) -> list[int]:
    """Look so many times, ten seconds apart. Return how much was reported each time."""
    rng = random.Random(1)  # noqa: S311
    return [
        tick(session, now=since + number * TICK, rng=rng)
        for number in range(1, ticks + 1)
    ]


def said(session: Session) -> Counter[ReportedStatus | None]:
    return Counter(session.scalars(select(Connector.reported_status)))


def test_plugs_change_a_few_at_a_time_and_the_picture_stays_the_same(demo: Session):
    before = said(demo)

    reported = run(demo, ticks=30)

    after = said(demo)
    assert max(reported) <= EACH_TICK
    assert sum(reported) > 10
    for status in (ReportedStatus.AVAILABLE, ReportedStatus.CHARGING):
        assert abs(after[status] - before[status]) < 0.1 * before.total()
    assert after[ReportedStatus.FAULTED] <= 5


def test_it_costs_next_to_nothing(demo: Session):
    run(demo)
    started = time.process_time()

    run(demo, since=NOON + MINUTE, ticks=5)

    assert (time.process_time() - started) / 5 < 0.2  # 2 % of ten seconds.


def test_after_a_night_without_it_the_feed_catches_up_slowly(demo: Session):
    morning = NOON + 14 * HOUR

    reported = run(demo, since=morning, ticks=40)

    oldest = demo.scalars(
        select(Connector.reported_at)
        .where(Connector.reported_status == ReportedStatus.CHARGING)
        .order_by(Connector.reported_at)
    ).first()
    assert max(reported) <= EACH_TICK
    assert oldest is not None
    assert oldest >= morning


def test_chargers_stay_seen_but_for_those_that_are_silent(demo: Session):
    later = NOON + 3 * HOUR

    run(demo, since=later)

    silent = {
        charger.identity
        for charger in demo.scalars(select(Charger))
        if is_silent(charger.last_seen_at, charger.heartbeat, now=later)
    }
    assert silent == SILENT


def test_cars_come_for_bookings_that_have_begun(demo: Session):
    booking = demo.scalars(
        select(Booking)
        .join(Evse, Evse.id == Booking.evse_id)
        .join(Charger, Charger.id == Evse.charger_id)
        .where(
            Booking.status == BookingStatus.ACTIVE,
            Booking.starts_at > NOON + 2 * HOUR,
            Charger.identity.not_in(SILENT),
        )
        .order_by(Booking.starts_at, Booking.id)
    ).first()
    assert booking is not None

    run(demo, since=booking.ends_at - 5 * MINUTE, ticks=29)

    statuses = demo.scalars(
        select(Connector.reported_status).where(Connector.evse_id == booking.evse_id)
    ).all()
    assert ReportedStatus.CHARGING in statuses


def test_chargers_added_by_hand_are_left_alone(demo: Session):
    an_evse(demo, identity="MINE-1", reported=None, seen_at=None)

    run(demo, ticks=3)

    place = connectors_of(demo, ["MINE-1"])[Plug("MINE-1", 1, 1)]
    assert place.reported_status is None
    assert place.last_seen_at is None


def test_points_out_of_use_say_nothing(demo: Session):
    demo.execute(update(Evse).values(lifecycle=Lifecycle.INOPERATIVE))

    assert run(demo, ticks=3) == [0, 0, 0]


def test_edited_opening_hours_are_no_trouble(demo: Session):
    for hours in ("06:00-24:00", "18:00-06:00"):
        demo.execute(update(Location).values(opening_hours=hours))

        assert max(run(demo, ticks=3)) <= EACH_TICK


def test_the_job_runs_whatever_there_is(database: Database):
    feed(database)
    with database.transaction() as session:
        an_evse(session, identity="BM-BHRNH48-01", reported=None)
    started = utc_now()

    feed(database)

    with database.reading() as session:
        place = connectors_of(session, ["BM-BHRNH48-01"])[Plug("BM-BHRNH48-01", 1, 1)]
    assert place.reported_status == ReportedStatus.AVAILABLE
    assert place.last_seen_at is not None
    assert place.last_seen_at >= started


def test_only_the_demo_is_fed(new_settings: Callable[..., Settings]):
    assert JOBS["demo.feed"] is feed
    assert "demo.feed" in timetable(new_settings(demo=True))
    assert "demo.feed" not in timetable(new_settings(demo=False))
