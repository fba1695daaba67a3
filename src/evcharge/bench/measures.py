"""What do the numbers of a benchmark say? Medians, tails, ratios and their spread."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from typing import TypeVar

T = TypeVar("T")

MS = 1_000_000  # Nanoseconds.


@dataclass(frozen=True)
class Measured:
    """One round of one thing. `latencies`: nanoseconds of each answer.

    `errors` are answers that never came. `cpu_seconds` is what the clients took of
    the machine, `program_seconds` what the program took that was measured.
    """

    seconds: float
    latencies: Sequence[int]
    statuses: Mapping[int, int] = field(default_factory=dict)
    errors: int = 0
    body_bytes: int = 0
    cpu_seconds: float = 0.0
    program_seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Summary:
    """All rounds of one thing, as the tables show it."""

    per_second: float
    median_ms: float
    p99_ms: float
    cpu_ms: float  # Of the program, for an answer.
    answers: int


@dataclass(frozen=True)
class Ratio:
    """How much of the reference: the median of the rounds, the lowest, the highest."""

    median: float
    lowest: float
    highest: float


def percentile(values: Sequence[int], percent: float) -> int:
    """Return the smallest value that `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def summary(rounds: Sequence[Measured]) -> Summary:
    """The rate is the median of the rounds' rates; latencies are of all answers."""
    latencies = [each for measured in rounds for each in measured.latencies]
    return Summary(
        per_second=median(measured.per_second for measured in rounds),
        median_ms=median(latencies) / MS,
        p99_ms=percentile(latencies, 99) / MS,
        cpu_ms=sum(each.program_seconds for each in rounds) * 1000 / len(latencies),
        answers=len(latencies),
    )


def ratio(ours: Sequence[float], reference: Sequence[float]) -> Ratio:
    """Compare round by round: a slow minute of the machine then slows both."""
    each = [mine / theirs for mine, theirs in zip(ours, reference, strict=True)]
    return Ratio(median(each), min(each), max(each))


def rates(rounds: Sequence[Measured]) -> list[float]:
    return [measured.per_second for measured in rounds]


def statuses(rounds: Sequence[Measured]) -> Counter[int]:
    found: Counter[int] = Counter()
    for measured in rounds:
        found.update(measured.statuses)
    return found


def in_turns(things: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Run A B C A B C …, so that whatever drifts meanwhile meets all of them."""
    found: dict[str, list[T]] = {name: [] for name in things}
    for _ in range(rounds):
        for name, run in things.items():
            found[name].append(run())
    return found
