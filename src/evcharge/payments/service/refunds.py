"""Money on its way back."""

import logging
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evcharge.kernel.db import changed
from evcharge.kernel.ids import new_id
from evcharge.kernel.jobs import enqueue
from evcharge.kernel.live import announce
from evcharge.ledger.queries import item_balance
from evcharge.ledger.rules import Account
from evcharge.payments.models import (
    Payment,
    Refund,
)
from evcharge.payments.queries import (
    RefundablePart,
    lock_payers,
    payers_of_item,
    refundable_parts,
)
from evcharge.payments.rules import (
    LONGEST_NOTE,
    ItemKind,
    RefundNews,
    RefundNotFailed,
    RefundNotFound,
    RefundStatus,
    status_after_refunds,
)
from evcharge.payments.service.changes import set_payment
from evcharge.payments.service.postings import (
    post_old_payments,
    post_refund,
    post_refund_sent,
)

log = logging.getLogger(__name__)


def refund_item(
    session: Session,
    *,
    kind: ItemKind,
    item_id: UUID,
    amount_paise: int,
    reason: str,
    now: datetime,
) -> list[Refund]:
    """Send money for an item back the way it came, newest payment first.

    Never more than came in for it and has not been promised back: where that is
    less than asked, the refunds returned add up to less.
    """
    if amount_paise < 0:
        raise ValueError(f"a refund of {amount_paise} paise")
    lock_payers(session, payers_of_item(session, kind, item_id))
    parts = refundable_parts(session, kind, item_id)
    post_old_payments(session, kind, item_id, parts)
    advance_paise = max(0, item_balance(session, Account.ADVANCES, kind, item_id))
    refunds = []
    for part in parts:
        paise = min(amount_paise, part.left_paise)
        if paise == 0:
            break
        refund = _promise_back(session, part, kind, item_id, paise, reason, now=now)
        unearned_paise = min(paise, advance_paise)
        post_refund(session, refund, part, advance_paise=unearned_paise, now=now)
        _ask_for_what_follows(session, refund, is_credit=unearned_paise < paise)
        refunds.append(refund)
        amount_paise -= paise
        advance_paise -= unearned_paise
    return refunds


def _promise_back(
    session: Session,
    part: RefundablePart,
    kind: ItemKind,
    item_id: UUID,
    amount_paise: int,
    reason: str,
    *,
    now: datetime,
) -> Refund:
    payment = part.payment
    refunded_paise = payment.refunded_paise + amount_paise
    set_payment(
        session,
        payment,
        refunded_paise=refunded_paise,
        status=status_after_refunds(payment.amount_paise, refunded_paise),
    )
    refund = Refund(
        id=new_id(),
        payment_id=payment.id,
        kind=kind,
        item_id=item_id,
        amount_paise=amount_paise,
        reason=reason[:LONGEST_NOTE],
        status=RefundStatus.CREATED,
        created_at=now,
    )
    session.add(refund)
    session.flush()
    return refund


def _ask_for_what_follows(session: Session, refund: Refund, *, is_credit: bool) -> None:
    names = ["payments.send_refund", "invoices.refund_paper"]
    if is_credit:  # What was earned is taken back from those who earned it.
        names.append("billing.credit")
    for name in names:
        enqueue(session, name, now=refund.created_at, refund_id=str(refund.id))


def begin_sending_refund(
    session: Session, refund_id: UUID, *, now: datetime
) -> tuple[Refund, Payment] | None:
    """Return what is to be sent, marked SENT; None when there is nothing left to do.

    A refund that was SENT before is returned again: nobody knows whether it arrived,
    and the provider knows its id.
    """
    row = session.execute(
        select(Refund, Payment)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(Refund.id == refund_id)
    ).one_or_none()
    if row is None:
        raise RefundNotFound(refund_id=refund_id)
    refund, payment = row
    if refund.status in (RefundStatus.DONE, RefundStatus.FAILED):
        return None
    if refund.status == RefundStatus.CREATED:
        refund.status, refund.sent_at = RefundStatus.SENT, now
    return refund, payment


def record_refund_news(session: Session, news: RefundNews, *, now: datetime) -> None:
    """Write down what a provider says of a refund. Any order, any number of times.

    By job, webhook and reconciler alike. News of a refund we do not know are logged.
    """
    refund = session.get(Refund, news.refund_id, with_for_update=True)
    if refund is None:
        log.warning("a provider spoke of an unknown refund: %s", news.provider_ref)
    elif news.status == RefundStatus.DONE:
        _finish(session, refund, news, now=now)
    elif news.status == RefundStatus.FAILED:
        _give_up(session, refund, news)
    elif refund.status == RefundStatus.SENT and refund.accepted_at is None:
        refund.provider_ref, refund.accepted_at = news.provider_ref, now
        _tell(session, refund)


def _finish(
    session: Session, refund: Refund, news: RefundNews, *, now: datetime
) -> None:
    """The money has left, also where we had believed that it would not."""
    reference = refund.bank_reference or news.bank_reference
    if refund.status == RefundStatus.DONE:
        refund.bank_reference = reference  # It often comes after the money.
        return
    refund.status, refund.done_at = RefundStatus.DONE, now
    refund.sent_at = refund.sent_at or now
    refund.accepted_at = refund.accepted_at or now
    refund.provider_ref, refund.bank_reference = news.provider_ref, reference
    refund.failure = None
    session.flush()
    post_refund_sent(session, refund.id, now=now)
    _tell(session, refund)


def _give_up(session: Session, refund: Refund, news: RefundNews) -> None:
    if refund.status == RefundStatus.DONE:
        log.error("refund %s is done, and now said to have failed", refund.id)
        return
    is_of_a_try_before = refund.provider_ref not in (None, news.provider_ref)
    if refund.status != RefundStatus.SENT or is_of_a_try_before:
        return
    refund.provider_ref = news.provider_ref
    session.flush()
    fail_refund(session, refund.id, failure=news.failure or "The bank said no.")


def _tell(session: Session, refund: Refund) -> None:
    announce(session, f"{refund.kind}:{refund.item_id}")


def mark_refunds_asked(
    session: Session, refund_ids: Collection[UUID], *, now: datetime
) -> None:
    """Remember when we last asked a provider about these."""
    session.execute(
        update(Refund).where(Refund.id.in_(refund_ids)).values(checked_at=now)
    )


def fail_refund(session: Session, refund_id: UUID, *, failure: str) -> None:
    """The provider will not do it: SENT → FAILED, kept for the admin.

    The money stays promised: we owe it until a person has found another way.
    """
    log.error("refund %s was refused: %s", refund_id, failure)
    statement = (
        update(Refund)
        .where(Refund.id == refund_id, Refund.status == RefundStatus.SENT)
        .values(status=RefundStatus.FAILED, failure=failure[:LONGEST_NOTE])
        .returning(Refund.kind, Refund.item_id)
    )
    for kind, item_id in session.execute(statement).all():
        announce(session, f"{kind}:{item_id}")


def retry_refund(session: Session, refund_id: UUID, *, now: datetime) -> None:
    """Send a refund again that the provider had refused: FAILED → CREATED.

    Raises: RefundNotFailed.
    """
    statement = (
        update(Refund)
        .where(Refund.id == refund_id, Refund.status == RefundStatus.FAILED)
        .values(
            status=RefundStatus.CREATED,
            failure=None,
            provider_ref=None,
            accepted_at=None,
        )
    )
    if not changed(session, statement):
        raise RefundNotFailed(refund_id=refund_id)
    enqueue(session, "payments.send_refund", now=now, refund_id=str(refund_id))
