"""Times as chargers tell them."""

from datetime import UTC, datetime, timedelta

import pytest

from evcharge.gateway.charger_clock import charger_time

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T10:00:00Z",
        "2026-11-23T10:00:00.000Z",
        "2026-11-23t10:00:00z",
        "2026-11-23T15:30:00+05:30",
        "2026-11-23T10:00:00",
        " 2026-11-23T10:00:00.000000000Z",
    ],
)
def test_a_time_is_read_however_it_is_spelled(text: str) -> None:
    assert charger_time(text, now=NOW) == TEN


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "yesterday",
        "1970-01-01T00:00:03Z",
        "2026-02-31T10:00:00Z",
        "2026-11-23T25:00:00Z",
        "0001-01-01T00:00:00+05:30",
        "2106-02-07T06:28:15Z",
    ],
)
def test_a_time_that_cannot_be_is_no_time(text: str | None) -> None:
    assert charger_time(text, now=NOW) is None


def test_a_clock_in_the_wrong_zone_is_believed() -> None:
    ahead = NOW + timedelta(hours=14)

    assert charger_time(ahead.isoformat(), now=NOW) == ahead


def test_days_old_times_from_an_offline_queue_are_believed() -> None:
    old = NOW - timedelta(days=40)

    assert charger_time(old.isoformat(), now=NOW) == old
