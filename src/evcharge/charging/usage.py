"""What a tariff is applied to: when a session gave out how much."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from evcharge.charging.models import ChargingSession, MeterSample
from evcharge.charging.rules import Flag, Meter
from evcharge.tariffs.rules import Reading, Usage

Stretch = tuple[datetime, datetime]


def usage_of(
    charge: ChargingSession,
    samples: Sequence[MeterSample],
    *,
    now: datetime,
    reserved: Stretch | None = None,
) -> Usage:
    """Return what a session used, up to `now` while it is under way.

    Its energy is what the session says, which knows of registers that were reset and
    of the stop; readings only tell when it flowed. Charging ended with the last of
    them that was more than the one before.

    `samples`: its own, in the order they came in.
    """
    starts_at = charge.started_at or charge.created_at
    ends_at = max(starts_at, charge.ended_at or now)
    readings = [
        Reading(starts_at, 0),
        *_within(charge, samples, (starts_at, ends_at)),
        Reading(ends_at, charge.energy_wh),
    ]
    return Usage(
        starts_at, ends_at, tuple(readings), _charged_until(readings), reserved
    )


def _within(
    charge: ChargingSession, samples: Sequence[MeterSample], stretch: Stretch
) -> Iterator[Reading]:
    """Follow the register as the session did, so that both come to the same energy."""
    starts_at, ends_at = stretch
    # What was kept without a network came in all at once: only its own clock tells.
    is_late = Flag.OFFLINE in charge.flags
    meter = Meter(charge.meter_start_wh, charge.meter_start_wh)
    before = 0
    for sample in samples:
        if sample.energy_wh is None:
            continue
        meter = meter.reads(sample.energy_wh)
        at = sample.measured_at if is_late and sample.measured_at else sample.at
        if not starts_at <= at <= ends_at:
            continue
        before = min(max(before, meter.energy_wh), charge.energy_wh)
        yield Reading(at, before)


def _charged_until(readings: Sequence[Reading]) -> datetime:
    rising = [
        later.at
        for earlier, later in pairwise(readings)
        if later.energy_wh > earlier.energy_wh
    ]
    return rising[-1] if rising else readings[0].at
