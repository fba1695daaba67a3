"""Writing into the ledger: in the transaction of what happened, once for each event."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.kernel.db import insert_missing
from evcharge.ledger.models import LedgerEntry
from evcharge.ledger.rules import Entry
from evcharge.stations.models import Location

ROWS_AT_A_TIME = 500


def post(session: Session, entries: Iterable[Entry]) -> int:
    """Write down movements; those with a key that is there already change nothing.

    Entries of nothing are left out. Return how many were new.
    """
    wanted = [each for each in entries if each.amount_paise]
    operators = _operators(session, wanted)
    rows = [_row(each, operators) for each in wanted]
    return sum(
        insert_missing(session, LedgerEntry, rows[at : at + ROWS_AT_A_TIME])
        for at in range(0, len(rows), ROWS_AT_A_TIME)
    )


def _operators(session: Session, entries: Sequence[Entry]) -> dict[int | None, int]:
    locations = {each.location_id for each in entries} - {None}
    if not locations:
        return {}
    rows = session.execute(
        select(Location.id, Location.operator_id).where(Location.id.in_(locations))
    )
    return dict(rows.all())


def _row(entry: Entry, operators: dict[int | None, int]) -> dict[str, Any]:
    return {
        "key": entry.key,
        "at": entry.at,
        "kind": entry.kind,
        "debit": entry.debit,
        "credit": entry.credit,
        "amount_paise": entry.amount_paise,
        "item_kind": entry.item_kind,
        "item_id": entry.item_id,
        "operator_id": operators.get(entry.location_id, entry.operator_id),
        "location_id": entry.location_id,
        "provider": entry.provider,
    }
