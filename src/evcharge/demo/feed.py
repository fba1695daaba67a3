"""Stands in for the demo's chargers: reports what they would, until they are real."""

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from evcharge.bookings.models import Booking
from evcharge.bookings.queries import claims_between
from evcharge.bookings.rules import BookingStatus, Slot, slot_no
from evcharge.demo.cars import (
    HOUR_IN_QUARTERS,
    Point,
    Report,
    next_report,
    occupied_share,
)
from evcharge.demo.demand import MINUTE
from evcharge.demo.hardware import SILENT, boxes
from evcharge.demo.places import places
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import ClaimedBy, Lifecycle, Plug, ReportedStatus
from evcharge.stations.rules.opening import OpeningHours
from evcharge.stations.service import record_connector_status, record_seen

EVERY = timedelta(seconds=10)
SEEN_EVERY = timedelta(minutes=2)
MOST_CHANGES = 8
MOST_ARRIVALS = 3
STAY_EXPECTED = 45 * MINUTE
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
MOST_BROKEN = 4
BREAKS = 0.005  # The chance that something breaks between two looks.

# Chargers that were added to the demo by hand are none of our business.
HEARD = frozenset(box.identity for place in places() for box in boxes(place)) - SILENT


def feed(database: Database) -> None:
    """The job: look once at the demo's chargers and report a few changes."""
    database.perform(lambda session: tick(session, now=utc_now()))


def tick(session: Session, *, now: datetime, rng: random.Random | None = None) -> int:
    """Report what has changed by `now`. Return how many reports that were."""
    reports = changes(_points(session, now), rng or random.Random(), now)  # noqa: S311
    for report in reports:
        record_connector_status(session, plug=report.plug, status=report.status, at=now)
    _stay_seen(session, now)
    return len(reports)


def changes(points: Sequence[Point], rng: random.Random, now: datetime) -> list[Report]:
    """Return at most a handful of reports, so that a long pause is made up slowly."""
    due = [report for point in points if (report := next_report(point, now))]
    rng.shuffle(due)
    return [
        *due[:MOST_CHANGES],
        *_arrivals(points, rng, now),
        *_faults(points, rng, now),
    ]


def _arrivals(
    points: Sequence[Point], rng: random.Random, now: datetime
) -> list[Report]:
    """Cars without a booking come where nobody has booked for the next hour."""
    missing = round(occupied_share(now) * len(points))
    missing -= sum(point.busy is not None for point in points)
    stay = Slot(now, now + STAY_EXPECTED)
    free = [
        point
        for point in points
        if point.is_unclaimed(now)
        and point.is_idle
        and point.hours.covers(stay.starts_at, stay.ends_at)
    ]
    count = max(0, min(missing, MOST_ARRIVALS, len(free)))
    return [
        Report(rng.choice(point.reports).plug, ReportedStatus.PREPARING, now)
        for point in rng.sample(free, count)
    ]


def _faults(points: Sequence[Point], rng: random.Random, now: datetime) -> list[Report]:
    idle = [point for point in points if point.is_idle and point.is_unclaimed(now)]
    broken = sum(point.broken is not None for point in points)
    if not idle or broken >= MOST_BROKEN or rng.random() >= BREAKS:
        return []
    plug = rng.choice(rng.choice(idle).reports).plug
    return [Report(plug, ReportedStatus.FAULTED, now)]


def _points(session: Session, now: datetime) -> list[Point]:
    rows = session.execute(
        select(
            Evse.id,
            Charger.identity,
            Evse.number,
            Connector.number,
            Connector.reported_status,
            Connector.reported_at,
            Location.opening_hours,
            Location.timezone,
        )
        .join(Charger, Charger.id == Evse.charger_id)
        .join(Location, Location.id == Charger.location_id)
        .join(Connector, Connector.evse_id == Evse.id)
        .where(
            Charger.identity.in_(HEARD),
            Evse.lifecycle == Lifecycle.ACTIVE,
            Location.is_active,
        )
        .order_by(Evse.id, Connector.number)
    ).all()
    heard: dict[int, list[Report]] = defaultdict(list)
    opening_hours = {}
    for evse_id, identity, number, connector, status, at, *hours in rows:
        # One that never said a word does so now.
        known = status or ReportedStatus.UNAVAILABLE
        plug = Plug(identity, number, connector)
        heard[evse_id].append(Report(plug, known, at or LONG_AGO))
        opening_hours[evse_id] = OpeningHours(*hours)
    claims = _claims(session, heard.keys(), now)
    promised = _promised(session, now)
    return [
        Point(
            evse_id,
            reports,
            opening_hours[evse_id],
            claims[evse_id],
            is_promised=evse_id in promised,
        )
        for evse_id, reports in heard.items()
    ]


def _claims(
    session: Session, evse_ids: Collection[int], now: datetime
) -> Mapping[int, dict[int, ClaimedBy]]:
    first = slot_no(now)
    claims: dict[int, dict[int, ClaimedBy]] = defaultdict(dict)
    for claim in claims_between(
        session, evse_ids, first, first + HOUR_IN_QUARTERS, now=now
    ):
        claims[claim.evse_id][claim.slot_no] = claim.kind
    return claims


def _promised(session: Session, now: datetime) -> set[int]:
    return set(
        session.scalars(
            select(Booking.evse_id).where(
                Booking.status == BookingStatus.ACTIVE,
                Booking.hold_expires_at.is_(None),
                Booking.starts_at <= now,
                Booking.ends_at > now,
            )
        )
    )


def _stay_seen(session: Session, now: datetime) -> None:
    """Chargers that have not been heard of lately send their heartbeat."""
    quiet = session.scalars(
        select(Charger.id).where(
            Charger.identity.in_(HEARD),
            or_(
                Charger.last_seen_at.is_(None), Charger.last_seen_at < now - SEEN_EVERY
            ),
        )
    ).all()
    if quiet:
        record_seen(session, quiet, at=now)
