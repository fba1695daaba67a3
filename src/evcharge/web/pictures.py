"""Geometry of the small pictures in pages: day strips and sparklines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from flask import Flask

QUARTER = timedelta(minutes=15)
QUARTERS_IN_AN_HOUR = 4
SPOKEN = {"taken": "Taken", "yours": "Yours", "blocked": "Closed"}
HOURS_BETWEEN_LABELS = 6
ROOM_FOR_A_LABEL = 4 * QUARTERS_IN_AN_HOUR  # On the narrowest strip.
AT_THE_EDGE = 2 * QUARTERS_IN_AN_HOUR


class Run(NamedTuple):
    """Neighbouring quarter hours of one kind, `[start, end)`."""

    kind: str
    start: int
    end: int


def runs(cells: Iterable[str]) -> list[Run]:
    """Merge equal neighbours: a day is about ten rectangles, not ninety-six."""
    found: list[Run] = []
    start = 0
    for kind, group in groupby(cells):
        end = start + sum(1 for _ in group)
        found.append(Run(str(kind), start, end))
        start = end
    return found


def quarter_clock(index: int) -> str:
    """When a quarter hour of the day begins: `quarter_clock(73) == "18:15"`."""
    hours, quarters = divmod(index, QUARTERS_IN_AN_HOUR)
    return f"{hours:02d}:{quarters * 15:02d}"


class Tick(NamedTuple):
    """An hour below the strip. Midnight within it is named by the day it begins."""

    at: int
    label: str
    anchor: str
    is_midnight: bool


@dataclass(frozen=True)
class Strip:
    """A stretch of quarter hours as a picture, with the wall clock at the charger.

    `starts_at` is in the zone of the charger, on a full hour there.
    """

    cells: Sequence[str]
    starts_at: datetime

    @property
    def width(self) -> int:
        return len(self.cells)

    @property
    def runs(self) -> list[Run]:
        return runs(self.cells)

    @property
    def hours(self) -> list[int]:
        """Where the lines between hours are."""
        return list(range(QUARTERS_IN_AN_HOUR, self.width, QUARTERS_IN_AN_HOUR))

    @property
    def midnights(self) -> list[int]:
        return [at for at in self.hours if self._wall(at).hour == 0]

    @property
    def ticks(self) -> list[Tick]:
        full = [0, *self.hours, self.width]
        labelled = [
            at for at in full if self._wall(at).hour % HOURS_BETWEEN_LABELS == 0
        ]
        if labelled[0] >= ROOM_FOR_A_LABEL:
            labelled.insert(0, 0)
        return [self._tick(at) for at in labelled]

    @property
    def text(self) -> str:
        """What the picture says: `Taken 21:00–22:30, tomorrow 18:00–19:00.`"""
        sentences = []
        for kind, word in SPOKEN.items():
            ranges = [self.range(run) for run in self.runs if run.kind == kind]
            if ranges:
                sentences.append(f"{word} {', '.join(ranges)}.")
        return " ".join(sentences) or "Nothing taken."

    def range(self, run: Run) -> str:
        """`18:00–19:00`, `23:30 – tomorrow 01:00`, `23:00–24:00`."""
        start, end = self._clock(run.start), self._clock(run.end)
        if self._wall(run.start).date() == self._wall(run.end).date():
            return f"{start}–{end.removeprefix('tomorrow ')}"
        if f"{self._wall(run.end):%H:%M}" == "00:00":
            return f"{start}–24:00"
        return f"{start} – {end}"

    def _clock(self, at: int) -> str:
        wall = self._wall(at)
        is_later = wall.date() > self.starts_at.date()
        return f"{'tomorrow ' if is_later else ''}{wall:%H:%M}"

    def _tick(self, at: int) -> Tick:
        wall = self._wall(at)
        is_midnight = at in self.midnights
        label = f"{wall:%a}" if is_midnight else f"{wall:%H}"
        if at == self.width and wall.hour == 0:
            label = "24"
        edge = "start" if at < AT_THE_EDGE else "middle"
        anchor = "end" if at > self.width - AT_THE_EDGE else edge
        return Tick(at, label, anchor, is_midnight)

    def _wall(self, at: int) -> datetime:
        """What the clock there says; around a change of the clocks, too."""
        moment = self.starts_at.astimezone(UTC) + at * QUARTER
        return moment.astimezone(self.starts_at.tzinfo)


def polyline(values: Sequence[float], width: int = 96, height: int = 28) -> str:
    """The `points` of a sparkline; the lowest value touches the floor."""
    low, high = min(values), max(values)
    step = width / max(1, len(values) - 1)
    scale = (height - 4) / (high - low or 1)
    return " ".join(
        f"{index * step:.1f},{height - 2 - (value - low) * scale:.1f}"
        for index, value in enumerate(values)
    )


def heat_level(fraction: float) -> int:
    """Six steps; 0 is nothing at all, so that idle differs from quiet."""
    if fraction <= 0:
        return 0
    return min(5, 1 + int(fraction * 5))


def install(app: Flask) -> None:
    filters = app.jinja_env.filters
    for drawing in (quarter_clock, polyline, heat_level):
        filters[drawing.__name__] = drawing
    filters["strip"] = Strip
