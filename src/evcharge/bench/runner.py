"""Runs the rows one after the other, and writes down what they found."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic

from evcharge.bench.lab import Lab, open_lab
from evcharge.bench.machine import machine
from evcharge.bench.programs import DidNotStart
from evcharge.bench.report import Run, as_json, as_markdown, put_into
from evcharge.bench.results import Result, WrongAnswers
from evcharge.bench.rows import ROWS
from evcharge.kernel.clock import utc_now

Say = Callable[[str], object]


def run(
    names: Sequence[str],
    *,
    kinds: Sequence[str],
    settings: Mapping[str, str],
    quick: bool,
    out: Path,
    docs: Path | None,
    say: Say,
) -> bool:
    """Return whether every row could be measured; goals may be missed."""
    began, began_at = monotonic(), utc_now()
    with open_lab(kinds=kinds, settings=settings, quick=quick, say=say) as lab:
        facts = machine(lab.folder)
        results = _measured(lab, names, say)
        for kind in lab.kinds:
            facts[kind.name] = kind.version
    found = Run(
        command=" ".join(["evcharge", *sys.argv[1:]]),
        began_at=began_at.strftime("%Y-%m-%d %H:%M UTC"),
        seconds=monotonic() - began,
        machine=facts,
        results=results,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(as_json(found))
    say(f"\n{as_markdown(found)}\n\nWritten to {out}.")
    is_whole = len(results) == len(names)
    if docs and is_whole:
        put_into(docs, as_markdown(found))
        say(f"Written into {docs}.")
    return is_whole


def _measured(lab: Lab, names: Sequence[str], say: Say) -> dict[str, Result]:
    results = {}
    for number, name in enumerate(names, start=1):
        began = monotonic()
        say(f"[{number}/{len(names)}] {name}")
        try:
            results[name] = ROWS[name](lab)
        except (WrongAnswers, DidNotStart) as error:
            say(f"  {name} cannot be measured: {error}")
        lab.stop_programs()
        say(f"  {monotonic() - began:.0f} s")
    return results
