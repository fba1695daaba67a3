"""Every number of the dashboard, counted again by hand over random histories."""

from datetime import timedelta

import pytest

from evcharge.reports.admin.dashboard import figures
from evcharge.reports.queries import revenue_between
from evcharge.web.periods import period_from_query
from recount import NOW, a_history, local_day, midnight, share_of

DAY = timedelta(days=1)
SEEDS = range(2)


@pytest.fixture(params=SEEDS)
def history(request, database):
    return a_history(database, request.param)


@pytest.fixture(params=["one", "everything", "nothing"])
def scope(request, history):
    return {
        "one": frozenset({history.operators[0].id}),
        "everything": None,
        "nothing": frozenset(),
    }[request.param]


def shown(database, scope, name):
    with database.reading() as session:
        return figures(session, scope, period_from_query(name, now=NOW), now=NOW)


def stretches(days):
    """The period and the one before it, both up to the present time of day."""
    since = midnight(days - 1)
    return (since, NOW), (since - days * DAY, NOW - days * DAY)


@pytest.mark.parametrize(("name", "days"), [("today", 1), ("7d", 7), ("30d", 30)])
def test_bookings_and_revenue_are_those_of_the_period(
    database, history, scope, name, days
):
    found = shown(database, scope, name)
    now, before = stretches(days)

    assert found.bookings.until_now(days, found.today) == (
        history.bookings_between(scope, *now)
    )
    assert found.bookings.the_time_before(days, found.today) == (
        history.bookings_between(scope, *before)
    )
    assert found.revenue.until_now(days, found.today) == (
        history.revenue_between(scope, *now)
    )
    assert found.revenue.the_time_before(days, found.today) == (
        history.revenue_between(scope, *before)
    )


def test_this_week_begins_on_monday(database, history, scope):
    found = shown(database, scope, "today")
    monday = midnight(NOW.weekday())

    assert found.bookings.since_monday(found.today) == (
        history.bookings_between(scope, monday, NOW)
    )
    assert found.revenue.last_week(found.today) == (
        history.revenue_between(scope, monday - 7 * DAY, NOW - 7 * DAY)
    )


@pytest.mark.parametrize(("name", "days"), [("today", 1), ("7d", 7), ("30d", 30)])
def test_utilisation_is_the_booked_part_of_what_was_on_offer(
    database, history, scope, name, days
):
    found = shown(database, scope, name)
    now, before = stretches(days)

    used = history.usage_between(scope, *now)

    assert found.share == pytest.approx(share_of(used))
    assert found.previous_share == pytest.approx(
        share_of(history.usage_between(scope, *before))
    )
    for row, (_, shares) in enumerate(found.heat):
        for hour, share in enumerate(shares):
            booked, offered = used.get((row, hour), (0, 0))
            assert share == pytest.approx(booked / offered if offered else 0)


def test_users_are_counted_for_admins_only(database, history, scope):
    found = shown(database, scope, "30d")

    if scope is not None:
        assert found.users is None
        return
    now, before = stretches(30)
    assert found.users.until_now(30, found.today) == history.users_between(*now)
    assert found.users.the_time_before(30, found.today) == (
        history.users_between(*before)
    )
    assert sum(found.users.whole.values()) == (
        history.users_between(NOW - 9999 * DAY, NOW)
    )


def test_the_days_of_the_chart_add_up_to_the_tiles(database, history, scope):
    found = shown(database, scope, "30d")

    assert len(found.lines) == 30
    assert found.lines[-1].on == local_day(NOW)
    assert sum(line.bookings for line in found.lines) == (
        found.bookings.until_now(30, found.today)
    )
    assert sum(line.revenue_paise for line in found.lines) == (
        found.revenue.until_now(30, found.today)
    )
    for line, days_ago in zip(found.lines, reversed(range(30)), strict=True):
        day = midnight(days_ago)
        assert line.bookings == history.bookings_between(scope, day, day + DAY)
        assert line.revenue_paise == history.revenue_between(scope, day, day + DAY)


def test_the_payments_page_says_the_same_revenue(database, history, scope):
    found = shown(database, scope, "30d")

    with database.reading() as session:
        revenue = revenue_between(session, scope, since=midnight(29), until=NOW)

    assert revenue.collected_paise == found.revenue.until_now(30, found.today)


def test_all_revenue_is_all_payments_less_all_refunds(database, history):
    with database.reading() as session:
        revenue = revenue_between(session, None, since=None, until=None)

    ever = history.revenue_between(None, NOW - 9999 * DAY, NOW + 9999 * DAY)
    assert revenue.collected_paise == ever


def test_what_is_shown_is_not_nothing(database, history):
    found = shown(database, None, "30d")

    assert found.bookings.until_now(30, found.today) > 0
    assert found.share > 0
