"""What a row found out, and whether that is as good as it should be."""

from collections.abc import Sequence
from dataclasses import dataclass

from evcharge.bench.measures import (
    Measured,
    Ratio,
    Summary,
    rates,
    ratio,
    statuses,
    summary,
)


class WrongAnswers(Exception):
    """What was measured did not do its work, so its speed means nothing."""


@dataclass(frozen=True)
class Speed:
    """How fast one thing is; with a `ratio`, how much of the reference that is."""

    name: str
    summary: Summary
    ratio: Ratio | None = None
    at_least: float | None = None

    @property
    def is_met(self) -> bool | None:
        if self.ratio is None or self.at_least is None:
            return None
        return self.ratio.median >= self.at_least


@dataclass(frozen=True)
class Fact:
    """A number that stands for itself."""

    name: str
    value: str
    goal: str = ""
    is_met: bool | None = None


@dataclass(frozen=True)
class Result:
    title: str
    speeds: Sequence[Speed] = ()
    facts: Sequence[Fact] = ()


def reference(name: str, rounds: Sequence[Measured]) -> Speed:
    return Speed(name, summary(rounds))


def compared(
    name: str,
    rounds: Sequence[Measured],
    with_: Sequence[Measured],
    *,
    at_least: float | None = None,
) -> Speed:
    found = ratio(rates(rounds), rates(with_))
    return Speed(name, summary(rounds), found, at_least)


def check(rounds: Sequence[Measured], *allowed: int) -> None:
    """Raises: WrongAnswers, when anything but these statuses came back."""
    found = statuses(rounds)
    lost = sum(measured.errors for measured in rounds)
    if lost or set(found) - set(allowed) or not found:
        counted = ", ".join(f"{number} × {status}" for status, number in found.items())
        raise WrongAnswers(f"answers: {counted or 'none'}; lost: {lost}")
