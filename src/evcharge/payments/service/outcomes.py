"""What providers say of attempts to pay: the one way for money to come in."""

import logging
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from evcharge.kernel.db import insert_missing
from evcharge.kernel.jobs import enqueue
from evcharge.kernel.live import announce
from evcharge.payments.models import (
    CheckoutItem,
    Payment,
    ProviderEvent,
)
from evcharge.payments.queries import (
    lock_payers,
    payer_of,
    payment_by_ref,
)
from evcharge.payments.rules import (
    CURRENCY,
    LONGEST_NOTE,
    MAY_BECOME_PAID,
    ItemKind,
    Message,
    Outcome,
    PaymentNotFound,
    PaymentStatus,
)
from evcharge.payments.service.changes import set_payment
from evcharge.payments.service.postings import post_payment
from evcharge.payments.service.refunds import record_refund_news

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
    if message.refund is not None:
        record_refund_news(session, message.refund, now=now)
    if message.outcome is None:
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
    lock_payers(session, [payer_of(session, provider, outcome.ref)])
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
        set_payment(
            session, payment, failure=f"{came}, {payment.amount_paise} were asked"
        )
        return
    set_payment(
        session,
        payment,
        status=PaymentStatus.PAID,
        paid_at=now,
        method=outcome.method,
        bank_reference=outcome.bank_reference,
        failure=None,
    )
    post_payment(session, payment, now=now)
    for item in payment.checkout.items:
        _ask_for_receipt(session, payment, item, now=now)
        on_paid[item.kind](
            session,
            item_id=item.item_id,
            amount_paise=item.amount_paise,
            payment_id=payment.id,
            now=now,
        )
    _tell(session, payment)


def _ask_for_receipt(
    session: Session, payment: Payment, item: CheckoutItem, *, now: datetime
) -> None:
    """An advance needs a receipt voucher; a due was on the invoice already."""
    if item.kind == ItemKind.DUE:
        return
    enqueue(
        session,
        "invoices.receipt",
        now=now,
        payment_id=str(payment.id),
        item_kind=item.kind,
        item_id=str(item.item_id),
    )


def _give_up(session: Session, payment: Payment, outcome: Outcome) -> None:
    if payment.status != PaymentStatus.PENDING:
        return
    set_payment(
        session,
        payment,
        status=outcome.status,
        failure=outcome.failure and outcome.failure[:LONGEST_NOTE],
    )
    _tell(session, payment)


def _tell(session: Session, payment: Payment) -> None:
    for item in payment.checkout.items:
        announce(session, f"{item.kind}:{item.item_id}")


def mark_asked(
    session: Session, payment_ids: Collection[UUID], *, now: datetime
) -> None:
    """Remember when we last asked a provider about these."""
    session.execute(
        update(Payment).where(Payment.id.in_(payment_ids)).values(checked_at=now)
    )
