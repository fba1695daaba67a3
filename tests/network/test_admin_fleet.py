import random
from collections import Counter
from datetime import timedelta

import pytest

import make
from desk import Desk
from evcharge.bookings.queries import claimed_now
from evcharge.bookings.rules import Actor, ActorKind
from evcharge.bookings.service import block_evse
from evcharge.network.fleet import (
    ChargerFilter,
    charger_conditions,
    chargers_matching,
    count_by_status,
    fact_groups,
)
from evcharge.stations.models import Charger, Evse
from evcharge.stations.rules import (
    ConnectorKind,
    EvseStatus,
    Facts,
    Lifecycle,
    ReportedStatus,
    status_of,
)
from make import HOUR, MINUTE, NOON, a_slot

NOW = NOON + 90 * MINUTE
KINDS = (ConnectorKind.CCS2, ConnectorKind.TYPE2)


def a_random_fleet(database, seed):
    """EVSEs with every mixture of facts; some booked, some kept for maintenance."""
    rng = random.Random(seed)  # noqa: S311 - the same fleet every time.
    with database.transaction() as session:
        driver = make.a_user(session).id
        staff = make.a_user(session, role="operator").id
        operators = [make.an_operator(session, name) for name in ("One", "Two")]
        sites = [make.a_location(session, operator=each) for each in operators]
        ids = []
        for _ in range(40):
            silence = rng.choice([0, 5, 10, 11, 12, 600])
            evse = make.an_evse(
                session,
                location=rng.choice(sites),
                kinds=KINDS[: rng.choice([1, 2])],
                seen_at=rng.choice([NOW - silence * MINUTE] * 5 + [None]),
                lifecycle=rng.choice([Lifecycle.ACTIVE] * 6 + list(Lifecycle)),
            )
            for plug in evse.connectors:
                plug.reported_status = rng.choice([None, *ReportedStatus])
            ids.append((evse.id, evse.lifecycle))
        scope = frozenset({operators[0].id})
    desk = Desk(database, driver, ids[0][0]).with_limits(
        most_holds=99, most_upcoming=99
    )
    for evse_id, lifecycle in ids:
        fate = rng.choice(["free", "free", "booked", "held", "over", "maintained"])
        if lifecycle == Lifecycle.ACTIVE:
            befall(desk, evse_id, fate, staff)
    return scope


def befall(desk, evse_id, fate, staff):
    if fate in ("booked", "held", "over"):
        early = NOW if fate == "held" else NOON
        slot = a_slot(after_hours=1.5)
        booking = desk.book(slot, evse_id=evse_id, now=early)
        if fate == "booked":
            desk.pay(booking, now=early)
    elif fate == "maintained":
        desk.database.perform(
            lambda session: block_evse(
                session,
                evse_id=evse_id,
                slot=a_slot(after_hours=1.5),
                reason="New cable",
                actor=Actor(ActorKind.OPERATOR, staff),
                cancel_bookings=False,
                now=NOON,
            )
        )


def recounted(session, scope):
    """Every EVSE's status by the rule itself, one at a time."""
    evses = [
        evse
        for evse in session.query(Evse)
        if evse.lifecycle != Lifecycle.REMOVED
        and (scope is None or evse.charger.location.operator_id in scope)
    ]
    claims = claimed_now(session, [evse.id for evse in evses], now=NOW)
    return {
        evse: status_of(
            Facts(
                lifecycle=evse.lifecycle,
                reported=tuple(plug.reported_status for plug in evse.connectors),
                last_seen_at=evse.charger.last_seen_at,
                heartbeat=timedelta(seconds=evse.charger.heartbeat_seconds),
                claimed_by=claims.get(evse.id),
            ),
            now=NOW,
        )
        for evse in evses
    }


@pytest.mark.parametrize("seed", range(3))
def test_the_database_counts_what_the_rule_says(database, seed):
    scope = a_random_fleet(database, seed)

    for each in (scope, None):
        with database.reading() as session:
            counted = count_by_status(fact_groups(session, each, now=NOW))
            assert counted == Counter(recounted(session, each).values())


@pytest.mark.parametrize("seed", range(3))
def test_the_filter_finds_the_chargers_with_such_a_point(database, seed):
    scope = a_random_fleet(database, seed)

    with database.reading() as session:
        groups = fact_groups(session, scope, now=NOW)
        truth = recounted(session, scope)
        for status in EvseStatus:
            wanted = ChargerFilter(scope, status=status)
            conditions = charger_conditions(wanted, groups, now=NOW)
            found = chargers_matching(session, conditions, limit=99, offset=0)
            assert {box.identity for box in found} == {
                evse.charger.identity for evse, word in truth.items() if word == status
            }


def test_a_fleet_of_nobody_is_empty(database):
    a_random_fleet(database, 1)

    with database.reading() as session:
        assert fact_groups(session, frozenset(), now=NOW) == []


def test_a_charger_without_points_is_in_the_list(database):
    with database.transaction() as session:
        session.add(
            Charger(
                identity="BARE",
                location=make.a_location(session),
                created_at=NOON - HOUR,
            )
        )

    with database.reading() as session:
        conditions = charger_conditions(ChargerFilter(None), [], now=NOW)
        found = chargers_matching(session, conditions, limit=9, offset=0)
        assert [box.identity for box in found] == ["BARE"]
