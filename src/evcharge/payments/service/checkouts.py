"""What is owed, and attempts to pay it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.kernel.ids import new_id
from evcharge.payments.models import (
    Checkout,
    CheckoutItem,
    Payment,
)
from evcharge.payments.queries import (
    checkout_of,
    is_paid,
    lock_payer,
    payable_checkout_or_none,
)
from evcharge.payments.rules import (
    ATTEMPT_LIFE,
    LONGEST_NOTE,
    CheckoutOver,
    Item,
    NothingToPay,
    Payer,
    PaymentStatus,
    check_local_path,
    ref_of,
)


def open_checkout(
    session: Session,
    *,
    user_id: int | None = None,
    guest_id: UUID | None = None,
    items: Collection[Item],
    description: str,
    return_path: str,
    expires_at: datetime,
    now: datetime,
) -> Checkout:
    """Write down what a user or a guest owes. The same items again, while they can
    still be paid, are the same checkout, with at least this much time.

    Raises: NothingToPay, UserNotFound, AccountSuspended; CheckoutNotFound for a guest
    we do not know.
    """
    if not items:
        raise NothingToPay
    payer = Payer(user_id, guest_id)
    lock_payer(session, payer)
    known = payable_checkout_or_none(session, payer=payer, items=items, now=now)
    if known is not None:
        known.expires_at = max(known.expires_at, expires_at)
        return known
    checkout = Checkout(
        id=new_id(),
        user_id=user_id,
        guest_id=guest_id,
        amount_paise=sum(item.amount_paise for item in items),
        description=description[:LONGEST_NOTE],
        return_path=check_local_path(return_path),
        expires_at=expires_at,
        created_at=now,
        items=[
            CheckoutItem(
                kind=item.kind,
                item_id=item.item_id,
                amount_paise=item.amount_paise,
                location_id=item.location_id,
            )
            for item in items
        ],
    )
    session.add(checkout)
    session.flush()
    return checkout


def start_payment(
    session: Session, *, checkout_id: UUID, payer: Payer, provider: str, now: datetime
) -> Payment:
    """Begin an attempt to pay, or go on with one that is still young.

    Nothing is asked of the provider here: once this has committed, call its
    `open_order`, which may be repeated.

    Raises: CheckoutNotFound, NothingToPay, CheckoutOver, UserNotFound,
    AccountSuspended.
    """
    lock_payer(session, payer)
    checkout = checkout_of(session, checkout_id, payer)
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
