"""What Razorpay sends, as far as we need it, and what that means in our words.

Names and e-mail addresses of payers are left out: what we do not keep cannot leak.
"""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from evcharge.payments.rules import Outcome, PaymentStatus, RefundNews, RefundStatus

# Where our names stand in the notes of their links and refunds.
PAYMENT_NOTE, REFUND_NOTE = "payment", "refund"
LONGEST_REFERENCE = 40
COLLECTED = frozenset({"captured", "refunded"})

STATUS_OF_REFUND = {"processed": RefundStatus.DONE, "failed": RefundStatus.FAILED}


def _empty_as_object(value: object) -> object:
    # They write an empty object as an empty list.
    return value or {}


class _Entity(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class Acquirer(_Entity):
    """How banks call a transfer. UPI: rrn; cards: auth_code, and arn on the way back;
    net banking: bank_transaction_id; instant refunds: utr."""

    rrn: str | None = None
    arn: str | None = None
    utr: str | None = None
    bank_transaction_id: str | None = None
    auth_code: str | None = None

    @property
    def reference(self) -> str | None:
        names = (self.rrn, self.arn, self.utr, self.bank_transaction_id, self.auth_code)
        found = next((name for name in names if name), None)
        return found and found[:LONGEST_REFERENCE]


Notes = Annotated[dict[str, Any], BeforeValidator(_empty_as_object)]
AcquirerData = Annotated[Acquirer, BeforeValidator(_empty_as_object)]


class PaidPart(_Entity):
    """A payment, as its link names it."""

    payment_id: str
    status: str = ""


class Link(_Entity):
    id: str
    reference_id: str | None = None
    status: str
    amount: int
    amount_paid: int = 0
    currency: str = Field(max_length=10)
    short_url: str = ""
    expire_by: int | None = 0
    payments: list[PaidPart] | None = None

    @property
    def collected_by(self) -> str | None:
        """Return the name of the payment that brought the money."""
        parts = self.payments or []
        return next((p.payment_id for p in parts if p.status in COLLECTED), None)


class RazorpayPayment(_Entity):
    id: str
    amount: int
    status: str
    method: str | None = Field(default=None, max_length=20)
    created_at: int
    notes: Notes = {}
    acquirer_data: AcquirerData = Acquirer()

    @property
    def ref(self) -> str:
        """Return our name for it, else theirs: then it came in another way."""
        return str(self.notes.get(PAYMENT_NOTE) or self.id)


class RazorpayRefund(_Entity):
    id: str
    amount: int
    status: str
    created_at: int
    notes: Notes = {}
    acquirer_data: AcquirerData = Acquirer()

    @property
    def refund_id(self) -> UUID | None:
        """Return our name for it; None if we did not ask for it."""
        try:
            return UUID(str(self.notes.get(REFUND_NOTE)))
        except ValueError:
            return None


def outcome_of(link: Link, payment: RazorpayPayment | None = None) -> Outcome:
    """Money that came in counts, whatever became of the link since."""
    ref = link.reference_id or link.id
    if link.amount_paid > 0:
        return Outcome(
            ref,
            PaymentStatus.PAID,
            link.amount_paid,
            link.currency,
            method=payment.method if payment else None,
            bank_reference=payment.acquirer_data.reference if payment else None,
        )
    is_over = link.status in ("cancelled", "expired")
    return Outcome(
        ref,
        # An attempt on their page may fail, and the next one there succeed.
        PaymentStatus.CANCELLED if is_over else PaymentStatus.PENDING,
        link.amount,
        link.currency,
        failure="The time to pay was over." if is_over else None,
    )


def news_of(refund: RazorpayRefund, refund_id: UUID) -> RefundNews:
    status = STATUS_OF_REFUND.get(refund.status, RefundStatus.SENT)
    return RefundNews(
        refund_id,
        refund.id,
        status,
        bank_reference=refund.acquirer_data.reference,
        failure="The bank did not take the money back."
        if status == RefundStatus.FAILED
        else None,
    )
