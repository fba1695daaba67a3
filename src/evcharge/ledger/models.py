from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    event,
)
from sqlalchemy.orm import Mapped, mapped_column

from evcharge.kernel.db import Base, BigId, UtcDateTime
from evcharge.ledger.rules import Account, EntryKind


class LedgerEntry(Base):
    """An amount that went from one account (its credit) to another (its debit).

    Rows are only ever added: a trigger refuses the rest. One row cannot be out of
    balance, so the ledger cannot. `item_kind`, `item_id`: the booking, session or due
    it is about; `operator_id` and `location_id`: whose and where that was.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        Index(None, "item_id", "item_kind"),
        Index(None, "kind", "at"),
        Index(None, "location_id", "kind", "at"),
        CheckConstraint("amount_paise > 0", name="amount"),
        CheckConstraint("debit <> credit", name="sides"),
    )

    id: Mapped[BigId]
    key: Mapped[str] = mapped_column(String(120), unique=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[EntryKind]
    debit: Mapped[Account]
    credit: Mapped[Account]
    amount_paise: Mapped[int] = mapped_column(BigInteger)
    item_kind: Mapped[str] = mapped_column(String(20))
    item_id: Mapped[UUID]
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("locations.id"))
    provider: Mapped[str] = mapped_column(String(20), default="")


_REFUSALS = {
    "sqlite": [
        f"CREATE TRIGGER ledger_entries_no_{verb.lower()}"
        f" BEFORE {verb} ON ledger_entries"
        " BEGIN SELECT RAISE(ABORT, 'the ledger is only added to'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION refuse_ledger_change() RETURNS trigger"
        " LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the ledger is only added to'; END $$",
        "CREATE TRIGGER ledger_entries_no_change BEFORE UPDATE OR DELETE"
        " ON ledger_entries FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change()",
    ],
}
for _dialect, _statements in _REFUSALS.items():
    for _statement in _statements:
        event.listen(
            LedgerEntry.__table__,
            "after_create",
            DDL(_statement).execute_if(dialect=_dialect),  # type: ignore[no-untyped-call]
        )
