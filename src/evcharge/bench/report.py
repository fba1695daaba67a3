"""The results as tables, as JSON, and inside docs/performance.md."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evcharge.bench.measures import Ratio
from evcharge.bench.results import Fact, Result, Speed

BEGIN = "<!-- Measured: written by `make bench`. -->"
END = "<!-- End of what was measured. -->"


class NoPlace(Exception):
    """A document does not say where the tables go."""


@dataclass(frozen=True)
class Run:
    """All rows of one run. `results` by the name that `--only` takes."""

    command: str
    began_at: str
    seconds: float
    machine: Mapping[str, str]
    results: Mapping[str, Result]


def as_json(run: Run) -> str:
    """Return everything, with what the tables only show as met or not."""
    found = asdict(run)
    for name, result in run.results.items():
        for speed, kept in zip(
            result.speeds, found["results"][name]["speeds"], strict=True
        ):
            kept["is_met"] = speed.is_met
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def as_markdown(run: Run) -> str:
    parts = [_machine(run), *map(_result, run.results.values())]
    return "\n\n".join(parts)


def put_into(document: Path, tables: str) -> None:
    """Replace what was measured before; the words around it stay. Raises: NoPlace."""
    text = document.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NoPlace(f"{document} lacks the line {BEGIN} or {END}")
    document.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}")


def _machine(run: Run) -> str:
    lines = [("", ""), ("---", "---"), *run.machine.items()]
    lines.append(("Measured", f"{run.began_at}, in {run.seconds:.0f} s"))
    lines.append(("Command", f"`{run.command}`"))
    return "\n".join(map(_line, lines))


def _result(result: Result) -> str:
    parts = [f"### {result.title}"]
    if result.speeds:
        parts.append(_speeds(result.speeds))
    if result.facts:
        parts.append(_facts(result.facts))
    return "\n\n".join(parts)


def _speeds(speeds: Sequence[Speed]) -> str:
    head = ("", "per s", "p50 ms", "p99 ms", "CPU ms", "of reference", "goal")
    lines = [head, ("---", *["--:"] * 5, "---")]
    lines += [
        (
            speed.name,
            _number(speed.summary.per_second),
            f"{speed.summary.median_ms:.1f}",
            f"{speed.summary.p99_ms:.1f}",
            f"{speed.summary.cpu_ms:.2f}",
            _ratio(speed.ratio),
            _goal(f"≥ {speed.at_least * 100:g} %", speed.is_met)
            if speed.at_least
            else "",
        )
        for speed in speeds
    ]
    return "\n".join(map(_line, lines))


def _facts(facts: Sequence[Fact]) -> str:
    lines = [("", "", "goal"), ("---", "--:", "---")]
    lines += [(fact.name, fact.value, _goal(fact.goal, fact.is_met)) for fact in facts]
    return "\n".join(map(_line, lines))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return ""
    spread = f"{ratio.lowest * 100:.0f}–{ratio.highest * 100:.0f}"
    return f"{ratio.median * 100:.0f} % ({spread})"


def _goal(goal: str, is_met: bool | None) -> str:
    return goal if is_met is None else f"{goal}: {'met' if is_met else '**missed**'}"


def _number(value: float) -> str:
    return f"{value:,.0f}"
