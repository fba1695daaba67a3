"""The dashboard's numbers by programs: /api/v1/admin/stats."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

import make
from api import caller, refusal
from console import a_world
from evcharge.kernel.clock import utc_now
from evcharge.reports.admin.dashboard import figures
from evcharge.reports.admin_api import stats
from evcharge.web.periods import midnight, period_from_query
from recount import NOW, a_history

STATS = "/api/v1/admin/stats"
DAY = timedelta(days=1)


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def own(app, database, world):
    return caller(app, database, "operator", operator="Test Power")


@pytest.fixture
def admin(app, database, world):
    return caller(app, database, "admin")


def read(client, **query):
    answer = client.get(f"{STATS}?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    return answer.json


# ── the same numbers ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scope", ["one", "everything", "nothing"])
@pytest.mark.parametrize("name", ["today", "7d", "30d"])
@pytest.mark.parametrize("seed", [0, 1])
def test_programs_are_told_what_the_dashboard_shows(database, seed, name, scope):
    history = a_history(database, seed)
    scopes = {
        "one": frozenset({history.operators[0].id}),
        "everything": None,
        "nothing": frozenset(),
    }
    period = period_from_query(name, now=NOW)

    with database.reading() as session:
        told = stats(session, scopes[scope], since=period.since, until=NOW, now=NOW)
        shown = figures(session, scopes[scope], period, now=NOW)

    days, today = period.days, shown.today
    assert told.bookings.total == shown.bookings.until_now(days, today)
    assert sum(told.bookings.by_status.values()) == told.bookings.total
    assert told.revenue.net.amount_paise == shown.revenue.until_now(days, today)
    assert told.chargers.total == shown.chargers.total
    assert told.chargers.silent == shown.chargers.silent
    assert {each: n for each, n in told.evses.by_status.items() if n} == shown.statuses
    assert told.evses.total == shown.statuses.total()
    if shown.users is None:
        assert told.users is None
    else:
        assert told.users.new == shown.users.until_now(days, today)
        assert told.users.total == sum(shown.users.whole.values())


def test_any_stretch_is_counted_as_by_hand(database):
    history = a_history(database, 3)
    since, until = NOW - 40 * DAY, NOW - 10 * DAY
    scope = frozenset({history.operators[1].id})

    with database.reading() as session:
        told = stats(session, scope, since=since, until=until, now=NOW)
        everybody = stats(session, None, since=since, until=until, now=NOW)

    assert told.bookings.total == history.bookings_between(scope, since, until) > 0
    made = sum(
        since <= each.created_at < until and history.is_theirs(each.id, scope)
        for each in history.bookings
    )
    assert told.bookings.total + told.bookings.unpaid_holds == made
    by_hand = history.revenue_between(scope, since, until)
    assert told.revenue.net.amount_paise == by_hand
    revenue = told.revenue
    assert revenue.collected.amount_paise - revenue.refunded.amount_paise == by_hand
    assert everybody.users.new == history.users_between(since, until)


# ── asking ───────────────────────────────────────────────────────────────────────


def test_the_week_is_told_unless_another_stretch_is_asked_for(own):
    told = read(own)

    assert told["from"] == f"{midnight(utc_now()) - 6 * DAY:%Y-%m-%dT%H:%M:%SZ}"
    # Two were booked and paid; one was cancelled and its money promised back.
    assert told["bookings"]["total"] == 2
    by_status = {name: n for name, n in told["bookings"]["by_status"].items() if n}
    assert by_status == {"ACTIVE": 1, "CANCELLED": 1}
    assert told["revenue"] == {
        "collected": {"amount_paise": 2 * make.PRICE_PAISE, "currency": "INR"},
        "refunded": {"amount_paise": make.PRICE_PAISE, "currency": "INR"},
        "net": {"amount_paise": make.PRICE_PAISE, "currency": "INR"},
    }
    assert told["evses"]["total"] == told["evses"]["by_status"]["available"] == 1
    assert told["chargers"] == {"total": 1, "silent": 0}


def test_a_stretch_without_anything_is_all_zeros(own):
    told = read(own, **{"from": "2020-01-01T00:00:00Z", "to": "2020-02-01T00:00:00Z"})

    assert told["bookings"]["total"] == told["bookings"]["unpaid_holds"] == 0
    assert told["revenue"]["net"]["amount_paise"] == 0
    assert told["from"] == "2020-01-01T00:00:00Z"


def test_operators_are_told_of_their_own_network_and_of_no_users(own, admin, database):
    a_world(database, name="Other Power")

    theirs, everything = read(own), read(admin)

    assert (theirs["bookings"]["total"], everything["bookings"]["total"]) == (2, 4)
    assert (theirs["evses"]["total"], everything["evses"]["total"]) == (1, 2)
    assert theirs["users"] is None
    assert everything["users"]["total"] == 6


def test_only_those_who_run_a_network_are_told(app, client, database):
    driver = caller(app, database)

    assert refusal(client.get(STATS)) == (401, "sign_in_required")
    assert refusal(driver.get(STATS)) == (403, "not_your_role")


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("from=yesterday", (400, "invalid_request")),
        ("from=2026-01-01", (400, "invalid_request")),
        ("from=2026", (400, "invalid_request")),
        ("from=0.5", (400, "invalid_request")),
        ("from=2026-01-01T00:00:00+05:30", (400, "invalid_request")),
        ("from=2026-01-01T00:00:00.5", (400, "invalid_request")),
        ("to=2026-01-01T00:00:00", (400, "invalid_request")),
        ("since=2026-01-01T00:00:00Z", (400, "invalid_request")),
        ("to=2020-01-01T00:00:00Z", (422, "bad_range")),
        ("from=9999-12-31T23:59:59-05:30", (422, "bad_range")),
        ("from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", (422, "bad_range")),
    ],
)
def test_unclear_stretches_are_refused(own, query, refused):
    assert refusal(own.get(f"{STATS}?{query}")) == refused


def test_the_whole_calendar_is_a_stretch(own):
    ends = {"from": "0001-01-01T00:00:00+05:30", "to": "9999-12-31T23:59:59-05:30"}

    assert read(own, **ends)["bookings"]["total"] == 2
