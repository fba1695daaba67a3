"""Who pays: whose row is locked, whose things are theirs."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import (
    Session,
)

from evcharge.accounts.queries import lock_guests, lock_user, lock_users
from evcharge.payments.models import Checkout, CheckoutItem, Payment
from evcharge.payments.rules import (
    CheckoutNotFound,
    ItemKind,
    Payer,
    PaymentNotFound,
)


def lock_payer(session: Session, payer: Payer) -> None:
    """Make this transaction the only one that changes what this payer holds.

    Raises: UserNotFound, AccountSuspended, CheckoutNotFound for an unknown guest.
    """
    if payer.user_id is not None:
        lock_user(session, payer.user_id)
    elif payer.guest_id is None or not lock_guests(session, [payer.guest_id]):
        raise CheckoutNotFound(guest_id=payer.guest_id)


def lock_payers(session: Session, payers: Collection[Payer]) -> None:
    """As `lock_payer`, for what must go on whatever became of the account since.

    Users before guests, each by id: nobody waits in a circle.
    """
    users = [payer.user_id for payer in payers if payer.user_id is not None]
    guests = [payer.guest_id for payer in payers if payer.guest_id is not None]
    if users:
        lock_users(session, users)
    if guests:
        lock_guests(session, guests)


def is_of(payer: Payer) -> ColumnElement[bool]:
    if payer.user_id is not None:
        return Checkout.user_id == payer.user_id
    return Checkout.guest_id == payer.guest_id


def payer_of(session: Session, provider: str, ref: str) -> Payer:
    """Return whose payment this is. Raises: PaymentNotFound."""
    row = session.execute(
        select(Checkout.user_id, Checkout.guest_id)
        .join(Payment, Payment.checkout_id == Checkout.id)
        .where(Payment.provider == provider, Payment.provider_ref == ref)
    ).one_or_none()
    if row is None:
        raise PaymentNotFound(payment=ref)
    return Payer(*row)


def payers_of_item(session: Session, kind: ItemKind, item_id: UUID) -> list[Payer]:
    """Return who was ever asked to pay for this."""
    rows = session.execute(
        select(Checkout.user_id, Checkout.guest_id)
        .join(Checkout.items)
        .where(CheckoutItem.kind == kind, CheckoutItem.item_id == item_id)
        .distinct()
    )
    return [Payer(*row) for row in rows]
