from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, render_template_string

from evcharge.web import formats

# A Monday, 17:30 in India.
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def after(**span):
    return NOW + timedelta(**span)


def rendered(template, **values):
    app = Flask("formats")
    formats.install(app)
    with app.app_context():
        return render_template_string(template, **values)


@pytest.mark.parametrize(
    ("paise", "shown"),
    [
        (0, "₹0.00"),
        (5, "₹0.05"),
        (99_900, "₹999.00"),
        (1_00_000, "₹1,000.00"),
        (1_23_456_50, "₹1,23,456.50"),
        (12_34_56_789_00, "₹12,34,56,789.00"),
        (-1_23_450, "−₹1,234.50"),
    ],
)
def test_money_is_grouped_the_indian_way(paise, shown):
    assert formats.rupees(paise) == shown


@pytest.mark.parametrize(
    ("paise", "shown"),
    [(1800, "₹18"), (1850, "₹18.50"), (1805, "₹18.05"), (1_00_000_00, "₹1,00,000")],
)
def test_a_price_on_a_card_drops_empty_paise_only(paise, shown):
    assert formats.rupees_short(paise) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1,000"),
        (99_999, "99,999"),
        (-1_00_000, "−1,00,000"),
    ],
)
def test_counts_are_grouped_the_indian_way(value, shown):
    assert formats.number(value) == shown


@pytest.mark.parametrize(
    ("watts", "shown"),
    [(60_000, "60 kW"), (7_400, "7.4 kW"), (3_300, "3.3 kW"), (22_080, "22.1 kW")],
)
def test_power_shows_a_decimal_only_where_there_is_one(watts, shown):
    assert formats.kw(watts) == shown


@pytest.mark.parametrize(
    ("watt_hours", "shown"),
    [
        (0, "0.0 kWh"),
        (12_400, "12.4 kWh"),
        (12_450, "12.5 kWh"),
        (1_234_567, "1,234.6 kWh"),
    ],
)
def test_energy_always_shows_one_decimal(watt_hours, shown):
    assert formats.kwh(watt_hours) == shown


@pytest.mark.parametrize(
    ("metres", "shown"),
    [(4, "0 m"), (847, "850 m"), (999, "1.0 km"), (2_440, "2.4 km"), (24_400, "24 km")],
)
def test_distance_is_as_exact_as_a_driver_needs(metres, shown):
    assert formats.distance(metres) == shown


@pytest.mark.parametrize(
    ("fraction", "shown"), [(0, "0 %"), (0.255, "26 %"), (1, "100 %")]
)
def test_percent_is_whole(fraction, shown):
    assert formats.percent(fraction) == shown


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("ccs2", "CCS2"),
        ("type2", "Type 2"),
        ("chademo", "CHAdeMO"),
        ("gbt_ac", "GB/T AC"),
        ("gbt_dc", "GB/T DC"),
        ("bharat_ac_001", "Bharat AC-001"),
        ("bharat_dc_001", "Bharat DC-001"),
        ("lev_ac", "LEV AC"),
        ("lev_dc", "LEV DC"),
        ("lev_combo", "LEV combo"),
        ("socket_16a", "16 A socket"),
        ("type1", "Type 1"),
    ],
)
def test_plugs_have_the_names_drivers_know(kind, shown):
    assert formats.plug(kind) == shown


def test_the_clock_is_the_one_at_the_charger():
    assert formats.clock(NOW) == "17:30"
    assert formats.clock(NOW, "Asia/Kathmandu") == "17:45"
    assert formats.clock(NOW, ZoneInfo("UTC")) == "12:00"


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (NOW, "today"),
        (after(hours=6, minutes=29), "today"),
        (after(hours=6, minutes=30), "tomorrow"),
        (after(hours=-18), "yesterday"),
        (after(days=2), "Wed 25 Nov"),
        (after(days=60), "Fri 22 Jan 2027"),
    ],
)
def test_days_turn_at_midnight_at_the_charger(moment, shown):
    assert formats.day(moment, NOW) == shown


def test_day_and_clock_stand_together():
    assert formats.day_clock(after(days=2), NOW) == "Wed 25 Nov 17:30"


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "shown"),
    [
        (after(minutes=30), after(minutes=90), "today 18:00–19:00"),
        (after(hours=6), after(hours=7), "today 23:30 – tomorrow 00:30"),
        (after(hours=5, minutes=30), after(hours=6, minutes=30), "today 23:00–24:00"),
    ],
)
def test_a_slot_says_its_day_once_unless_it_has_two(starts_at, ends_at, shown):
    assert formats.slot_range(starts_at, ends_at, NOW) == shown


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(minutes=45), "45 min"),
        (timedelta(hours=1), "1 h"),
        (90, "1 h 30 min"),
        (480, "8 h"),
        (0, "0 min"),
    ],
)
def test_a_duration_is_hours_and_minutes(span, shown):
    assert formats.duration(span) == shown


@pytest.mark.parametrize(
    ("past", "shown"),
    [
        (timedelta(seconds=-3), "0 s ago"),
        (timedelta(seconds=12), "12 s ago"),
        (timedelta(seconds=60), "1 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=3), "3 days ago"),
    ],
)
def test_age_is_in_the_largest_whole_unit(past, shown):
    assert formats.age(NOW - past, NOW) == shown


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (after(hours=-3), "since 14:30"),
        (after(hours=-20), "since yesterday"),
        (after(days=-3), "since Fri 20 Nov"),
    ],
)
def test_since_is_a_time_today_and_a_day_before(moment, shown):
    assert formats.since(moment, NOW) == shown


@pytest.mark.parametrize(
    ("remaining", "shown"),
    [
        (timedelta(minutes=26), "about 25 min left"),
        (timedelta(minutes=92), "about 1 h 30 min left"),
        (timedelta(minutes=4), "almost done"),
        (timedelta(minutes=-4), "almost done"),
    ],
)
def test_what_is_left_is_rounded_to_five_minutes(remaining, shown):
    assert formats.left(NOW + remaining, NOW) == shown


def test_ago_gives_scripts_the_instant():
    assert formats.ago(after(seconds=-12), NOW) == (
        '<time datetime="2026-11-23T11:59:48Z" data-age>12 s ago</time>'
    )


def test_filters_take_the_moment_of_the_page():
    template = "{{ at|day_clock }}, {{ at|slot_range(end) }}, {{ at|day('UTC') }}"

    shown = rendered(template, at=NOW, end=after(hours=1), now=NOW)

    assert shown == "today 17:30, today 17:30–18:30, today"


def test_filters_take_the_clock_where_the_page_has_no_moment():
    assert (
        rendered("{{ at|day }}", at=datetime(2020, 1, 6, tzinfo=UTC))
        == "Mon 6 Jan 2020"
    )


def test_no_filter_hides_one_of_jinja():
    app = Flask("formats")
    before = dict(app.jinja_env.filters)

    formats.install(app)

    assert {name: app.jinja_env.filters[name] for name in before} == before
