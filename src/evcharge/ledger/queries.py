"""What the ledger says. Nothing here changes anything."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from evcharge.ledger.models import LedgerEntry
from evcharge.ledger.rules import Account


def balances(
    session: Session, *, until: datetime | None = None, location_id: int | None = None
) -> dict[Account, int]:
    """Return debits minus credits of every account, in paise, up to a moment."""
    conditions: list[ColumnElement[bool]] = []
    if until is not None:
        conditions.append(LedgerEntry.at < until)
    if location_id is not None:
        conditions.append(LedgerEntry.location_id == location_id)
    found = dict.fromkeys(Account, 0)
    for side, sign in ((LedgerEntry.debit, 1), (LedgerEntry.credit, -1)):
        rows = session.execute(
            select(side, func.sum(LedgerEntry.amount_paise))
            .where(*conditions)
            .group_by(side)
        )
        for account, paise in rows:
            found[account] += sign * int(paise)
    return found


def item_balance(
    session: Session, account: Account, item_kind: str, item_id: UUID
) -> int:
    """Return credits minus debits of one account for one booking, session or due:
    of ADVANCES, what was paid for it and is neither earned nor promised back."""
    signed = case(
        (LedgerEntry.credit == account, LedgerEntry.amount_paise),
        else_=-LedgerEntry.amount_paise,
    )
    return int(
        session.scalar(
            select(func.coalesce(func.sum(signed), 0)).where(
                LedgerEntry.item_id == item_id,
                LedgerEntry.item_kind == item_kind,
                or_(LedgerEntry.credit == account, LedgerEntry.debit == account),
            )
        )
        or 0
    )


def entries_of_item(
    session: Session, item_kind: str, item_id: UUID
) -> Iterable[LedgerEntry]:
    """Return what was written about one item, oldest first."""
    return session.scalars(
        select(LedgerEntry)
        .where(LedgerEntry.item_id == item_id, LedgerEntry.item_kind == item_kind)
        .order_by(LedgerEntry.id)
    ).all()


def owed_to_operator(session: Session, operator_id: int) -> int:
    """Return what an operator has earned and was not paid yet."""
    return _owed(
        session, Account.OPERATOR_PAYABLE, LedgerEntry.operator_id == operator_id
    )


def owed_to_host(session: Session, location_id: int) -> int:
    """Return what the host of a location has earned and was not paid yet."""
    return _owed(session, Account.HOST_PAYABLE, LedgerEntry.location_id == location_id)


def _owed(session: Session, account: Account, whose: ColumnElement[bool]) -> int:
    signed = case(
        (LedgerEntry.credit == account, LedgerEntry.amount_paise),
        else_=-LedgerEntry.amount_paise,
    )
    is_touched = or_(LedgerEntry.credit == account, LedgerEntry.debit == account)
    total = select(func.coalesce(func.sum(signed), 0)).where(whose, is_touched)
    return int(session.scalar(total) or 0)
