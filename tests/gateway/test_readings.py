"""Meter values of both versions, honest and odd."""

from datetime import UTC, datetime
from typing import Any

import pytest

from evcharge.charging.rules import Reading
from evcharge.gateway.readings import (
    Oddity,
    Readings,
    readings_16,
    readings_201,
    register_wh_or_none,
)
from evcharge.kernel.metrics import METER_ODDITIES

TEN = datetime(2026, 11, 23, 10, tzinfo=UTC)


def read_16(*sampled: dict[str, Any], timestamp: str = TEN.isoformat()) -> Readings:
    return readings_16([{"timestamp": timestamp, "sampledValue": list(sampled)}])


def read_201(*sampled: dict[str, Any]) -> Readings:
    return readings_201([{"timestamp": TEN.isoformat(), "sampledValue": list(sampled)}])


def energy(value: str, **more: str) -> dict[str, Any]:
    return {"value": value, "measurand": "Energy.Active.Import.Register"} | more


def power(value: str, **more: str) -> dict[str, Any]:
    return {"value": value, "measurand": "Power.Active.Import"} | more


def energies(readings: Readings) -> list[int | None]:
    return [reading.energy_wh for reading in readings.readings]


# ── units ────────────────────────────────────────────────────────────────────────


def test_a_value_without_any_word_is_the_energy_register_in_watt_hours() -> None:
    expected = Readings((Reading(measured_at=TEN, energy_wh=1234),))

    assert read_16({"value": "1234"}) == expected
    assert read_201({"value": 1234}) == expected


def test_energy_power_and_charge_of_one_moment_are_one_reading() -> None:
    readings = read_16(
        energy("12.3456", unit="kWh"),
        power("7.36", unit="kW"),
        {"value": "55", "measurand": "SoC", "unit": "Percent", "location": "EV"},
    )

    assert readings.readings == (Reading(TEN, 12_346, 7360, 55),)


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [
        ({"unit": "kWh"}, 12.345, 12_345),
        ({"unit": "Wh", "multiplier": 3}, 12.345, 12_345),
        ({"multiplier": 3}, 12, 12_000),
        ({"unit": "kWh", "multiplier": -3}, 1500, 1500),
        ({"unit": "Wh", "multiplier": -1}, 12_345, 1235),
    ],
)
def test_units_and_multipliers_are_applied(
    unit: dict[str, Any], value: float, expected: int
) -> None:
    assert energies(read_201({"value": value, "unitOfMeasure": unit})) == [expected]


def test_what_is_not_asked_for_is_no_reading() -> None:
    readings = read_16(
        {"value": "230.1", "measurand": "Voltage", "unit": "V"},
        {"value": "16", "measurand": "Current.Import", "unit": "A"},
        {"value": "5", "measurand": "Energy.Active.Export.Register"},
        {"value": "5", "measurand": "Energy.Active.Import.Interval"},
        {"value": "hot", "measurand": "Temperature"},
    )

    assert readings == Readings(())


# ── phases and places ────────────────────────────────────────────────────────────


def test_phases_are_added_where_there_is_no_total() -> None:
    readings = read_16(
        power("1000.4", phase="L1"),
        power("2000.4", phase="L2"),
        power("3", phase="L3", unit="kW"),
    )

    assert readings.readings[0].power_w == 6000


def test_a_total_counts_and_not_its_phases_again() -> None:
    readings = read_16(
        energy("100", phase="L1"),
        energy("310"),
        energy("100", phase="L2"),
        energy("100", phase="L3"),
    )

    assert energies(readings) == [310]


def test_values_between_phases_are_not_energy() -> None:
    readings = read_16(
        energy("100", phase="L1-N"),
        energy("100", phase="L1-L2"),
        energy("100", phase="N"),
    )

    assert readings == Readings(())


def test_a_phase_that_cannot_be_true_leaves_no_sum() -> None:
    readings = read_16(
        energy("100", phase="L1"),
        energy("nan", phase="L2"),
        energy("100", phase="L3"),
        power("50"),
    )

    assert readings.readings == (Reading(TEN, None, 50),)
    assert readings.oddities == (Oddity.NOT_A_NUMBER,)


def test_only_what_goes_to_the_vehicle_counts() -> None:
    readings = read_16(
        energy("900", location="Inlet"), energy("800", location="Outlet")
    )

    assert energies(readings) == [800]
    assert read_16(energy("900", location="Inlet")) == Readings(())


# ── moments ──────────────────────────────────────────────────────────────────────


def test_begin_and_end_told_at_once_are_two_readings_in_their_order() -> None:
    readings = read_16(
        energy("150", context="Transaction.End"),
        energy("120", context="Sample.Clock"),
        energy("100", context="Transaction.Begin"),
    )

    assert energies(readings) == [100, 120, 150]


def test_readings_keep_the_order_they_were_told_in() -> None:
    later = {"timestamp": TEN.isoformat(), "sampledValue": [energy("5")]}
    earlier = {"timestamp": "2026-11-23T09:00:00Z", "sampledValue": [energy("4")]}

    assert energies(readings_16([later, earlier])) == [5, 4]


def test_a_reading_without_a_possible_time_is_kept() -> None:
    readings = read_16(energy("5"), timestamp="2026-02-31T00:00:00Z")

    assert readings == Readings((Reading(None, 5),))


# ── signed ───────────────────────────────────────────────────────────────────────


def test_a_signed_text_is_not_a_number_and_not_odd() -> None:
    readings = read_16(
        energy("OCMF|{...}|{...}", format="SignedData"),
        energy("100", format="Raw"),
    )

    assert readings == Readings((Reading(TEN, 100),))


def test_the_plain_value_beside_a_signature_counts() -> None:
    signed = {
        "signedMeterData": "T0NNRg==",
        "signingMethod": "ECDSA",
        "encodingMethod": "OCMF",
        "publicKey": "",
    }

    assert energies(read_201({"value": 100, "signedMeterValue": signed})) == [100]


# ── odd ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sampled", "oddity"),
    [
        (energy("NaN"), Oddity.NOT_A_NUMBER),
        (energy("Infinity"), Oddity.NOT_A_NUMBER),
        (energy(""), Oddity.NOT_A_NUMBER),
        (energy("12,5"), Oddity.NOT_A_NUMBER),
        (energy("1_000"), Oddity.NOT_A_NUMBER),
        (energy("١٢"), Oddity.NOT_A_NUMBER),
        (energy("1e999999999"), Oddity.NOT_A_NUMBER),
        (energy("-1"), Oddity.NEGATIVE),
        (power("-500"), Oddity.NEGATIVE),
        (energy("2000000001"), Oddity.TOO_MUCH),
        (energy("2000000.001", unit="kWh"), Oddity.TOO_MUCH),
        ({"value": "101", "measurand": "SoC"}, Oddity.TOO_MUCH),
        (energy("5", unit="kvarh"), Oddity.UNKNOWN_UNIT),
        (power("5", unit="A"), Oddity.UNKNOWN_UNIT),
    ],
)
def test_what_cannot_be_true_is_left_out_and_named(
    sampled: dict[str, Any], oddity: Oddity
) -> None:
    assert read_16(sampled) == Readings((), (oddity,))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, 10**30])
def test_numbers_out_of_this_world_are_left_out(value: float) -> None:
    assert read_201({"value": value}) == Readings((), (Oddity.NOT_A_NUMBER,))


def test_a_multiplier_out_of_this_world_is_an_unknown_unit() -> None:
    sampled = {"value": 1, "unitOfMeasure": {"multiplier": 10**12}}

    assert read_201(sampled) == Readings((), (Oddity.UNKNOWN_UNIT,))


def test_noise_around_nothing_is_nothing() -> None:
    assert read_16(power("-0.4")) == Readings((Reading(TEN, None, 0),))


def test_oddities_are_counted_for_operators() -> None:
    counted = METER_ODDITIES.labels("negative")._value
    before = counted.get()

    read_16(energy("-1"))

    assert counted.get() == before + 1


def test_a_register_in_whole_watt_hours_is_held_to_the_same_rules() -> None:
    assert register_wh_or_none(1234) == 1234
    assert register_wh_or_none(-1) is None
    assert register_wh_or_none(10**11) is None
