"""What searches order by: how reliable a location is, over the last weeks."""

from datetime import timedelta

from sqlalchemy import select

import make
from evcharge.stations.jobs import refresh_reliability
from evcharge.stations.models import Evse, Location, LocationConnector, Outage
from evcharge.stations.rules import Lifecycle, OutageKind
from evcharge.stations.rules.finding import ANY_KIND
from evcharge.stations.service import record_prices, record_reliability
from make import HOUR, NOON

LATER = NOON + 10 * 24 * HOUR


def an_outage(session, evse_id, hours):
    session.add(
        Outage(
            evse_id=evse_id,
            kind=OutageKind.FAULTED,
            began_at=NOON,
            ended_at=NOON + hours * HOUR,
        )
    )
    session.flush()


def reliability(session):
    return session.scalars(
        select(LocationConnector.reliability_permille).where(
            LocationConnector.kind == ANY_KIND
        )
    ).all()


def test_reliability_is_the_mean_of_what_its_points_could_charge(session):
    location = make.a_location(session)
    make.an_evse(session, location=location)
    broken = make.an_evse(session, location=location)
    an_outage(session, broken.id, hours=24)

    changed = record_reliability(session, [location.id], now=LATER)

    # One of two points, for one day of ten: 950 of 1000.
    assert changed == 1
    assert session.scalars(select(Location.reliability_permille)).all() == [950]
    assert reliability(session) == [950]


def test_the_same_reliability_again_is_no_change(session):
    location_id = make.an_evse(session).charger.location_id
    record_reliability(session, [location_id], now=LATER)

    assert record_reliability(session, [location_id], now=LATER) == 0


def test_a_site_of_today_has_proved_nothing_yet(session):
    location_id = make.an_evse(session).charger.location_id

    record_reliability(session, [location_id], now=NOON + HOUR)

    assert session.scalars(select(Location.reliability_permille)).all() == [None]
    assert reliability(session) == [-1]


def test_points_that_are_closed_on_purpose_say_nothing(session):
    evse = make.an_evse(session, lifecycle=Lifecycle.INOPERATIVE)

    record_reliability(session, [evse.charger.location_id], now=LATER)

    assert session.scalars(select(Location.reliability_permille)).all() == [None]


def test_the_job_looks_at_every_location(database, monkeypatch):
    monkeypatch.setattr("evcharge.stations.jobs.AT_ONCE", 1)
    monkeypatch.setattr("evcharge.stations.jobs.renew", lambda database, now: None)
    monkeypatch.setattr("evcharge.stations.jobs.utc_now", lambda: LATER)
    with database.transaction() as session:
        for _ in range(3):
            make.an_evse(session)

    refresh_reliability(database)

    with database.reading() as session:
        assert reliability(session) == [1000] * 3


def test_a_price_is_no_edit(session):
    evse = make.an_evse(session)

    record_prices(session, {evse.id: 1500})
    record_reliability(session, [evse.charger.location_id], now=LATER + timedelta(1))

    assert session.execute(select(Evse.version, Evse.paise_per_kwh)).all() == [
        (1, 1500)
    ]
    assert session.scalars(select(Location.version)).all() == [1]
