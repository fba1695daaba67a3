"""Questions about bills. Nothing here changes anything."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, raiseload

from evcharge.billing.models import Bill, ShareAgreement
from evcharge.billing.rules import Party, ShareTerm
from evcharge.ledger.models import LedgerEntry
from evcharge.payments.rules import ItemKind


def bill_of(session: Session, kind: ItemKind, item_id: UUID) -> Bill | None:
    """Return what a booking or session finally came to; None: not worked out yet."""
    return bills_of(session, kind, [item_id]).get(item_id)


def bills_of(
    session: Session, kind: ItemKind, item_ids: Collection[UUID]
) -> dict[UUID, Bill]:
    """The same for many; only those with a bill are in the answer."""
    rows = session.scalars(
        select(Bill)
        .where(Bill.kind == kind, Bill.item_id.in_(item_ids))
        .options(raiseload("*"))
    )
    return {bill.item_id: bill for bill in rows}


def share_terms(
    session: Session, *, operator_id: int, location_id: int, at: datetime
) -> dict[Party, ShareTerm]:
    """Return what platform and host get of a supply: the nearest agreement of each."""
    rows = session.scalars(
        select(ShareAgreement)
        .where(
            ShareAgreement.operator_id == operator_id,
            (ShareAgreement.location_id == location_id)
            | ShareAgreement.location_id.is_(None),
            ShareAgreement.valid_from <= at,
        )
        # The last one stands: the location's after the operator's, the newest last.
        .order_by(
            ShareAgreement.location_id.is_not(None),
            ShareAgreement.valid_from,
            ShareAgreement.id,
        )
    )
    return {row.party: ShareTerm(row.basis, row.value) for row in rows}


def returned_by_refund(
    session: Session, refund_id: UUID
) -> tuple[LedgerEntry, Bill] | None:
    """Return what a refund takes out of a bill, and that bill."""
    row = session.execute(
        select(LedgerEntry, Bill)
        .join(
            Bill,
            (Bill.item_id == LedgerEntry.item_id)
            & (Bill.kind == LedgerEntry.item_kind),
        )
        .where(LedgerEntry.key == f"return:{refund_id}")
    ).one_or_none()
    return None if row is None else (row[0], row[1])
