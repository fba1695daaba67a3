"""Everything that can happen to money. Callers open the transaction.

The lock of the payer's account comes before any change, here as in every action on
what somebody holds; compare-and-set stands behind it.
"""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evcharge.accounts.queries import lock_user, lock_users
from evcharge.kernel.db import changed, insert_missing
from evcharge.kernel.ids import new_id
from evcharge.kernel.jobs import enqueue
from evcharge.kernel.live import announce
from evcharge.payments.models import (
    Checkout,
    CheckoutItem,
    Payment,
    ProviderEvent,
    Refund,
)
from evcharge.payments.queries import (
    checkout_of_user,
    is_paid,
    payable_checkout_or_none,
    payer_of,
    payers_of_item,
    payment_by_ref,
    refundable_parts,
)
from evcharge.payments.rules import (
    ATTEMPT_LIFE,
    CURRENCY,
    LONGEST_NOTE,
    MAY_BECOME_PAID,
    CheckoutOver,
    Item,
    ItemKind,
    Message,
    NothingToPay,
    Outcome,
    PaymentChanged,
    PaymentNotFound,
    PaymentStatus,
    RefundNotFailed,
    RefundNotFound,
    RefundStatus,
    check_local_path,
    ref_of,
    status_after_refunds,
)

log = logging.getLogger(__name__)


class OnPaid(Protocol):
    """Told, inside the transaction of the payment, that money for an item came in.

    Once for each payment that went through. Money that is too late, or too much
    because two attempts went through, is sent back by who is told: `refund_item`.
    """

    def __call__(
        self,
        session: Session,
        *,
        item_id: UUID,
        amount_paise: int,
        payment_id: UUID,
        now: datetime,
    ) -> None: ...


ToldWhenPaid = Mapping[ItemKind, OnPaid]


def open_checkout(
    session: Session,
    *,
    user_id: int,
    items: Collection[Item],
    description: str,
    return_path: str,
    expires_at: datetime,
    now: datetime,
) -> Checkout:
    """Write down what is owed. The same items again, while they can still be paid,
    are the same checkout, with at least this much time.

    Raises: NothingToPay, UserNotFound, AccountSuspended.
    """
    if not items:
        raise NothingToPay
    lock_user(session, user_id)
    known = payable_checkout_or_none(session, user_id=user_id, items=items, now=now)
    if known is not None:
        known.expires_at = max(known.expires_at, expires_at)
        return known
    checkout = Checkout(
        id=new_id(),
        user_id=user_id,
        amount_paise=sum(item.amount_paise for item in items),
        description=description[:LONGEST_NOTE],
        return_path=check_local_path(return_path),
        expires_at=expires_at,
        created_at=now,
        items=[
            CheckoutItem(
                kind=item.kind, item_id=item.item_id, amount_paise=item.amount_paise
            )
            for item in items
        ],
    )
    session.add(checkout)
    session.flush()
    return checkout


def start_payment(
    session: Session, *, checkout_id: UUID, user_id: int, provider: str, now: datetime
) -> Payment:
    """Begin an attempt to pay, or go on with one that is still young.

    Nothing is asked of the provider here: once this has committed, call its
    `open_order`, which may be repeated.

    Raises: CheckoutNotFound, NothingToPay, CheckoutOver, UserNotFound,
    AccountSuspended.
    """
    lock_user(session, user_id)
    checkout = checkout_of_user(session, checkout_id, user_id)
    if is_paid(session, checkout_id):
        raise NothingToPay(checkout_id=checkout_id)
    if now >= checkout.expires_at:
        raise CheckoutOver(checkout_id=checkout_id)
    young = session.scalar(
        select(Payment)
        .where(
            Payment.checkout_id == checkout_id,
            Payment.provider == provider,
            Payment.status == PaymentStatus.PENDING,
            Payment.failure.is_(None),
            Payment.created_at > now - ATTEMPT_LIFE,
        )
        .order_by(Payment.created_at.desc())
        .limit(1)
    )
    if young is not None:
        return young
    payment_id = new_id()
    payment = Payment(
        id=payment_id,
        checkout=checkout,
        provider=provider,
        provider_ref=ref_of(payment_id),
        amount_paise=checkout.amount_paise,
        created_at=now,
    )
    session.add(payment)
    session.flush()
    return payment


def receive_message(
    session: Session,
    *,
    provider: str,
    message: Message,
    on_paid: ToldWhenPaid,
    now: datetime,
) -> None:
    """Take in what a provider sent by itself: once, however often it comes.

    A message about a payment we do not know is kept and answered like any other:
    refusing it would only make the provider repeat it.
    """
    event = {
        "provider": provider,
        "event_id": message.event_id,
        "received_at": now,
        "body": message.body,
    }
    if not insert_missing(session, ProviderEvent, [event]):
        return
    try:
        record_outcome(
            session,
            provider=provider,
            outcome=message.outcome,
            on_paid=on_paid,
            now=now,
        )
    except PaymentNotFound:
        log.warning("%s spoke of an unknown payment: %s", provider, message.outcome.ref)


def record_outcome(
    session: Session,
    *,
    provider: str,
    outcome: Outcome,
    on_paid: ToldWhenPaid,
    now: datetime,
) -> Payment:
    """Write down what a provider says of an attempt. Any order, any number of times.

    The one way for money to come in: by webhook, return page and reconciler alike.
    Whoever must know hears of it in the same transaction, exactly once.

    Raises: PaymentNotFound.
    """
    # Also for suspended and deleted people: their money is here all the same.
    lock_users(session, [payer_of(session, provider, outcome.ref)])
    payment = payment_by_ref(session, provider, outcome.ref)
    if outcome.status == PaymentStatus.PAID:
        _collect(session, payment, outcome, on_paid=on_paid, now=now)
    elif outcome.status in (PaymentStatus.FAILED, PaymentStatus.CANCELLED):
        _give_up(session, payment, outcome)
    return payment


def _collect(
    session: Session,
    payment: Payment,
    outcome: Outcome,
    *,
    on_paid: ToldWhenPaid,
    now: datetime,
) -> None:
    if payment.status not in MAY_BECOME_PAID:
        return
    if (outcome.amount_paise, outcome.currency) != (payment.amount_paise, CURRENCY):
        came = f"{outcome.amount_paise} {outcome.currency} paise came"
        log.error("payment %s: %s", payment.id, came)
        _set(session, payment, failure=f"{came}, {payment.amount_paise} were asked")
        return
    _set(
        session,
        payment,
        status=PaymentStatus.PAID,
        paid_at=now,
        method=outcome.method,
        failure=None,
    )
    for item in payment.checkout.items:
        on_paid[item.kind](
            session,
            item_id=item.item_id,
            amount_paise=item.amount_paise,
            payment_id=payment.id,
            now=now,
        )
    _tell(session, payment)


def _give_up(session: Session, payment: Payment, outcome: Outcome) -> None:
    if payment.status != PaymentStatus.PENDING:
        return
    _set(
        session,
        payment,
        status=outcome.status,
        failure=outcome.failure and outcome.failure[:LONGEST_NOTE],
    )
    _tell(session, payment)


def _tell(session: Session, payment: Payment) -> None:
    for item in payment.checkout.items:
        announce(session, f"{item.kind}:{item.item_id}")


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
    lock_users(session, payers_of_item(session, kind, item_id))
    refunds = []
    for payment, available_paise in refundable_parts(session, kind, item_id):
        part = min(amount_paise, available_paise)
        if part == 0:
            break
        refunds.append(
            _promise_back(session, payment, kind, item_id, part, reason, now=now)
        )
        amount_paise -= part
    return refunds


def _promise_back(
    session: Session,
    payment: Payment,
    kind: ItemKind,
    item_id: UUID,
    amount_paise: int,
    reason: str,
    *,
    now: datetime,
) -> Refund:
    refunded_paise = payment.refunded_paise + amount_paise
    _set(
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
    enqueue(session, "payments.send_refund", now=now, refund_id=str(refund.id))
    return refund


def _set(session: Session, payment: Payment, **values: object) -> None:
    """Change a payment that is still as we saw it. Raises: PaymentChanged."""
    statement = (
        update(Payment)
        .where(
            Payment.id == payment.id,
            Payment.status == payment.status,
            Payment.refunded_paise == payment.refunded_paise,
        )
        .values(**values)
    )
    if not changed(session, statement):
        raise PaymentChanged(payment_id=payment.id)
    session.refresh(payment, list(values))


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


def finish_refund(
    session: Session, refund_id: UUID, *, provider_ref: str, now: datetime
) -> None:
    """The provider has it: SENT → DONE. A repeat changes nothing."""
    _end_refund(
        session,
        refund_id,
        status=RefundStatus.DONE,
        provider_ref=provider_ref,
        done_at=now,
    )


def fail_refund(session: Session, refund_id: UUID, *, failure: str) -> None:
    """The provider will not do it: SENT → FAILED, kept for the admin.

    The money stays promised: we owe it until a person has found another way.
    """
    log.error("refund %s was refused: %s", refund_id, failure)
    _end_refund(
        session, refund_id, status=RefundStatus.FAILED, failure=failure[:LONGEST_NOTE]
    )


def _end_refund(session: Session, refund_id: UUID, **values: object) -> None:
    statement = (
        update(Refund)
        .where(Refund.id == refund_id, Refund.status == RefundStatus.SENT)
        .values(**values)
        .returning(Refund.kind, Refund.item_id)
    )
    for kind, item_id in session.execute(statement):
        announce(session, f"{kind}:{item_id}")


def retry_refund(session: Session, refund_id: UUID, *, now: datetime) -> None:
    """Send a refund again that the provider had refused: FAILED → CREATED.

    Raises: RefundNotFailed.
    """
    statement = (
        update(Refund)
        .where(Refund.id == refund_id, Refund.status == RefundStatus.FAILED)
        .values(status=RefundStatus.CREATED, failure=None)
    )
    if not changed(session, statement):
        raise RefundNotFailed(refund_id=refund_id)
    enqueue(session, "payments.send_refund", now=now, refund_id=str(refund_id))


def mark_asked(
    session: Session, payment_ids: Collection[UUID], *, now: datetime
) -> None:
    """Remember when we last asked a provider about these."""
    session.execute(
        update(Payment).where(Payment.id.in_(payment_ids)).values(checked_at=now)
    )
