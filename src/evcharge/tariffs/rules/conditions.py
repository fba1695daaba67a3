"""When an element of a tariff applies, in the few words that fit on a bill's line."""

from collections.abc import Iterator
from itertools import groupby

from evcharge.tariffs.rules.terms import DAYS, Restrictions

WH_IN_KWH = 1000
W_IN_KW = 1000


def conditions(said: Restrictions) -> Iterator[str]:
    """Yield each restriction in words: "Sat–Sun", "16:00–09:00", "from 20 kWh"."""
    if said.day_of_week:
        yield days(said.day_of_week)
    if said.start_time is not None or said.end_time is not None:
        start = said.start_time.strftime("%H:%M") if said.start_time else "00:00"
        end = said.end_time.strftime("%H:%M") if said.end_time else "24:00"
        yield f"{start}–{end}"
    if said.start_date is not None:
        yield f"from {said.start_date:%d-%m-%Y}"
    if said.end_date is not None:
        yield f"before {said.end_date:%d-%m-%Y}"
    yield from _between(said.min_wh, said.max_wh, WH_IN_KWH, "kWh")
    yield from _between(said.min_seconds, said.max_seconds, 60, "min")
    if said.min_w is not None:
        yield f"at {said.min_w / W_IN_KW:g} kW or more"
    if said.max_w is not None:
        yield f"below {said.max_w / W_IN_KW:g} kW"


def days(of_week: tuple[str, ...]) -> str:
    """Return days as runs: ("MONDAY", "TUESDAY", "SUNDAY") is "Mon–Tue, Sun"."""
    numbers = sorted(DAYS.index(day) for day in of_week)
    runs = []
    for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]):
        named = [DAYS[number][:3].capitalize() for _, number in run]
        runs.append(named[0] if len(named) == 1 else f"{named[0]}–{named[-1]}")
    return ", ".join(runs)


def _between(
    least: int | None, most: int | None, size: int, unit: str
) -> Iterator[str]:
    if least and most is not None:
        yield f"{least / size:g}–{most / size:g} {unit}"
    elif least:
        yield f"from {least / size:g} {unit}"
    elif most is not None:
        yield f"first {most / size:g} {unit}"
