"""A payment gateway without money: both what it knows and how the shop speaks to it.

It behaves like a real one. It keeps its own books, shows a page of its own, signs
what it sends, and tells the shop late, twice or in the wrong order when asked to.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database, changed, insert_missing
from evcharge.kernel.ids import new_id
from evcharge.kernel.jobs import enqueue
from evcharge.payments.models import SimulatedOrder, SimulatedRefund
from evcharge.payments.providers.base import Order
from evcharge.payments.providers.simulated_choices import (
    AT_ONCE,
    CANCELLED,
    COURSES,
    FAILED,
    PAID,
    Choice,
)
from evcharge.payments.rules import (
    CURRENCY,
    ForgedMessage,
    Message,
    Movement,
    OrderNotFound,
    OrderOver,
    Outcome,
    PaymentStatus,
    RefundNews,
    RefundRefused,
    RefundStatus,
    UnreadableMessage,
)

SIGNATURE_HEADER = "X-Simulated-Signature"
# Banks take back a card payment in their own time; UPI is quick.
CARD_REFUND_TAKES = timedelta(minutes=5)
REF = re.compile(r"pay_[0-9a-f]{32}")
LARGEST_AMOUNT = 2**31 - 1

FAILURE = "The bank said no."


Method = Literal["upi", "card"]


class Notice(BaseModel):
    """The gateway's webhook, on the wire."""

    model_config = ConfigDict(strict=True, frozen=True)

    event_id: str = Field(pattern=r"\A[\w-]{1,80}\z")
    ref: str = Field(pattern=rf"\A{REF.pattern}\z")
    status: Literal["PAID", "FAILED", "CANCELLED"]
    amount_paise: int = Field(ge=0, le=LARGEST_AMOUNT)
    currency: str = Field(pattern=r"\A[A-Z]{3}\z")
    method: Method | None = None
    failure: str | None = Field(default=None, pattern=r"\A[^\x00]{1,200}\z")


class Simulated:
    name = "simulated"
    page_origins = ()  # Its pages are among ours.

    def __init__(
        self,
        database: Database,
        secret: SecretStr,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._key = hmac.digest(
            secret.get_secret_value().encode(), b"simulated gateway", "sha256"
        )
        self._now = clock

    # What the shop asks: the Provider protocol.

    def open_order(self, order: Order) -> str:
        def open_(session: Session) -> None:
            row = {
                "ref": order.ref,
                "amount_paise": order.amount_paise,
                "description": order.description,
                "return_path": order.return_path,
                "status": PaymentStatus.PENDING,
                "expires_at": order.expires_at,
                "created_at": self._now(),
            }
            if not insert_missing(session, SimulatedOrder, [row]):
                known = _order(session, order.ref)
                known.expires_at = max(known.expires_at, order.expires_at)

        self._database.perform(open_, repeatable=True)
        return f"/simulated-gateway/{order.ref}"

    def read_message(self, body: bytes, headers: Mapping[str, str]) -> Message:
        self._check(body, headers.get(SIGNATURE_HEADER, ""))
        try:
            notice = Notice.model_validate_json(body)
        except ValidationError as error:
            raise UnreadableMessage from error
        outcome = Outcome(
            notice.ref,
            PaymentStatus(notice.status),
            notice.amount_paise,
            notice.currency,
            notice.method,
            notice.failure,
            _bank_reference(notice.ref) if notice.status == PAID else None,
        )
        return Message(notice.event_id, notice.model_dump(), outcome)

    def read_return(self, ref: str, query: Mapping[str, str]) -> Outcome | None:
        if "signature" not in query:
            return None
        status, amount = query.get("status", ""), query.get("amount_paise", "")
        method = query.get("method", "")
        self._check(_carried(ref, status, amount, method), query["signature"])
        return Outcome(
            ref,
            PaymentStatus(status),
            int(amount),
            method=method or None,
            failure=FAILURE if status == FAILED else None,
            bank_reference=_bank_reference(ref) if status == PAID else None,
        )

    def ask(self, ref: str) -> Outcome | None:
        with self._database.reading() as session:
            order = session.get(SimulatedOrder, ref)
        return _outcome(order) if order else None

    def close_order(self, ref: str) -> Outcome | None:
        def close(session: Session) -> None:
            _settle(session, ref, CANCELLED, failure="The time to pay was over.")

        self._database.perform(close, repeatable=True)
        return self.ask(ref)

    def refund(self, ref: str, *, refund_id: UUID, amount_paise: int) -> RefundNews:
        def send_back(session: Session) -> None:
            order = session.get(SimulatedOrder, ref, with_for_update=True)
            if session.get(SimulatedRefund, refund_id):
                return
            sent = select(func.coalesce(func.sum(SimulatedRefund.amount_paise), 0))
            sent_paise = session.scalar(sent.where(SimulatedRefund.order_ref == ref))
            if order is None or order.status != PAID:
                raise RefundRefused("There is no money to send back.")
            if (sent_paise or 0) + amount_paise > order.amount_paise:
                raise RefundRefused("That is more than was paid.")
            session.add(
                SimulatedRefund(
                    id=refund_id,
                    order_ref=ref,
                    amount_paise=amount_paise,
                    created_at=self._now(),
                )
            )

        self._database.perform(send_back, repeatable=True)
        news = self.ask_refund(ref, refund_id)
        assert news is not None  # noqa: S101
        return news

    def ask_refund(self, ref: str, refund_id: UUID) -> RefundNews | None:
        with self._database.reading() as session:
            refund = session.get(SimulatedRefund, refund_id)
            order = session.get(SimulatedOrder, ref)
        if refund is None or order is None or refund.order_ref != ref:
            return None
        takes = CARD_REFUND_TAKES if order.method == "card" else AT_ONCE
        if self._now() < refund.created_at + takes:
            return RefundNews(refund_id, _refund_name(refund_id), RefundStatus.SENT)
        return _sent_back(refund_id)

    def movements(self, since: datetime, until: datetime) -> Iterable[Movement]:
        with self._database.reading() as session:
            came = session.scalars(
                select(SimulatedOrder).where(
                    SimulatedOrder.status == PAID,
                    SimulatedOrder.created_at.between(since, until),
                )
            )
            went = session.scalars(
                select(SimulatedRefund).where(
                    SimulatedRefund.created_at.between(since, until)
                )
            )
            return [
                *(
                    Movement("payment", each.ref, each.amount_paise, each.created_at)
                    for each in came
                ),
                *(
                    Movement("refund", str(each.id), each.amount_paise, each.created_at)
                    for each in went
                ),
            ]

    # What happens at the gateway.

    def order(self, ref: str) -> SimulatedOrder:
        """Raises: OrderNotFound."""
        with self._database.reading() as session:
            return _order(session, ref)

    def is_open(self, order: SimulatedOrder) -> bool:
        return order.status == PaymentStatus.PENDING and self._now() < order.expires_at

    def choose(self, ref: str, choice: Choice, method: Method) -> str | None:
        """Do what the payer chose. Return where their browser goes, None if it stays.

        Raises: OrderNotFound, OrderOver.
        """
        course = COURSES[choice]

        def act(session: Session) -> SimulatedOrder:
            order = _order(session, ref)
            failure = FAILURE if course.truth == FAILED else None
            if not self.is_open(order) or not _settle(
                session, ref, course.truth, method=method, failure=failure
            ):
                raise OrderOver(ref=ref)
            # The same news twice is the same message twice, as from real providers.
            bodies = {
                status: notice_body(order, status, method=method)
                for status, _ in course.news
            }
            for status, delay in course.news:
                self._announce(session, bodies[status], delay)
            return order

        order = self._database.perform(act)
        return (
            self.way_back(order, course.carried, method) if course.goes_back else None
        )

    def _announce(self, session: Session, body: str, delay: timedelta) -> None:
        now = self._now()
        enqueue(
            session,
            "payments.deliver_simulated",
            now=now,
            due_at=now + delay,
            body=body,
        )

    def way_back(
        self,
        order: SimulatedOrder,
        status: PaymentStatus | None,
        method: str | None = None,
    ) -> str:
        """Return the shop's address, signed over what the browser is to say there."""
        if status is None:
            return order.return_path
        amount, method = str(order.amount_paise), method or order.method or ""
        said = {
            "status": status,
            "amount_paise": amount,
            "method": method,
            "signature": self.sign(_carried(order.ref, status, amount, method)),
        }
        return f"{order.return_path}?{urlencode(said)}"

    def sign(self, content: bytes) -> str:
        return hmac.new(self._key, content, hashlib.sha256).hexdigest()

    def _check(self, content: bytes, signature: str) -> None:
        if not hmac.compare_digest(self.sign(content).encode(), signature.encode()):
            raise ForgedMessage


def notice_body(
    order: SimulatedOrder, status: PaymentStatus, *, method: Method | None = None
) -> str:
    """Return a new message about an order, as it goes over the wire."""
    notice = {
        "event_id": f"evt_{new_id().hex}",
        "ref": order.ref,
        "status": status,
        "amount_paise": order.amount_paise,
        "currency": CURRENCY,
        "method": method,
        "failure": FAILURE if status == FAILED else None,
    }
    return json.dumps(notice)


def _carried(ref: str, status: str, amount: str, method: str) -> bytes:
    return f"return|{ref}|{status}|{amount}|{method}".encode()


def _sent_back(refund_id: UUID) -> RefundNews:
    return RefundNews(
        refund_id,
        _refund_name(refund_id),
        RefundStatus.DONE,
        bank_reference=_like_rrn(refund_id),
    )


def _refund_name(refund_id: UUID) -> str:
    return f"rfnd_{refund_id.hex}"


def _like_rrn(identity: UUID) -> str:
    """Return twelve digits, as banks call a transfer by UPI."""
    return f"{identity.int % 10**12:012d}"


def _order(session: Session, ref: str) -> SimulatedOrder:
    order = session.get(SimulatedOrder, ref) if REF.fullmatch(ref) else None
    if order is None:
        raise OrderNotFound(ref=ref)
    return order


def _settle(
    session: Session,
    ref: str,
    status: PaymentStatus,
    *,
    method: Method | None = None,
    failure: str | None = None,
) -> bool:
    statement = (
        update(SimulatedOrder)
        .where(
            SimulatedOrder.ref == ref, SimulatedOrder.status == PaymentStatus.PENDING
        )
        .values(status=status, method=method, failure=failure)
    )
    return changed(session, statement) == 1


def _outcome(order: SimulatedOrder) -> Outcome:
    return Outcome(
        order.ref,
        order.status,
        order.amount_paise,
        method=order.method,
        failure=order.failure,
        bank_reference=_bank_reference(order.ref) if order.status == PAID else None,
    )


def _bank_reference(ref: str) -> str:
    return _like_rrn(UUID(ref.removeprefix("pay_")))
