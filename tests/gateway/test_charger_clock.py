"""Times as chargers tell them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from evcharge.gateway.charger_clock import charger_time, wire_time

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
    assert charger_time(text) == TEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-02-31T10:00:00Z",
        "2026-11-23T25:00:00Z",
        "0001-01-01T00:00:00+05:30",
        "9999-12-31T23:59:59Z",
        "2106-02-07T06:28:15Z",
    ],
)
def test_what_cannot_be_a_time_is_none(text: str) -> None:
    assert charger_time(text) is None


def test_a_clock_that_was_never_set_is_told_as_it_is() -> None:
    assert charger_time("1970-01-01T00:00:03Z") == datetime(
        1970, 1, 1, 0, 0, 3, tzinfo=UTC
    )


def test_chargers_are_told_the_time_in_utc_with_milliseconds() -> None:
    at = datetime(2026, 11, 23, 15, 30, 1, 2999, tzinfo=ZoneInfo("Asia/Kolkata"))

    assert wire_time(at) == "2026-11-23T10:00:01.002Z"
