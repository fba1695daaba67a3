from dataclasses import replace
from datetime import timedelta

import pytest

from evcharge.stations.rules import (
    BadStation,
    ClaimedBy,
    ConnectorKind,
    EvseStatus,
    Facts,
    Lifecycle,
    ReportedStatus,
    status_of,
)
from evcharge.stations.rules.entries import (
    STATES,
    ChargerDetails,
    ConnectorDetails,
    EvseDetails,
    LocationDetails,
    check_charger,
    check_connector,
    check_evse,
    check_location,
    is_outside_india,
    search_text,
)
from make import NOON

R, S = ReportedStatus, EvseStatus
HEARTBEAT = timedelta(seconds=300)
ALLOWED = timedelta(seconds=660)


def status(*reported, lifecycle=Lifecycle.ACTIVE, claimed_by=None, silent_for=None):
    seen_at = NOON - (silent_for or timedelta(0))
    facts = Facts(lifecycle, reported, seen_at, HEARTBEAT, claimed_by)
    return status_of(facts, now=NOON)


@pytest.mark.parametrize(
    ("lifecycle", "shown"),
    [
        (Lifecycle.REMOVED, S.REMOVED),
        (Lifecycle.PLANNED, S.PLANNED),
        (Lifecycle.INOPERATIVE, S.INOPERATIVE),
    ],
)
def test_what_the_operator_says_comes_first(lifecycle, shown):
    assert status(R.CHARGING, lifecycle=lifecycle) == shown


def test_a_maintenance_block_now_takes_it_out_of_service_whatever_it_reports():
    blocked = status(R.CHARGING, claimed_by=ClaimedBy.BLOCK, silent_for=HEARTBEAT * 9)

    assert blocked == S.INOPERATIVE


def test_a_charger_is_known_until_two_heartbeats_and_a_minute_have_passed():
    assert status(R.AVAILABLE, silent_for=ALLOWED) == S.AVAILABLE
    assert status(R.CHARGING, silent_for=ALLOWED + timedelta(seconds=1)) == S.UNKNOWN


def test_a_charger_never_heard_of_is_unknown():
    facts = Facts(Lifecycle.ACTIVE, (R.AVAILABLE,), None, HEARTBEAT)

    assert status_of(facts, now=NOON) == S.UNKNOWN


@pytest.mark.parametrize("word", [R.CHARGING, R.SUSPENDED_EV, R.SUSPENDED_EVSE])
def test_a_vehicle_that_charges_shows_also_while_it_is_booked(word):
    assert status(word, claimed_by=ClaimedBy.BOOKING) == S.CHARGING
    assert status(R.FAULTED, word) == S.CHARGING


def test_an_open_session_is_charging_before_the_charger_says_so():
    assert status(R.AVAILABLE, claimed_by=ClaimedBy.SESSION) == S.CHARGING


@pytest.mark.parametrize(
    ("reported", "shown"),
    [
        ((R.FAULTED, R.FAULTED), S.OUT_OF_ORDER),
        ((R.UNAVAILABLE, R.UNAVAILABLE), S.INOPERATIVE),
        ((R.FAULTED, R.UNAVAILABLE), S.INOPERATIVE),
        ((), S.INOPERATIVE),
        ((R.FAULTED, R.AVAILABLE), S.AVAILABLE),
        ((R.UNAVAILABLE, R.AVAILABLE), S.AVAILABLE),
        ((None, R.AVAILABLE), S.AVAILABLE),
        ((R.FAULTED, None), S.UNKNOWN),
        ((None,), S.UNKNOWN),
        ((R.AVAILABLE,), S.AVAILABLE),
    ],
)
def test_it_is_broken_only_when_every_plug_is(reported, shown):
    assert status(*reported) == shown


def test_what_is_broken_stays_broken_while_it_is_booked():
    assert status(R.FAULTED, claimed_by=ClaimedBy.BOOKING) == S.OUT_OF_ORDER


@pytest.mark.parametrize("word", [R.PREPARING, R.FINISHING, R.OCCUPIED])
def test_occupied_is_not_broken_and_goes_before_a_booking(word):
    assert status(word, claimed_by=ClaimedBy.BOOKING) == S.BLOCKED
    assert status(R.FAULTED, word) == S.BLOCKED


def test_it_is_reserved_by_a_booking_or_by_the_chargers_word():
    assert status(R.AVAILABLE, claimed_by=ClaimedBy.BOOKING) == S.RESERVED
    assert status(None, claimed_by=ClaimedBy.BOOKING) == S.RESERVED
    assert status(R.RESERVED) == S.RESERVED


# ── entries ──────────────────────────────────────────────────────────────────────

GOOD_PLACE = LocationDetails(
    name="MG Road",
    address="12 MG Road",
    city="Bengaluru",
    state="Karnataka",
    pincode="560001",
    lat=12.9756,
    lon=77.6066,
    opening_hours="06:00-22:00",
    amenities=("wifi", "restrooms"),
)
GOOD_CHARGER = ChargerDetails(identity="CP-1_*=+|@.", vendor="Acme", model="One")


def test_sensible_entries_are_taken():
    check_location(GOOD_PLACE)
    check_charger(GOOD_CHARGER)
    check_evse(EvseDetails(number=1, booking_price_paise=0))
    check_connector(ConnectorDetails(1, ConnectorKind.CCS2, power_w=1_000_000))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 121),
        ("name", "two\nlines"),
        ("name", "nul\0"),
        ("name", "\N{ZERO WIDTH SPACE}"),
        ("name", "turned \N{RIGHT-TO-LEFT OVERRIDE}around"),
        ("address", ""),
        ("city", "x" * 81),
        ("state", "Ontario"),
        ("state", "karnataka"),
        ("pincode", "060001"),
        ("pincode", "56001"),
        ("pincode", "५६०००१"),
        ("pincode", "560001\n"),
        ("lat", 90.1),
        ("lat", float("nan")),
        ("lon", float("inf")),
        ("lon", -180.5),
        ("opening_hours", "9-5"),
        ("opening_hours", "06:00-25:00"),
        ("opening_hours", "06:00-06:00"),
        ("opening_hours", "24:00-06:00"),
        ("amenities", ("pool",)),
        ("timezone", "Asia/Atlantis"),
        ("timezone", "../etc/passwd"),
        ("timezone", "localtime"),
    ],
)
def test_a_bad_entry_is_refused_at_its_field(field, value):
    with pytest.raises(BadStation) as refusal:
        check_location(replace(GOOD_PLACE, **{field: value}))

    assert list(refusal.value.details["problems"]) == [field]


def test_a_name_may_have_the_joiners_of_indic_scripts():
    check_location(replace(GOOD_PLACE, name="ಕ್\N{ZERO WIDTH JOINER}ಷ ಬೀದಿ"))


@pytest.mark.parametrize("hours", ["24/7", "22:00-06:00", "00:00-24:00"])
def test_opening_hours_may_pass_midnight(hours):
    check_location(replace(GOOD_PLACE, opening_hours=hours))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("identity", ""),
        ("identity", "x" * 49),
        ("identity", "with space"),
        ("identity", "a:b"),
        ("identity", "é"),
        ("vendor", "x" * 51),
        ("heartbeat_seconds", 9),
        ("heartbeat_seconds", 86_401),
    ],
)
def test_a_bad_charger_is_refused_at_its_field(field, value):
    with pytest.raises(BadStation) as refusal:
        check_charger(replace(GOOD_CHARGER, **{field: value}))

    assert list(refusal.value.details["problems"]) == [field]


@pytest.mark.parametrize("price", [-1, 1_000_001, 10**30])
def test_a_price_is_neither_negative_nor_absurd(price):
    with pytest.raises(BadStation):
        check_evse(EvseDetails(number=1, booking_price_paise=price))


@pytest.mark.parametrize("number", [0, -1, 100])
def test_evses_and_connectors_are_numbered_from_1_to_99(number):
    with pytest.raises(BadStation):
        check_evse(EvseDetails(number=number, booking_price_paise=100))
    with pytest.raises(BadStation):
        check_connector(ConnectorDetails(number, ConnectorKind.CCS2, 60_000))


@pytest.mark.parametrize("power_w", [0, -5, 1_000_001])
def test_power_is_more_than_nothing_and_at_most_a_megawatt(power_w):
    with pytest.raises(BadStation):
        check_connector(ConnectorDetails(1, ConnectorKind.CCS2, power_w))


def test_every_problem_is_told_at_once():
    with pytest.raises(BadStation) as refusal:
        check_location(replace(GOOD_PLACE, name="", pincode="1", lat=100.0))

    assert list(refusal.value.details["problems"]) == ["name", "pincode", "lat"]


def test_india_has_28_states_and_8_union_territories():
    assert len(STATES) == len(set(STATES)) == 28 + 8


@pytest.mark.parametrize(
    ("lat", "lon", "is_outside"),
    [
        (6.76, 93.83, False),  # Indira Point
        (37.0, 74.5, False),
        (28.0, 97.4, False),
        (0.0, 0.0, True),
        (77.6066, 12.9756, True),  # the two swapped
    ],
)
def test_what_is_outside_india_is_worth_a_question(lat, lon, is_outside):
    assert is_outside_india(lat, lon) == is_outside


def test_text_is_compared_without_case_and_width():
    text = search_text(
        name="ＭＧ  Road", city="STRAßE", state="Δέλτα", pincode="560001", address="पुणे"
    )

    assert text == "\nmg road\nstrasse\nδέλτα\n560001\nपुणे\n"
