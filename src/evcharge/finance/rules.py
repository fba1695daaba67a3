"""What it means that money does not agree. Plain Python."""

from enum import StrEnum


class DifferenceKind(StrEnum):
    MISSING_HERE = "missing_here"  # The provider has it, we do not.
    MISSING_THERE = "missing_there"  # We have it, the provider does not.
    AMOUNT = "amount"  # Both have it, with other amounts.
    LEDGER = "ledger"  # A payment or refund the ledger does not show as it is.
    DOCUMENT = "document"  # A bill or advance without its paper, or the reverse.
    STUCK = "stuck"  # Money on its way for too long.
