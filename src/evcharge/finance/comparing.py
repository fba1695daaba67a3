"""Two lists of what moved, laid side by side. Plain Python."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from uuid import UUID

from evcharge.finance.rules import INDIA, DifferenceKind

# Webhooks and jobs have brought the news by then.
GRACE = timedelta(minutes=15)
DAY = timedelta(days=1)

Direction = Literal["payment", "refund"]
# Our name for a movement, the same on both sides.
Name = tuple[Direction, str]


@dataclass(frozen=True)
class Stretch:
    """A day by the clock in India."""

    day: date

    @property
    def since(self) -> datetime:
        return datetime.combine(self.day, time(), INDIA)

    @property
    def until(self) -> datetime:
        return self.since + DAY

    def has(self, at: datetime | None) -> bool:
        return at is not None and self.since <= at < self.until


@dataclass(frozen=True)
class Ours:
    """A payment or refund of ours. `at` None: by our books nothing has moved."""

    amount_paise: int
    at: datetime | None
    payment_id: UUID
    # What the ledger has of it.
    ledger_paise: int = 0
    # The provider has it, and the bank not yet.
    is_under_way: bool = False


@dataclass(frozen=True)
class Theirs:
    amount_paise: int
    at: datetime


@dataclass(frozen=True)
class Finding:
    """What differs. The same kind and subject again is the same difference."""

    kind: DifferenceKind
    subject: str
    ours_paise: int | None
    theirs_paise: int | None
    note: str
    payment_id: UUID | None = None


def differences(
    stretch: Stretch,
    ours: Mapping[Name, Ours],
    theirs: Mapping[Name, Theirs],
    *,
    now: datetime,
) -> Iterator[Finding]:
    """Yield what differs of a day.

    `theirs` also has what moved a while before and after the day: the two clocks
    need not agree on when something moved.
    """
    for name, their in theirs.items():
        if stretch.has(their.at) and their.at < now - GRACE:
            yield from _of_theirs(name, their, ours.get(name))
    for name, our in ours.items():
        if our.at is None or not stretch.has(our.at):
            continue
        if name not in theirs and our.at < now - GRACE:
            yield Finding(
                DifferenceKind.MISSING_THERE,
                _subject(name),
                our.amount_paise,
                None,
                "The provider's list does not have it.",
                our.payment_id,
            )
        if our.ledger_paise != our.amount_paise:
            yield Finding(
                DifferenceKind.LEDGER,
                _subject(name),
                our.amount_paise,
                our.ledger_paise,
                "The ledger has another amount of it.",
                our.payment_id,
            )


def _of_theirs(name: Name, their: Theirs, our: Ours | None) -> Iterator[Finding]:
    if our is None:
        kind, note = DifferenceKind.MISSING_HERE, "We know of nothing of that name."
    elif our.at is None and not our.is_under_way:
        kind, note = DifferenceKind.MISSING_HERE, "By our books no money has moved."
    elif our.amount_paise != their.amount_paise:
        kind, note = DifferenceKind.AMOUNT, "Both have it, with other amounts."
    else:
        return
    yield Finding(
        kind,
        _subject(name),
        our.amount_paise if our else None,
        their.amount_paise,
        note,
        our.payment_id if our else None,
    )


def _subject(name: Name) -> str:
    return " ".join(name)[:120]
