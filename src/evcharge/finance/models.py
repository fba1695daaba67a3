from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from evcharge.finance.rules import DifferenceKind
from evcharge.kernel.db import Base, BigId, UtcDateTime


class Reconciliation(Base):
    """A day on which providers, payments, ledger and papers were laid side by side."""

    __tablename__ = "reconciliations"

    day: Mapped[date] = mapped_column(primary_key=True)
    provider: Mapped[str] = mapped_column(String(20), primary_key=True)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    provider_in_paise: Mapped[int] = mapped_column(BigInteger)
    provider_out_paise: Mapped[int] = mapped_column(BigInteger)
    our_in_paise: Mapped[int] = mapped_column(BigInteger)
    our_out_paise: Mapped[int] = mapped_column(BigInteger)
    ledger_in_paise: Mapped[int] = mapped_column(BigInteger)
    ledger_out_paise: Mapped[int] = mapped_column(BigInteger)


class Difference(Base):
    """Where two of them do not agree, until somebody has looked into it.

    Found again on the next day it is the same row.
    """

    __tablename__ = "money_differences"
    __table_args__ = (
        UniqueConstraint("kind", "subject"),
        Index(None, "resolved_at", "found_at"),
    )

    id: Mapped[BigId]
    day: Mapped[date]
    # Whose list it was missing on; empty where no provider is asked.
    provider: Mapped[str] = mapped_column(String(20), default="")
    kind: Mapped[DifferenceKind]
    # What it is about: a payment, refund, bill or document by its id or reference.
    subject: Mapped[str] = mapped_column(String(120))
    ours_paise: Mapped[int | None] = mapped_column(BigInteger)
    theirs_paise: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str] = mapped_column(String(300), default="")
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    resolution: Mapped[str] = mapped_column(String(300), default="")
    payment_id: Mapped[UUID | None]


class Payout(Base):
    """What was paid to an operator, or (with a location) to whoever hosts it."""

    __tablename__ = "payouts"
    __table_args__ = (
        Index(None, "operator_id", "created_at"),
        CheckConstraint("amount_paise > 0", name="amount"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    amount_paise: Mapped[int] = mapped_column(BigInteger)
    # What the bank calls it.
    reference: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
