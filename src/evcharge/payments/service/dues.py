"""What is still owed after something was supplied: opened, paid, or waived."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evcharge.kernel.db import changed, insert_missing
from evcharge.kernel.ids import new_id
from evcharge.kernel.live import announce
from evcharge.ledger.rules import EntryKind
from evcharge.payments.models import Checkout, Due
from evcharge.payments.queries import due_by_id, lock_payers
from evcharge.payments.rules import (
    LONGEST_NOTE,
    DueOver,
    Item,
    ItemKind,
    Payer,
    ReasonMissing,
)
from evcharge.payments.service.checkouts import open_checkout
from evcharge.payments.service.postings import post_due_over
from evcharge.payments.service.refunds import refund_item

# Long enough for any page of a provider; what is owed does not run away.
TIME_TO_PAY = timedelta(minutes=30)


def open_due(
    session: Session,
    *,
    payer: Payer,
    item_kind: ItemKind,
    item_id: UUID,
    reference: str,
    location_id: int,
    amount_paise: int,
    reason: str,
    now: datetime,
) -> Due:
    """Write down what is still owed for an item: once, however often it is asked.

    The caller writes the sale on credit (SALE_DUE) into the ledger.
    """
    row = {
        "id": new_id(),
        "user_id": payer.user_id,
        "guest_id": payer.guest_id,
        "item_kind": item_kind,
        "item_id": item_id,
        "reference": reference,
        "location_id": location_id,
        "amount_paise": amount_paise,
        "reason": reason[:LONGEST_NOTE],
        "created_at": now,
    }
    insert_missing(session, Due, [row])
    announce(session, f"{item_kind}:{item_id}")
    return session.scalars(
        select(Due).where(Due.item_id == item_id, Due.item_kind == item_kind)
    ).one()


def ask_for_due(
    session: Session, *, due_id: UUID, payer: Payer, return_path: str, now: datetime
) -> Checkout:
    """Open a checkout for what somebody owes.

    Raises: DueNotFound, also for somebody else's; DueOver; what `open_checkout` raises.
    """
    due = due_by_id(session, due_id, payer=payer)
    if not due.is_open:
        raise DueOver(due_id=due_id)
    return open_checkout(
        session,
        user_id=payer.user_id,
        guest_id=payer.guest_id,
        items=[Item(ItemKind.DUE, due.id, due.amount_paise, due.location_id)],
        description=f"Amount due for {due.reference}",
        return_path=return_path,
        expires_at=now + TIME_TO_PAY,
        now=now,
    )


def settle_due(
    session: Session,
    *,
    item_id: UUID,
    amount_paise: int,
    payment_id: UUID,
    now: datetime,
) -> None:
    """Take money for what was owed. Money for what is not owed any more goes back.

    Runs in the transaction of the payment's own change, with the payer locked.
    """
    due = due_by_id(session, item_id, lock=True)
    if not due.is_open or amount_paise < due.amount_paise:
        _send_back(session, due, amount_paise, "This was not owed any more", now=now)
        return
    due.paid_at = now
    post_due_over(session, due, EntryKind.DUE_PAID, now)
    extra_paise = amount_paise - due.amount_paise
    _send_back(session, due, extra_paise, "Paid more than was due", now=now)
    announce(session, f"{due.item_kind}:{due.item_id}")


def _send_back(
    session: Session, due: Due, amount_paise: int, reason: str, *, now: datetime
) -> None:
    refund_item(
        session,
        kind=ItemKind.DUE,
        item_id=due.id,
        amount_paise=amount_paise,
        reason=reason,
        now=now,
    )


def waive_due(
    session: Session, due_id: UUID, *, by: int, reason: str, now: datetime
) -> Due:
    """Ask for it no more: the operator bears it. `by` is a person of theirs.

    Raises: ReasonMissing, DueNotFound, DueOver.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_NOTE:
        raise ReasonMissing
    due = due_by_id(session, due_id)
    lock_payers(session, [Payer(due.user_id, due.guest_id)])
    statement = (
        update(Due)
        .where(Due.id == due_id, Due.paid_at.is_(None), Due.waived_at.is_(None))
        .values(waived_at=now, waived_by=by, waived_reason=reason)
    )
    if not changed(session, statement):
        raise DueOver(due_id=due_id)
    session.refresh(due)
    post_due_over(session, due, EntryKind.DUE_WAIVED, now)
    announce(session, f"{due.item_kind}:{due.item_id}")
    return due
