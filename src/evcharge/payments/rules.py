"""Words about money that moves: what a payment and a refund can be, and refusals."""

from enum import StrEnum

from evcharge.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound

CURRENCY = "INR"


class ItemKind(StrEnum):
    """What a checkout can ask money for. `wiring.ON_PAID` names who is told."""

    BOOKING = "booking"


class PaymentStatus(StrEnum):
    """One attempt to pay. FAILED → PAID is legal: a late authorisation."""

    PENDING = "PENDING"
    PAID = "PAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


# Money came in, whatever went back since.
COLLECTED = frozenset(
    {
        PaymentStatus.PAID,
        PaymentStatus.PARTIALLY_REFUNDED,
        PaymentStatus.REFUNDED,
    }
)


class RefundStatus(StrEnum):
    CREATED = "CREATED"
    SENT = "SENT"
    DONE = "DONE"
    FAILED = "FAILED"


class PaymentNotFound(NotFound):
    code = "payment_not_found"
    message = "There is no such payment."


class CheckoutNotFound(NotFound):
    code = "checkout_not_found"
    message = "There is no such checkout."


class NothingToPay(Conflict):
    code = "nothing_to_pay"
    message = "There is nothing left to pay here."


class CheckoutOver(Conflict):
    code = "checkout_over"
    message = "The time to pay is over. No money was taken; book again."


class ForgedMessage(NotAllowed):
    code = "forged_message"
    message = "The signature of this message is wrong."


class UnreadableMessage(InvalidInput):
    code = "unreadable_message"
    message = "This message cannot be read."
