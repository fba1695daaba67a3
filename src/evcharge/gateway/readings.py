"""What the meters of chargers say, in either version of OCPP, in our units.

What cannot be true is left out, and named beside what can.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any

from evcharge.charging.rules import Reading
from evcharge.gateway.charger_clock import charger_time
from evcharge.kernel.metrics import METER_ODDITIES


class Oddity(StrEnum):
    """Why a value was left out."""

    NOT_A_NUMBER = "not_a_number"
    UNKNOWN_UNIT = "unknown_unit"
    NEGATIVE = "negative"
    TOO_MUCH = "too_much"


@dataclass(frozen=True)
class Readings:
    """What can be believed, in the order it was told; and why the rest was not."""

    readings: tuple[Reading, ...]
    oddities: tuple[Oddity, ...] = ()


@dataclass(frozen=True)
class Sample:
    """One sampled value, of either version: `value` × 10^`exponent` `unit`."""

    measurand: str
    value: str
    unit: str = ""
    exponent: int = 0
    phase: str | None = None
    location: str = "Outlet"
    context: str = "Sample.Periodic"


@dataclass(frozen=True)
class Quantity:
    """What we read of a meter. `units`: the natural one first, meant if none is told.

    `at_outlet`: only what goes to the vehicle counts, not what the charger draws.
    """

    units: dict[str, int]
    most: int
    at_outlet: bool = True


ENERGY = "Energy.Active.Import.Register"
POWER = "Power.Active.Import"
SOC = "SoC"
QUANTITIES = {
    # 2 GWh: more than a charger gives in its life, and what 32 bits can hold.
    ENERGY: Quantity({"WH": 1, "KWH": 1000}, most=2_000_000_000),
    POWER: Quantity({"W": 1, "KW": 1000}, most=10_000_000),
    SOC: Quantity({"PERCENT": 1, "%": 1}, most=100, at_outlet=False),
}
# Of each line conductor. L1-N or L1-L2 are of voltages, and would count twice.
PHASES = ("L1", "L2", "L3")
MOST_ZEROS = 9  # What a multiplier may add or take away.

# Decimal() alone would also take "NaN", "1_0" and the digits of other scripts.
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,2})?")
_ORDER = {"Transaction.Begin": 0, "Transaction.End": 2}


class _Odd(Exception):
    def __init__(self, oddity: Oddity) -> None:
        self.oddity = oddity


def register_wh_or_none(register: int) -> int | None:
    """Return a register that OCPP 1.6 tells as a whole number, if it can be true."""
    try:
        return _whole(Sample(ENERGY, str(register)), QUANTITIES[ENERGY])
    except _Odd as odd:
        _count([odd.oddity])
        return None


def readings_16(meter_values: Sequence[dict[str, Any]]) -> Readings:
    """MeterValue of OCPP 1.6 edition 2."""
    return _readings(meter_values, _sample_16)


def readings_201(meter_values: Sequence[dict[str, Any]]) -> Readings:
    """MeterValueType of OCPP 2.0.1 part 2."""
    return _readings(meter_values, _sample_201)


def _sample_16(sampled: dict[str, Any]) -> Sample | None:
    if sampled.get("format") == "SignedData":
        return None  # No number but a signed text; the raw message keeps it.
    return Sample(
        measurand=sampled.get("measurand", ENERGY),
        value=sampled["value"],
        unit=sampled.get("unit", ""),
        **_circumstances(sampled),
    )


def _sample_201(sampled: dict[str, Any]) -> Sample:
    # A signed value is here as a plain number too.
    unit = sampled.get("unitOfMeasure", {})
    return Sample(
        measurand=sampled.get("measurand", ENERGY),
        value=str(sampled["value"]),
        unit=unit.get("unit", ""),
        exponent=unit.get("multiplier", 0),
        **_circumstances(sampled),
    )


def _circumstances(sampled: dict[str, Any]) -> dict[str, Any]:
    names = ("phase", "location", "context")
    return {name: sampled[name] for name in names if name in sampled}


def _readings(
    meter_values: Iterable[dict[str, Any]],
    to_sample: Callable[[dict[str, Any]], Sample | None],
) -> Readings:
    readings: list[Reading] = []
    oddities: list[Oddity] = []
    for meter_value in meter_values:
        measured_at = charger_time(meter_value["timestamp"])
        samples = map(to_sample, meter_value["sampledValue"])
        for moment in _moments(each for each in samples if each and _counts(each)):
            values = {name: _value(moment, name, oddities) for name in QUANTITIES}
            if any(value is not None for value in values.values()):
                readings.append(_reading(values, measured_at))
    _count(oddities)
    return Readings(tuple(readings), tuple(oddities))


def _reading(values: dict[str, int | None], measured_at: datetime | None) -> Reading:
    return Reading(
        measured_at=measured_at,
        energy_wh=values[ENERGY],
        power_w=values[POWER],
        soc_percent=values[SOC],
    )


def _counts(sample: Sample) -> bool:
    if sample.measurand not in QUANTITIES:
        return False
    if sample.phase is not None and sample.phase not in PHASES:
        return False
    return sample.location == "Outlet" or not QUANTITIES[sample.measurand].at_outlet


def _moments(samples: Iterator[Sample]) -> Iterator[list[Sample]]:
    """Values of the same moment. One message may tell a charge's begin and its end."""

    def order(sample: Sample) -> tuple[int, str]:
        return _ORDER.get(sample.context, 1), sample.context

    for _, moment in groupby(sorted(samples, key=order), key=order):
        yield list(moment)


def _value(samples: list[Sample], name: str, oddities: list[Oddity]) -> int | None:
    of_name = [sample for sample in samples if sample.measurand == name]
    totals = [sample for sample in of_name if sample.phase is None]
    try:
        if totals or not of_name:
            wholes = [_whole(sample, QUANTITIES[name]) for sample in totals]
            return wholes[-1] if wholes else None
        # A sum that lacks a phase would be wrong: one odd value spoils it.
        by_phase = {
            sample.phase: _whole(sample, QUANTITIES[name]) for sample in of_name
        }
        return sum(by_phase.values())
    except _Odd as odd:
        oddities.append(odd.oddity)
        return None


def _whole(sample: Sample, quantity: Quantity) -> int:
    """The value in our unit, rounded half up. Raises: _Odd."""
    text = sample.value.strip()
    if not _NUMBER.fullmatch(text):
        raise _Odd(Oddity.NOT_A_NUMBER)
    natural = next(iter(quantity.units))
    factor = quantity.units.get(sample.unit.strip().upper() or natural)
    if factor is None or abs(sample.exponent) > MOST_ZEROS:
        raise _Odd(Oddity.UNKNOWN_UNIT)
    number = (Decimal(text) * factor).scaleb(sample.exponent)
    if number > quantity.most:
        raise _Odd(Oddity.TOO_MUCH)
    whole = int(number.to_integral_value(ROUND_HALF_UP))
    if whole < 0:
        raise _Odd(Oddity.NEGATIVE)
    return whole


def _count(oddities: Iterable[Oddity]) -> None:
    for oddity in oddities:
        METER_ODDITIES.labels(oddity).inc()
