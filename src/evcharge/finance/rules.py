"""What it means that money does not agree. Plain Python."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from evcharge.kernel.errors import InvalidInput, NotFound
from evcharge.ledger.rules import EntryKind

INDIA = ZoneInfo("Asia/Kolkata")
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


class DifferenceKind(StrEnum):
    MISSING_HERE = "missing_here"  # The provider has it, we do not.
    MISSING_THERE = "missing_there"  # We have it, the provider does not.
    AMOUNT = "amount"  # Both have it, with other amounts.
    LEDGER = "ledger"  # A payment or refund the ledger does not show as it is.
    DOCUMENT = "document"  # A bill or advance without its paper, or the reverse.
    STUCK = "stuck"  # Money on its way for too long.


# ── settlement ───────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Month:
    """A month by the clock in India, in which all are settled."""

    year: int
    month: int

    @classmethod
    def of(cls, at: datetime) -> "Month":
        local = at.astimezone(INDIA)
        return cls(local.year, local.month)

    @classmethod
    def read(cls, text: str | None) -> "Month | None":
        """Read `2026-11`; None for anything else."""
        found = _MONTH.fullmatch(text or "")
        return cls(int(found[1]), int(found[2])) if found else None

    def plus(self, months: int) -> "Month":
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month + 1)

    @property
    def since(self) -> datetime:
        return datetime(self.year, self.month, 1, tzinfo=INDIA).astimezone(UTC)

    @property
    def until(self) -> datetime:
        return self.plus(1).since

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"


# What each kind of entry adds to the columns of the report.
_GROSS = {EntryKind.SALE: 1, EntryKind.SALE_DUE: 1}
_GST = {EntryKind.GST: 1, EntryKind.GST_BACK: -1}
_FEE = {EntryKind.FEE: 1, EntryKind.FEE_BACK: -1}
_HOST = {EntryKind.HOST: 1, EntryKind.HOST_BACK: -1}
_BACK = {
    EntryKind.GST_BACK: -1,
    EntryKind.FEE_BACK: -1,
    EntryKind.HOST_BACK: -1,
    EntryKind.OPERATOR_BACK: -1,
}
_OPERATOR = {
    EntryKind.OPERATOR: 1,
    EntryKind.OPERATOR_BACK: -1,
    EntryKind.DUE_WAIVED: -1,
}


@dataclass(frozen=True)
class Figures:
    """What the entries of some stretch come to, in paise, by kind."""

    by_kind: Mapping[EntryKind, int]
    energy_wh: int = 0

    def _sum(self, signs: Mapping[EntryKind, int]) -> int:
        return sum(sign * self.by_kind.get(kind, 0) for kind, sign in signs.items())

    @property
    def gross_paise(self) -> int:
        """Sales with tax, less what of them went back."""
        return self._sum(_GROSS) + self._sum(_BACK)

    @property
    def gst_paise(self) -> int:
        return self._sum(_GST)

    @property
    def net_paise(self) -> int:
        return self.gross_paise - self.gst_paise

    @property
    def fee_paise(self) -> int:
        return self._sum(_FEE)

    @property
    def host_paise(self) -> int:
        return self._sum(_HOST)

    @property
    def waived_paise(self) -> int:
        return self.by_kind.get(EntryKind.DUE_WAIVED, 0)

    @property
    def operator_paise(self) -> int:
        return self._sum(_OPERATOR)

    @property
    def paid_out_paise(self) -> int:
        return self.by_kind.get(EntryKind.PAYOUT, 0)

    @property
    def paid_to_hosts_paise(self) -> int:
        return self.by_kind.get(EntryKind.HOST_PAYOUT, 0)

    def __add__(self, other: "Figures") -> "Figures":
        sums = Counter(self.by_kind)
        sums.update(other.by_kind)
        return Figures(sums, self.energy_wh + other.energy_wh)


NOTHING = Figures({})


def payable_paise(figures: Figures) -> int:
    """Return what is owed to an operator once all this is settled."""
    return figures.operator_paise - figures.paid_out_paise


def host_payable_paise(figures: Figures) -> int:
    return figures.host_paise - figures.paid_to_hosts_paise


class MoreThanOwed(InvalidInput):
    code = "more_than_owed"
    message = "That is more than is owed to them."


class BadPayout(InvalidInput):
    code = "bad_payout"
    message = "Say how much was paid, and what the bank calls it."


class BadShare(InvalidInput):
    code = "bad_share"
    message = "A percentage is between 0 and 100; a price for each kWh up to ₹1,000."


class ShareNotFound(NotFound):
    code = "share_not_found"
    message = "There is no such agreement, or it is in force already."


class DifferenceNotFound(NotFound):
    code = "difference_not_found"
    message = "There is no such difference, or it is resolved already."


class NoteMissing(InvalidInput):
    code = "note_missing"
    message = "Say what it was, in up to 300 characters."
