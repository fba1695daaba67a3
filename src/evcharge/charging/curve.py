"""The power of a session over time, as a small picture."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from evcharge.charging.models import MeterSample

WIDTH, HEIGHT = 600, 120
MOST_POINTS = 120  # A phone has no more pixels to show them on.
FEWEST_POINTS = 3
WH_SECONDS = 3600  # A watt-hour is this many watt-seconds.


@dataclass(frozen=True)
class Power:
    """What flowed at one moment."""

    at: datetime
    power_w: int


@dataclass(frozen=True)
class Curve:
    """A line and the area below it, in a picture of `WIDTH` × `HEIGHT`."""

    line: str
    area: str
    top_w: int
    peak_w: int
    starts_at: datetime
    ends_at: datetime


def powers(samples: Iterable[MeterSample]) -> list[Power]:
    """Return the power of each reading; where the meter only counts energy, its rise.

    A meter that went backwards or stood still says nothing about power.
    """
    rows = list(samples)
    told = [Power(each.at, each.power_w) for each in rows if each.power_w is not None]
    return told or list(_by_energy(rows))


def _by_energy(samples: Sequence[MeterSample]) -> Iterator[Power]:
    counted = [each for each in samples if each.energy_wh is not None]
    for before, after in pairwise(counted):
        seconds = (after.at - before.at) / timedelta(seconds=1)
        rise_wh = (after.energy_wh or 0) - (before.energy_wh or 0)
        if seconds > 0 and rise_wh >= 0:
            yield Power(after.at, round(rise_wh * WH_SECONDS / seconds))


def curve_of(found: Sequence[Power]) -> Curve | None:
    """Return None for what is too short to be a picture."""
    if len(found) < FEWEST_POINTS or found[-1].at <= found[0].at:
        return None
    starts_at, span = found[0].at, found[-1].at - found[0].at
    shown = _thinned(found)
    peak_w = max(each.power_w for each in found)
    top_w = _top(peak_w)
    points = [
        ((each.at - starts_at) / span * WIDTH, HEIGHT - each.power_w / top_w * HEIGHT)
        for each in shown
    ]
    line = " ".join(f"{x:.0f},{y:.1f}" for x, y in points)
    return Curve(
        line=line,
        area=f"0,{HEIGHT} {line} {WIDTH},{HEIGHT}",
        top_w=top_w,
        peak_w=peak_w,
        starts_at=starts_at,
        ends_at=found[-1].at,
    )


def _thinned(found: Sequence[Power]) -> list[Power]:
    """Return as many as can be seen: of each stretch its mean. The ends stay."""
    if len(found) <= MOST_POINTS:
        return list(found)
    inner, count = found[1:-1], MOST_POINTS - 2
    cuts = [len(inner) * each // count for each in range(count + 1)]
    means = [_mean(inner[start:end]) for start, end in pairwise(cuts)]
    return [found[0], *means, found[-1]]


def _mean(stretch: Sequence[Power]) -> Power:
    power_w = sum(each.power_w for each in stretch) // len(stretch)
    return Power(stretch[len(stretch) // 2].at, power_w)


def _top(peak_w: int) -> int:
    """Return the round number above a peak: 7,400 W fit below 8 kW, 58,000 below 60."""
    step = next(
        (each for each in (1_000, 5_000, 10_000) if peak_w <= each * 10), 50_000
    )
    return max(step, -(-peak_w // step) * step)
