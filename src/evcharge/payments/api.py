"""Paying, for programs: how a payment is answered for, and what a driver owes."""

from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urljoin
from uuid import UUID

from flask import request
from pydantic import Field
from sqlalchemy.orm import Session

from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import InvalidInput
from evcharge.payments.models import Due
from evcharge.payments.paying import begin_payment, providers, settle_simulated
from evcharge.payments.providers.simulated import Simulated
from evcharge.payments.providers.simulated_choices import Choice
from evcharge.payments.queries import dues_of_user
from evcharge.payments.rules import (
    CheckoutOver,
    DueNotFound,
    DueOver,
    ItemKind,
    NothingToPay,
    OrderOver,
    Payer,
    PaymentStatus,
)
from evcharge.payments.service import ask_for_due
from evcharge.web.api import Answer, Api, Body, Instant, Money, Page
from evcharge.web.context import (
    current_user,
    login_required,
    perform,
    reading,
    settings,
)

api = Api("payments")
DUES_PAGE = "/dues"


class OutcomeNotSimulated(InvalidInput):
    code = "outcome_not_simulated"
    message = "Only simulated payments take an outcome. Pay at the checkout_url."


class SimulatedOutcome(StrEnum):
    SUCCEED = "succeed"
    FAIL = "fail"


class NewPayment(Body):
    outcome: SimulatedOutcome | None = Field(
        default=None, description="How a simulated payment ends, at once"
    )


class PaymentAnswer(Answer):
    payment_id: UUID
    status: PaymentStatus
    amount: Money
    checkout_url: str = Field(description="Where the driver's browser goes to pay")


class DueAnswer(Answer):
    """What is still to pay for a booking or a charge, or was."""

    id: UUID
    amount: Money
    reason: str
    reference: str = Field(description="Of the booking or the charge")
    booking_id: UUID | None
    session_id: UUID | None
    created_at: Instant
    blocks_booking_from: Instant | None = Field(
        description="Nothing can be booked from then on; null: settled"
    )
    paid_at: Instant | None
    waived_at: Instant | None


@api.get("/dues", guard=login_required)
def list_dues() -> Page[DueAnswer]:
    """List what you owe and owed, what is open first: the latest hundred."""
    found = dues_of_user(reading(), current_user().id)
    return Page(items=[_described(each) for each in found], next_cursor=None)


@api.post(
    "/dues/<uuid:due_id>/pay",
    guard=login_required,
    status=201,
    refuses=(
        CheckoutOver,
        DueNotFound,
        DueOver,
        NothingToPay,
        OrderOver,
        OutcomeNotSimulated,
    ),
)
def pay_due(due_id: UUID, body: NewPayment | None) -> PaymentAnswer:
    """Pay what is owed, or start to, as for a booking."""
    outcome, user_id = asked_outcome(body), current_user().id

    def ask(session: Session) -> UUID:
        return ask_for_due(
            session,
            due_id=due_id,
            payer=Payer(user_id),
            return_path=DUES_PAGE,
            now=utc_now(),
        ).id

    return pay(perform(ask), user_id, outcome)


def asked_outcome(body: NewPayment | None) -> SimulatedOutcome | None:
    """Return how a simulated payment is to end. Raises: OutcomeNotSimulated."""
    outcome = body.outcome if body else None
    if outcome and providers().default != Simulated.name:
        raise OutcomeNotSimulated
    return outcome


def pay(
    checkout_id: UUID, user_id: int, outcome: SimulatedOutcome | None
) -> PaymentAnswer:
    """Start an attempt at a checkout, or go on with one, and answer for it."""
    payment, address = begin_payment(checkout_id, user_id)
    if outcome is not None:
        succeeds = outcome == SimulatedOutcome.SUCCEED
        payment = settle_simulated(payment, Choice.PAY if succeeds else Choice.FAIL)
    return PaymentAnswer(
        payment_id=payment.id,
        status=payment.status,
        amount=Money.of(payment.amount_paise),
        checkout_url=urljoin(request.url_root, address),
    )


def _described(due: Due) -> DueAnswer:
    is_booking = due.item_kind == ItemKind.BOOKING
    return DueAnswer(
        id=due.id,
        amount=Money.of(due.amount_paise),
        reason=due.reason,
        reference=due.reference,
        booking_id=due.item_id if is_booking else None,
        session_id=None if is_booking else due.item_id,
        created_at=due.created_at,
        blocks_booking_from=_blocks_from(due),
        paid_at=due.paid_at,
        waived_at=due.waived_at,
    )


def _blocks_from(due: Due) -> datetime | None:
    grace = timedelta(days=settings().due_days)
    return due.created_at + grace if due.is_open else None
