"""Razorpay as one of our providers.

An attempt is a payment link whose `reference_id` is our name for it: Razorpay takes
each only once, and finds it again after a crash. A refund carries our id as its
idempotency key and in its notes.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import SecretStr
from razorpay.errors import BadRequestError

from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import Unavailable
from evcharge.payments.providers.base import ASK, Order
from evcharge.payments.providers.razorpay import messages
from evcharge.payments.providers.razorpay.calls import Calls
from evcharge.payments.providers.razorpay.words import (
    COLLECTED,
    PAYMENT_NOTE,
    REFUND_NOTE,
    Link,
    RazorpayPayment,
    RazorpayRefund,
    news_of,
    outcome_of,
)
from evcharge.payments.rules import (
    CURRENCY,
    Message,
    Movement,
    OrderRefused,
    Outcome,
    RefundNews,
    RefundRefused,
    RefundStatus,
)

log = logging.getLogger(__name__)

# They refuse links that live less than fifteen minutes, by their own clock.
SHORTEST_LIFE = timedelta(minutes=16)
PAGE = 100


class Razorpay:
    name = "razorpay"
    # A link's short address, and where that leads.
    page_origins = ("https://rzp.io", "https://*.razorpay.com")

    def __init__(
        self,
        *,
        key_id: str,
        key_secret: SecretStr,
        webhook_secrets: SecretStr,
        url: str,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._calls = Calls(key_id, key_secret, url)
        self._key_secret = key_secret
        self._webhook_secrets = webhook_secrets
        self._now = clock

    def open_order(self, order: Order) -> str:
        with self._calls.client() as client:
            try:
                link = Link.model_validate(
                    client.payment_link.create(self._wish(order))
                )
            except BadRequestError as error:
                known = _find(client, order.ref)
                if known is None:
                    log.error("Razorpay refused the order %s: %s", order.ref, error)
                    raise OrderRefused from error
                link = self._prolonged(client, known, order)
        return link.short_url

    def _wish(self, order: Order) -> dict[str, Any]:
        return {
            "amount": order.amount_paise,
            "currency": CURRENCY,
            "accept_partial": False,
            "reference_id": order.ref,
            "description": order.description,
            "expire_by": self._expiry(order),
            "reminder_enable": False,
            "notify": {"sms": False, "email": False},
            "notes": {PAYMENT_NOTE: order.ref},
            "callback_url": f"{order.origin}{order.return_path}",
            "callback_method": "get",
        }

    def _expiry(self, order: Order) -> int:
        return int(max(order.expires_at, self._now() + SHORTEST_LIFE).timestamp())

    def _prolonged(self, client: Any, link: Link, order: Order) -> Link:
        is_long_enough = (link.expire_by or 0) >= int(order.expires_at.timestamp())
        if link.status != "created" or is_long_enough:
            return link
        wish = {"expire_by": self._expiry(order)}
        return Link.model_validate(client.payment_link.edit(link.id, wish))

    def read_message(self, body: bytes, headers: Mapping[str, str]) -> Message:
        given = headers.get(messages.SIGNATURE_HEADER, "")
        secrets = self._webhook_secrets.get_secret_value().split()
        messages.check(body, given, secrets)
        return messages.read(body)

    def read_return(
        self, ref: str, query: Mapping[str, str]
    ) -> Outcome | Literal["ask"] | None:
        """The signature covers no amount, so that has to be asked for."""
        if "razorpay_signature" not in query:
            return None
        link, status, payment = (
            query.get(f"razorpay_{name}", "")
            for name in ("payment_link_id", "payment_link_status", "payment_id")
        )
        messages.check(
            f"{link}|{ref}|{status}|{payment}".encode(),
            query["razorpay_signature"],
            [self._key_secret.get_secret_value()],
        )
        return ASK

    def ask(self, ref: str) -> Outcome | None:
        with self._calls.client() as client:
            link = _find(client, ref)
            return _outcome(client, link) if link else None

    def close_order(self, ref: str) -> Outcome | None:
        with self._calls.client() as client:
            link = _find(client, ref)
            if link is None:
                return None
            if link.status == "created" and not link.amount_paid:
                link = _cancelled(client, link)
            return _outcome(client, link)

    def refund(self, ref: str, *, refund_id: UUID, amount_paise: int) -> RefundNews:
        with self._calls.client() as client:
            payment_id = _collected_payment(client, ref)
            made = _refunds(client, payment_id, refund_id)
            under_way = [each for each in made if each.status != "failed"]
            if under_way:
                return news_of(under_way[0], refund_id)
            # One that failed is over, and its key would only bring it up again. How
            # many there are is Razorpay's to say, so a repeat makes the same key.
            key = f"{refund_id.hex}-{len(made)}"
            wish = {
                "amount": amount_paise,
                "speed": "normal",
                "receipt": key,
                "notes": {REFUND_NOTE: str(refund_id), PAYMENT_NOTE: ref},
            }
            try:
                answer = client.payment.refund(
                    payment_id, wish, headers={"X-Refund-Idempotency": key}
                )
            except BadRequestError as error:
                raise RefundRefused(str(error) or None) from error
            return news_of(RazorpayRefund.model_validate(answer), refund_id)

    def ask_refund(self, ref: str, refund_id: UUID) -> RefundNews | None:
        with self._calls.client() as client:
            link = _find(client, ref)
            if link is None or link.collected_by is None:
                return None
            made = _refunds(client, link.collected_by, refund_id)
        # The newest first: those before it failed.
        made.sort(key=lambda refund: refund.created_at, reverse=True)
        news = [news_of(refund, refund_id) for refund in made]
        alive = (each for each in news if each.status != RefundStatus.FAILED)
        return next(alive, news[0] if news else None)

    def movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        for row in self._listed("payment", since, until):
            payment = RazorpayPayment.model_validate(row)
            if payment.status in COLLECTED:
                yield Movement(
                    "payment", payment.ref, payment.amount, _at(payment.created_at)
                )
        for row in self._listed("refund", since, until):
            refund = RazorpayRefund.model_validate(row)
            if refund.status != "failed":
                name = str(refund.refund_id or refund.id)
                yield Movement("refund", name, refund.amount, _at(refund.created_at))

    def _listed(
        self, resource: Literal["payment", "refund"], since: datetime, until: datetime
    ) -> Iterator[object]:
        asked = {"from": int(since.timestamp()), "to": int(until.timestamp())}
        skip = 0
        while True:
            with self._calls.client() as client:
                pages = getattr(client, resource)
                rows = _items(pages.all(asked | {"count": PAGE, "skip": skip}), "items")
            yield from rows
            if len(rows) < PAGE:
                return
            skip += PAGE


def _find(client: Any, ref: str) -> Link | None:
    answer = client.payment_link.all({"reference_id": ref})
    links = map(Link.model_validate, _items(answer, "payment_links"))
    return next((link for link in links if link.reference_id == ref), None)


def _items(answer: Mapping[str, Any], name: str) -> list[object]:
    rows = answer.get(name)
    if not isinstance(rows, list):
        raise Unavailable("The payment provider answered in an unknown way.")
    return rows


def _outcome(client: Any, link: Link) -> Outcome:
    return outcome_of(link, _payment(client, link.collected_by))


def _payment(client: Any, payment_id: str | None) -> RazorpayPayment | None:
    """Return what the bank calls a payment, and how it was made. That it was made we
    know already, so we do not insist."""
    if payment_id is None:
        return None
    try:
        return RazorpayPayment.model_validate(client.payment.fetch(payment_id))
    except (Unavailable, BadRequestError, ValueError):
        return None


def _cancelled(client: Any, link: Link) -> Link:
    try:
        return Link.model_validate(client.payment_link.cancel(link.id))
    except BadRequestError:
        # The payer was quicker, or its time ended by itself.
        return Link.model_validate(client.payment_link.fetch(link.id))


def _collected_payment(client: Any, ref: str) -> str:
    link = _find(client, ref)
    if link is None or link.collected_by is None:
        raise RefundRefused("Razorpay knows of no money for this payment.")
    return link.collected_by


def _refunds(client: Any, payment_id: str, refund_id: UUID) -> list[RazorpayRefund]:
    """Return what was already sent for this refund of ours."""
    answer = client.payment.fetch_multiple_refund(payment_id, {"count": PAGE})
    refunds = map(RazorpayRefund.model_validate, _items(answer, "items"))
    return [refund for refund in refunds if refund.refund_id == refund_id]


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
