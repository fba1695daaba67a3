from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from evcharge.bookings.forms import (
    BadChoice,
    amount_from_form,
    choice_from_query,
    evse_from_form,
    page_from_query,
    slot_from_form,
)
from evcharge.bookings.rules import Limits
from make import HOUR, NOON, a_slot

INDIA = ZoneInfo("Asia/Kolkata")
BERLIN = ZoneInfo("Europe/Berlin")
LIMITS = Limits()


def read(zone=INDIA, now=NOON, **values):
    form = {"starts_at": "2026-01-15T13:00:00Z", "minutes": "60"} | values
    return slot_from_form(form, zone=zone, limits=LIMITS, now=now)


@pytest.mark.parametrize(
    "starts_at",
    [
        "2026-01-15T13:00:00Z",
        "2026-01-15T18:30:00+05:30",
        "2026-01-15T18:30",
        "2026-01-15 18:30:00",
    ],
)
def test_an_instant_and_wall_time_at_the_charger_mean_the_same_slot(starts_at):
    assert read(starts_at=starts_at) == a_slot()


def test_of_two_equal_wall_times_the_first_is_meant():
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)

    slot = read(zone=BERLIN, now=autumn, starts_at="2026-10-25T02:30")

    assert slot.starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_wall_time_that_the_clocks_skip_does_not_exist():
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)

    with pytest.raises(BadChoice, match="start time"):
        read(zone=BERLIN, now=spring, starts_at="2026-03-29T02:30")


@pytest.mark.parametrize(
    "starts_at",
    [
        "",
        "soon",
        "NaN",
        "18:30",
        "\0",
        "2026-01-15T13:00:00Z\0",
        "9" * 10_000,
        "-2026-01-15T13:00",
        "99999-01-01T00:00",
        "9999-12-31T23:45:00-12:00",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:45Z",
        "2026-02-30T10:00Z",
        "2026-01-15T24:30Z",
        "२०२६-०१-१५T१३:००",
    ],
)
def test_what_is_no_time_is_refused_at_the_start_time(starts_at):
    with pytest.raises(BadChoice) as refusal:
        read(starts_at=starts_at)

    assert refusal.value.field == "starts_at"


@pytest.mark.parametrize(
    ("starts_at", "reason"),
    [
        ("2026-01-15T11:00:00Z", "passed"),
        ("2026-01-15T13:07:00Z", "quarter hour"),
        ("2026-01-15T13:00:00.5Z", "quarter hour"),
        ("2026-01-15T13:00:01Z", "quarter hour"),
        ("2026-02-15T13:00:00Z", "14 days"),
        ("9998-01-15T13:00:00Z", "14 days"),
    ],
)
def test_a_time_that_cannot_be_booked_is_refused_with_the_reason(starts_at, reason):
    with pytest.raises(BadChoice, match=reason) as refusal:
        read(starts_at=starts_at)

    assert refusal.value.field == "starts_at"


@pytest.mark.parametrize(
    "minutes",
    [
        *("", "0", "-60", "60.0", "6e1", "NaN", "inf", "6_0", " 60", "٦٠", "0x3c"),
        *("7", "495", "9" * 30, "1" * 10_000, "60\0", "None"),
    ],
)
def test_what_is_no_length_is_refused_at_the_length(minutes):
    with pytest.raises(BadChoice, match="from 15 min to 8 h") as refusal:
        read(minutes=minutes)

    assert refusal.value.field == "minutes"


def test_a_missing_field_is_refused_like_an_empty_one():
    with pytest.raises(BadChoice):
        slot_from_form({}, zone=INDIA, limits=LIMITS, now=NOON)


def test_what_an_address_does_not_say_clearly_counts_as_unsaid():
    choice = choice_from_query(
        {"day": "2026-02-30", "minutes": "-1", "starts_at": "never"},
        zone=INDIA,
        limits=LIMITS,
        usual=HOUR,
    )

    assert (choice.day, choice.length, choice.slot) == (None, HOUR, None)


def test_an_address_chooses_day_length_and_start():
    choice = choice_from_query(
        {"day": "2026-01-16", "minutes": "90", "starts_at": "2026-01-15T13:00:00Z"},
        zone=INDIA,
        limits=LIMITS,
        usual=HOUR,
    )

    assert choice.day == date(2026, 1, 16)
    assert choice.slot == a_slot(hours=1.5)


@pytest.mark.parametrize(
    ("text", "number"),
    [("12000", 12_000), ("", None), ("-1", None), ("1.5", None), ("9" * 12, None)],
)
def test_amounts_and_ids_are_plain_numbers(text, number):
    form = {"accept_amount_paise": text, "evse_id": text}

    assert amount_from_form(form, "accept_amount_paise") == number
    assert evse_from_form(form) == number


@pytest.mark.parametrize(
    ("text", "page"), [("3", 3), ("", 1), ("0", 1), ("-2", 1), ("x", 1)]
)
def test_a_page_that_makes_no_sense_is_the_first(text, page):
    assert page_from_query({"page": text}) == page
