"""Bookings as JSON: what programs send, and what they are told."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from evcharge.billing.answers import BillAnswer
from evcharge.bookings.rules import BookingPayment, BookingStatus
from evcharge.payments.rules import RefundStatus
from evcharge.web.api import (
    WHOLE,
    Answer,
    Body,
    Instant,
    Money,
    PageQuery,
    Problem,
    RowId,
)

Paise = Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE]


class NewBooking(Body):
    evse_id: RowId
    starts_at: Instant
    ends_at: Instant


class Move(Body):
    starts_at: Instant
    ends_at: Instant
    evse_id: RowId | None = None
    accept_amount_paise: Paise | None = Field(
        default=None, description="The new price, where it differs from the present"
    )


class Cancellation(Body):
    expect_refund_paise: Paise | None = Field(
        default=None, description="Refuse if less than this comes back by now"
    )


class BookingQuery(PageQuery):
    status: list[BookingStatus] = Field(
        default=[], description="One or more; none means all"
    )


class Place(Answer):
    id: int
    name: str
    address: str
    city: str
    timezone: str
    lat: float
    lon: float


class RefundAnswer(Money):
    status: RefundStatus


class BookingAnswer(Answer):
    """A hold is ACTIVE and PENDING, and ends at `hold_expires_at` unless paid."""

    id: UUID
    reference: str = Field(description="Short enough to be read out")
    status: BookingStatus
    payment_status: BookingPayment
    evse_id: int
    evse_number: int
    charger: str
    location: Place
    starts_at: Instant
    ends_at: Instant
    amount: Money = Field(
        description="What the driver pays for the slot, tax included; under a tariff"
        " in advance, and what is not used comes back"
    )
    price: str | None = Field(description="Of the tariff, in words; null: by the hour")
    paid: Money
    due: Money
    hold_expires_at: Instant | None
    created_at: Instant
    refund_if_cancelled: Money | None = Field(
        description="What comes back if the driver cancels now; null: nothing to cancel"
    )
    refund: RefundAnswer | None = Field(
        description="All that went back or is on its way, and how far the slowest is"
    )
    bill: BillAnswer | None = Field(
        description="What it came to, once it is over and worked out"
    )


class Alternative(Answer):
    """A free slot of the same length for the same plug, when this was answered."""

    evse_id: int
    location_id: int
    location_name: str
    starts_at: Instant
    ends_at: Instant
    amount: Money


class SlotProblem(Problem):
    alternatives: list[Alternative] | None = Field(
        default=None, description="With slot_taken: the nearest, this site first"
    )
    amount: Money | None = Field(
        default=None, description="With price_changed: the new price, to be accepted"
    )


class RefundProblem(Problem):
    refund: Money | None = Field(
        default=None, description="With refund_shrunk: what would come back by now"
    )
