"""What a kWh comes to, worked out for searches to compare."""

from datetime import timedelta

from sqlalchemy import select

import make
from evcharge.kernel.jobs import Job
from evcharge.stations.models import Evse
from evcharge.tariffs import jobs
from evcharge.tariffs.rules import Terms
from evcharge.tariffs.rules.agreed import Agreed
from evcharge.tariffs.rules.per_kwh import hourly_paise_per_kwh, paise_per_kwh
from evcharge.tariffs.service import assign, change_tariff, refresh_prices, set_active
from evcharge.taxes.rules import Treatment
from make import NOON
from tariff_rows import a_tariff, per_kwh

NO_TAX = Treatment(0, is_within_state=True)


def agreed(terms, *, power_w=50_000, tax=NO_TAX):
    return Agreed(1, "Test", terms, "Asia/Kolkata", power_w, tax)


def elements(*rows):
    return Terms.from_json({"elements": list(rows)})


def by(kind, paise, **restrictions):
    element = {"components": [{"type": kind, "price_paise": paise}]}
    return element | ({"restrictions": restrictions} if restrictions else {})


def prices(session):
    return session.scalars(select(Evse.paise_per_kwh).order_by(Evse.id)).all()


def test_a_price_by_energy_is_what_it_says_with_tax():
    tariff = agreed(per_kwh(1_500), tax=Treatment(18, is_within_state=True))

    assert paise_per_kwh(tariff, NOON) == 1_770


def test_a_price_by_time_is_shared_by_what_an_hour_gives():
    # 50 kW give 30 kWh in an hour.
    assert paise_per_kwh(agreed(elements(by("TIME", 60_000))), NOON) == 2_000


def test_of_the_hours_of_a_week_the_dearest_counts():
    evening = by("ENERGY", 2_500, start_time="18:00", end_time="22:00")

    dearest = paise_per_kwh(agreed(elements(evening, by("ENERGY", 1_000))), NOON)

    assert dearest == 2_500


def test_a_price_for_an_hour_compares_too():
    assert hourly_paise_per_kwh(60_000, 50_000) == 2_000
    assert hourly_paise_per_kwh(0, 50_000) == 0
    assert hourly_paise_per_kwh(10_000, 0) == hourly_paise_per_kwh(10_000, 7_400)


def test_each_point_gets_the_price_of_its_tariff_or_of_its_hour(session):
    first = make.an_evse(session, power_w=50_000, price_paise=60_000)
    refresh_prices(session, [first.id], now=NOON)
    assert prices(session) == [2_000]

    a_tariff(session, terms=per_kwh(1_200))

    assert refresh_prices(session, [first.id], now=NOON) == 1
    assert refresh_prices(session, [first.id], now=NOON) == 0
    assert prices(session) == [1_200]


def test_whatever_changes_a_tariff_asks_for_new_prices_when_it_takes_effect(session):
    tariff = a_tariff(session, terms=per_kwh(1_200))
    later = NOON + timedelta(days=3)

    change_tariff(
        session, tariff, name="New", terms=per_kwh(1_300), version=1, now=NOON
    )
    set_active(session, tariff, is_active=False, now=NOON)
    assign(session, tariff, valid_from=NOON, valid_until=later)

    asked = session.execute(select(Job.name, Job.due_at, Job.details)).all()
    mine = {"operator_id": tariff.operator_id}
    assert sorted(asked) == [
        ("tariffs.refresh_prices", at, mine) for at in (NOON, NOON, NOON, later)
    ]


def test_the_jobs_price_all_and_those_without_a_price(database, monkeypatch):
    monkeypatch.setattr(jobs, "AT_ONCE", 2)
    monkeypatch.setattr(jobs, "renew", lambda database, now: None)
    with database.transaction() as session:
        operator_id = make.an_operator(session).id
        for _ in range(3):
            make.an_evse(session, power_w=50_000, price_paise=60_000)

    jobs.price_new(database)

    with database.transaction() as session:
        assert prices(session) == [2_000] * 3
        a_tariff(session, terms=per_kwh(900))
    jobs.price_new(database)  # They have one, which is out of date.
    with database.reading() as session:
        assert prices(session) == [2_000] * 3
    jobs.refresh_all_prices(database, operator_id=operator_id + 1)
    with database.reading() as session:
        assert prices(session) == [2_000] * 3
    jobs.refresh_all_prices(database, operator_id=operator_id)
    with database.reading() as session:
        assert prices(session) == [900] * 3
