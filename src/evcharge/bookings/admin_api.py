"""Looking through the bookings of a network and ending one, for programs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, TypeAdapter
from sqlalchemy.orm import Session

from evcharge.accounts.queries import people_by_id
from evcharge.accounts.rules import search_text
from evcharge.bookings.asking import actor
from evcharge.bookings.listing import (
    BookingFilter,
    BookingLine,
    booking_line,
    bookings_after,
    history_of,
)
from evcharge.bookings.models import BookingEvent
from evcharge.bookings.placed import BookingPosition
from evcharge.bookings.reasons import LONGEST_REASON, UnclearReason, reason_from_text
from evcharge.bookings.rules import (
    ActorKind,
    BookingChanged,
    BookingEventKind,
    BookingNotActive,
    BookingNotFound,
    BookingPayment,
    BookingStatus,
    ChargerWasSilent,
    TooEarly,
)
from evcharge.bookings.service import cancel_booking, mark_no_show
from evcharge.kernel.clock import utc_now
from evcharge.payments.models import Payment, Refund
from evcharge.payments.queries import payments_of_item
from evcharge.payments.rules import ItemKind, PaymentStatus, RefundStatus
from evcharge.web.api import (
    Answer,
    Api,
    Body,
    Instant,
    Money,
    Page,
    PageQuery,
    RowId,
    Text,
    cursor_of,
    position_or_none,
)
from evcharge.web.context import current_user, operator_required, perform, reading

api = Api("bookings_admin")

_POSITION = TypeAdapter(BookingPosition)
LONGEST_SEARCH = 100


# ── what goes in and out ─────────────────────────────────────────────────────────


class AdminBookingQuery(PageQuery):
    q: Annotated[Text, Field(max_length=LONGEST_SEARCH)] | None = Field(
        default=None, description="A reference, or a part of the driver's address"
    )
    status: BookingStatus | None = Field(
        default=None, description="A hold whose time is up counts as EXPIRED"
    )
    payment_status: BookingPayment | None = Field(
        default=None, description="Whether all that is owed has come in"
    )
    since: Instant | None = Field(
        default=None, alias="from", description="Those that start then or later"
    )
    until: Instant | None = Field(
        default=None, alias="to", description="Those that start before"
    )
    location_id: RowId | None = Field(default=None, description="Only those there")


class OperatorCancellation(Body):
    reason: Annotated[Text, Field(min_length=1, max_length=LONGEST_REASON)] = Field(
        description="The driver reads it"
    )


class DriverAnswer(Answer):
    id: int
    name: str
    email: str


class SiteAnswer(Answer):
    id: int
    name: str
    timezone: str


class AdminBooking(Answer):
    """A hold is ACTIVE and PENDING, and ends at `hold_expires_at` unless paid."""

    id: UUID
    reference: str
    status: BookingStatus
    payment_status: BookingPayment
    evse_id: int
    evse_number: int
    charger: str
    location: SiteAnswer
    driver: DriverAnswer
    starts_at: Instant
    ends_at: Instant
    amount: Money
    paid: Money = Field(description="What we have of it, refunds taken off")
    hold_expires_at: Instant | None
    created_at: Instant


class Happening(Answer):
    """A line of a booking's history."""

    at: Instant
    kind: BookingEventKind
    actor: ActorKind
    person: str | None = Field(description="The name of whoever did it, if a person")
    from_status: BookingStatus | None
    to_status: BookingStatus
    reason: str | None


class RefundSent(Answer):
    id: UUID
    amount: Money
    status: RefundStatus
    reason: str
    created_at: Instant


class PaymentTried(Answer):
    """An attempt to pay; it may have covered more than this booking."""

    id: UUID
    amount: Money
    status: PaymentStatus
    method: str | None
    created_at: Instant
    paid_at: Instant | None
    refunds: list[RefundSent] = Field(description="Of this booking")


class AdminBookingDetails(AdminBooking):
    history: list[Happening]
    payments: list[PaymentTried]


# ── operations ───────────────────────────────────────────────────────────────────


@api.get("/admin/bookings", guard=operator_required)
def list_admin_bookings(query: AdminBookingQuery) -> Page[AdminBooking]:
    """List the bookings on your network, the latest start first."""
    now = utc_now()
    wanted = BookingFilter(
        scope=current_user().scope,
        now=now,
        status=query.status,
        payment=query.payment_status,
        since=query.since,
        until=query.until,
        location_id=query.location_id,
        text=search_text(query.q or ""),
    )
    found, after = bookings_after(
        reading(),
        wanted,
        after=position_or_none(query.cursor, _POSITION),
        limit=query.limit,
    )
    return Page(
        items=[AdminBooking(**_about(line, now)) for line in found],
        next_cursor=cursor_of(after) if after else None,
    )


@api.get(
    "/admin/bookings/<uuid:booking_id>",
    guard=operator_required,
    refuses=(BookingNotFound,),
)
def get_admin_booking(booking_id: UUID) -> AdminBookingDetails:
    """Look at a booking, what became of it, and its money."""
    return _details(reading(), booking_id, utc_now())


@api.post(
    "/admin/bookings/<uuid:booking_id>/cancel",
    guard=operator_required,
    refuses=(BookingNotFound, BookingNotActive, BookingChanged, UnclearReason),
)
def cancel_admin_booking(
    booking_id: UUID, body: OperatorCancellation
) -> AdminBookingDetails:
    """Cancel a booking. All the driver has paid goes back.

    Cancelling twice is the same.
    """
    _check_own(booking_id)
    reason, who, now = reason_from_text(body.reason), actor(), utc_now()

    def cancel(session: Session) -> AdminBookingDetails:
        cancel_booking(
            session, booking_id=booking_id, actor=who, reason=reason, now=now
        )
        return _details(session, booking_id, now)

    return perform(cancel)


@api.post(
    "/admin/bookings/<uuid:booking_id>/no-show",
    guard=operator_required,
    refuses=(
        BookingNotFound,
        BookingNotActive,
        BookingChanged,
        TooEarly,
        ChargerWasSilent,
    ),
)
def mark_admin_no_show(booking_id: UUID) -> AdminBookingDetails:
    """Say that the driver did not come. What they paid is kept, their slot is free.

    From 15 minutes after the start on, and only if the charger was heard of since.
    """
    _check_own(booking_id)
    who, now = actor(), utc_now()

    def miss(session: Session) -> AdminBookingDetails:
        mark_no_show(session, booking_id=booking_id, actor=who, now=now)
        return _details(session, booking_id, now)

    return perform(miss)


def _check_own(booking_id: UUID) -> None:
    """Raises: BookingNotFound, also for one on somebody else's network."""
    booking_line(reading(), booking_id, current_user().scope, now=utc_now())


# ── in the API's words ───────────────────────────────────────────────────────────


def _details(session: Session, booking_id: UUID, now: datetime) -> AdminBookingDetails:
    line = booking_line(session, booking_id, current_user().scope, now=now)
    return AdminBookingDetails(
        **_about(line, now),
        history=_history(session, history_of(session, booking_id)),
        payments=[
            _payment(each, booking_id)
            for each in payments_of_item(session, ItemKind.BOOKING, booking_id)
        ],
    )


def _about(line: BookingLine, now: datetime) -> dict[str, Any]:
    return {
        "id": line.id,
        "reference": line.reference,
        "status": line.status_at(now),
        "payment_status": line.payment_status,
        "evse_id": line.evse_id,
        "evse_number": line.evse_number,
        "charger": line.charger,
        "location": SiteAnswer(
            id=line.location_id, name=line.location_name, timezone=line.zone
        ),
        "driver": DriverAnswer(
            id=line.driver_id, name=line.driver_name, email=line.driver_email
        ),
        "starts_at": line.starts_at,
        "ends_at": line.ends_at,
        "amount": Money.of(line.amount_paise),
        "paid": Money.of(line.paid_paise),
        "hold_expires_at": line.hold_expires_at,
        "created_at": line.created_at,
    }


def _history(session: Session, events: Sequence[BookingEvent]) -> list[Happening]:
    people = people_by_id(session, {each.actor_user_id or 0 for each in events})
    names = {person_id: person.name for person_id, person in people.items()}
    return [
        Happening(
            at=event.at,
            kind=event.kind,
            actor=event.actor,
            person=names.get(event.actor_user_id or 0),
            from_status=event.from_status,
            to_status=event.to_status,
            reason=event.reason,
        )
        for event in events
    ]


def _payment(payment: Payment, booking_id: UUID) -> PaymentTried:
    return PaymentTried(
        id=payment.id,
        amount=Money.of(payment.amount_paise),
        status=payment.status,
        method=payment.method,
        created_at=payment.created_at,
        paid_at=payment.paid_at,
        refunds=[
            _refund(each) for each in payment.refunds if each.item_id == booking_id
        ],
    )


def _refund(refund: Refund) -> RefundSent:
    return RefundSent(
        id=refund.id,
        amount=Money.of(refund.amount_paise),
        status=refund.status,
        reason=refund.reason,
        created_at=refund.created_at,
    )
