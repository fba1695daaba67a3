"""Words about money that moves: what a payment and a refund can be, and refusals."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from evcharge.kernel.errors import (
    Conflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    Unavailable,
)

CURRENCY = "INR"

# Razorpay's payment links live at least this long; an older attempt may be dead.
ATTEMPT_LIFE = timedelta(minutes=15)
# A webhook has had its chance after that; then we ask.
ASK_AFTER = timedelta(minutes=2)
# A failed attempt may still be authorised late, so we go on asking, more rarely.
ASK_FAILED_FOR = timedelta(days=1)
ASK_FAILED_EVERY = timedelta(hours=1)
# Money on its way when the time to pay ended has this long to arrive.
CLOSE_AFTER = timedelta(minutes=5)
# A refund that is under way for so long is asked about, and then so often. For a
# while also one whose bank reference is still to come.
ASK_REFUND_AFTER = timedelta(minutes=10)
ASK_REFUND_EVERY = timedelta(hours=1)
ASK_BANK_REFERENCE_FOR = timedelta(days=7)
ASK_BANK_REFERENCE_EVERY = timedelta(hours=12)

# How long banks take for a refund: "5-7 working days" (Razorpay's documentation).
REFUND_WORKING_DAYS = 7
SATURDAY = 5

LONGEST_NOTE = 200
_LOCAL_PATH = re.compile(r"/(?!/)[\w\-./?=&%~#]{0,199}", re.ASCII)


class ItemKind(StrEnum):
    """What a checkout can ask money for. `wiring.ON_PAID` names who is told."""

    BOOKING = "booking"
    SESSION = "session"
    DUE = "due"


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


# From where money may still come in. CANCELLED too: if a provider takes money for an
# attempt it had closed, the money is there, and its owner must not lose it.
MAY_BECOME_PAID = frozenset(
    {PaymentStatus.PENDING, PaymentStatus.FAILED, PaymentStatus.CANCELLED}
)


class RefundStatus(StrEnum):
    CREATED = "CREATED"
    SENT = "SENT"
    DONE = "DONE"
    FAILED = "FAILED"


@dataclass(frozen=True)
class Payer:
    """Who pays: somebody with an account, or a guest. One of the two."""

    user_id: int | None = None
    guest_id: UUID | None = None

    def __post_init__(self) -> None:
        if (self.user_id is None) == (self.guest_id is None):
            raise ValueError("a payer is a user or a guest")


@dataclass(frozen=True)
class Item:
    """One thing that money is owed for."""

    kind: ItemKind
    item_id: UUID
    amount_paise: int
    # Where it is supplied; two that differ only there are the same thing.
    location_id: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Outcome:
    """What a provider says about one attempt. PENDING is no news."""

    ref: str
    status: PaymentStatus
    amount_paise: int
    currency: str = CURRENCY
    method: str | None = None
    failure: str | None = None
    # How banks call it: the UPI reference (RRN).
    bank_reference: str | None = None


@dataclass(frozen=True)
class RefundNews:
    """What a provider says about one refund. SENT: it is working on it."""

    refund_id: UUID
    provider_ref: str
    status: RefundStatus
    bank_reference: str | None = None
    failure: str | None = None


@dataclass(frozen=True)
class Movement:
    """Money that moved, by the provider's own books. `ref` is our name for it (of an
    attempt, or the id of a refund), else the provider's: then it is not ours."""

    kind: Literal["payment", "refund"]
    ref: str
    amount_paise: int
    at: datetime


@dataclass(frozen=True)
class Message:
    """What a provider sent on its own account, once its signature is verified.

    With neither an outcome nor a refund it is kept, and nothing follows from it.
    """

    event_id: str
    body: dict[str, object]
    outcome: Outcome | None = None
    refund: RefundNews | None = None


def ref_of(payment_id: UUID) -> str:
    """Return the provider's name for an attempt: made from ours, so that opening it
    again after a crash finds the first one. As hard to guess as the id itself."""
    return f"pay_{payment_id.hex}"


def after_working_days(at: datetime, days: int) -> datetime:
    """Return the same time so many Mondays to Fridays later."""
    while days:
        at += timedelta(days=1)
        days -= at.weekday() < SATURDAY
    return at


def check_local_path(path: str) -> str:
    """Return the path if it leads to a page of ours.

    Raises: ValueError; callers make these paths themselves.
    """
    if not _LOCAL_PATH.fullmatch(path):
        raise ValueError(f"not a path of ours: {path!r}")
    return path


def status_after_refunds(amount_paise: int, refunded_paise: int) -> PaymentStatus:
    """Return what a collected payment is called once so much of it goes back."""
    if refunded_paise == 0:
        return PaymentStatus.PAID
    if refunded_paise < amount_paise:
        return PaymentStatus.PARTIALLY_REFUNDED
    return PaymentStatus.REFUNDED


class PaymentNotFound(NotFound):
    code = "payment_not_found"
    message = "There is no such payment."


class CheckoutNotFound(NotFound):
    code = "checkout_not_found"
    message = "There is no such checkout."


class ProviderNotFound(NotFound):
    code = "provider_not_found"
    message = "There is no such payment provider."


class OrderNotFound(NotFound):
    code = "order_not_found"
    message = "There is no payment at this address."


class OrderOver(Conflict):
    code = "order_over"
    message = "This payment has ended."


class RefundNotFound(NotFound):
    code = "refund_not_found"
    message = "There is no such refund."


class RefundNotFailed(Conflict):
    code = "refund_not_failed"
    message = "This refund has not failed, so there is nothing to try again."


class OrderRefused(Unavailable):
    """The provider will not collect this, for a reason that is ours to look into."""

    code = "order_refused"
    message = "The payment provider does not take this payment. Tell us, please."


class RefundRefused(Conflict):
    """The provider will never send this money back; a person must look."""

    code = "refund_refused"
    message = "The payment provider refused this refund."


class PaymentChanged(Conflict):
    code = "payment_changed"
    message = "This payment has just changed. Look again."


class NothingToPay(Conflict):
    code = "nothing_to_pay"
    message = "There is nothing left to pay here."


class CheckoutOver(Conflict):
    code = "checkout_over"
    message = "The time to pay is over. No money was taken; book again."


class DueNotFound(NotFound):
    code = "due_not_found"
    message = "You owe nothing by that name."


class DueOver(Conflict):
    code = "due_over"
    message = "This is not owed any more."


class DueUnpaid(Conflict):
    code = "due_unpaid"
    message = "You still owe something for an earlier charge. Pay that first."


class ReasonMissing(InvalidInput):
    code = "reason_missing"
    message = "Say why, in up to 200 characters."


class ForgedMessage(NotAllowed):
    code = "forged_message"
    message = "The signature of this message is wrong."


class UnreadableMessage(InvalidInput):
    code = "unreadable_message"
    message = "This message cannot be read."
