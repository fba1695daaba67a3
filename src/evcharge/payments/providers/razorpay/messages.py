"""Razorpay's webhooks: who sent them, and what they say."""

import hashlib
import hmac
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evcharge.payments.providers.razorpay.words import (
    Link,
    RazorpayPayment,
    RazorpayRefund,
    news_of,
    outcome_of,
)
from evcharge.payments.rules import (
    ForgedMessage,
    Message,
    Outcome,
    RefundNews,
    UnreadableMessage,
)

SIGNATURE_HEADER = "X-Razorpay-Signature"


class _LinkPart(BaseModel):
    entity: Link


class _PaymentPart(BaseModel):
    entity: RazorpayPayment


class _RefundPart(BaseModel):
    entity: RazorpayRefund


class _Payload(BaseModel):
    payment_link: _LinkPart | None = None
    payment: _PaymentPart | None = None
    refund: _RefundPart | None = None


class Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    event: str = Field(max_length=80)
    created_at: int | None = None
    payload: _Payload = _Payload()


class _Unknown(BaseModel):
    """An event of a kind that we do not follow: its parts may have any shape."""

    event: str = Field(max_length=80)
    created_at: int | None = None


def signature(content: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def check(content: bytes, given: str, secrets: Iterable[str]) -> None:
    """Raises: ForgedMessage when none of the secrets made this signature."""
    fits = [
        hmac.compare_digest(signature(content, secret).encode(), given.encode())
        for secret in secrets
    ]
    if not any(fits):
        raise ForgedMessage


def read(body: bytes) -> Message:
    """Read a webhook whose signature was checked.

    It is known by what it says: the event id is in a header that nobody signed, so
    that a listener could send an old message again under a new name.

    Raises: UnreadableMessage.
    """
    event_id = f"sha256_{hashlib.sha256(body).hexdigest()}"
    try:
        unknown = _Unknown.model_validate_json(body)
        if not unknown.event.startswith(("payment_link.", "refund.")):
            return Message(event_id, unknown.model_dump())
        event = Event.model_validate_json(body)
    except ValidationError as error:
        raise UnreadableMessage from error
    said = event.model_dump(mode="json", exclude_none=True)
    return Message(event_id, said, _outcome(event), _refund(event))


def _outcome(event: Event) -> Outcome | None:
    link, payment = event.payload.payment_link, event.payload.payment
    if link is None or not event.event.startswith("payment_link."):
        return None
    return outcome_of(link.entity, payment.entity if payment else None)


def _refund(event: Event) -> RefundNews | None:
    refund = event.payload.refund
    if refund is None or (refund_id := refund.entity.refund_id) is None:
        return None
    return news_of(refund.entity, refund_id)
