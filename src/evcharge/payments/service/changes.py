"""How a payment changes: compare-and-set."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from evcharge.kernel.db import changed
from evcharge.payments.models import (
    Payment,
)
from evcharge.payments.rules import (
    PaymentChanged,
)


def set_payment(session: Session, payment: Payment, **values: object) -> None:
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
