"""Geometry of the small pictures in pages: day strips and sparklines."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from flask import Flask

QUARTERS_IN_AN_HOUR = 4
SPOKEN = {"taken": "Taken", "yours": "Yours", "blocked": "Closed"}


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


def strip_text(day: Sequence[Run]) -> str:
    """What the picture says: `Taken 09:00–10:30, 18:00–19:00. Yours 20:00–21:00.`"""
    sentences = []
    for kind, word in SPOKEN.items():
        ranges = [
            f"{quarter_clock(run.start)}–{quarter_clock(run.end)}"
            for run in day
            if run.kind == kind
        ]
        if ranges:
            sentences.append(f"{word} {', '.join(ranges)}.")
    return " ".join(sentences) or "Nothing taken."


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
    for drawing in (runs, strip_text, quarter_clock, polyline, heat_level):
        filters[drawing.__name__] = drawing
