"""Booking, looking, cancelling, moving and paying."""

from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from evcharge.billing.queries import bills_of
from evcharge.bookings import service
from evcharge.bookings.api.describe import answer, described, with_alternatives
from evcharge.bookings.api.shapes import (
    BookingAnswer,
    BookingQuery,
    Cancellation,
    Move,
    NewBooking,
    RefundProblem,
    SlotProblem,
)
from evcharge.bookings.asking import limits
from evcharge.bookings.placed import (
    BookingPosition,
    placed_booking,
    placed_bookings,
)
from evcharge.bookings.rules import (
    Actor,
    ActorKind,
    BookingChanged,
    BookingNotActive,
    BookingNotFound,
    BookingStarted,
    BookingStatus,
    EvseNotBookable,
    KeyReused,
    PriceChanged,
    PriceFixed,
    RefundShrunk,
    SiteClosed,
    Slot,
    SlotNotBookable,
    SlotTaken,
    TooManyBookings,
    TooManyHolds,
    booking_request,
)
from evcharge.kernel.clock import utc_now
from evcharge.payments.api import (
    NewPayment,
    OutcomeNotSimulated,
    PaymentAnswer,
    asked_outcome,
    pay,
)
from evcharge.payments.queries import refunds_of_items
from evcharge.payments.rules import (
    CheckoutOver,
    DueUnpaid,
    ItemKind,
    NothingToPay,
    OrderOver,
)
from evcharge.stations.rules import EvseNotFound
from evcharge.web.api import (
    Api,
    IdempotencyKey,
    Money,
    Page,
    cursor_of,
    position_or_none,
)
from evcharge.web.context import (
    current_user,
    login_required,
    perform,
    reading,
)

api = Api("bookings")

_POSITION = TypeAdapter(BookingPosition)
ENDED = frozenset(BookingStatus) - {BookingStatus.ACTIVE}


@api.post(
    "/bookings",
    guard=login_required,
    status=201,
    location="/bookings/{id}",
    problem=SlotProblem,
    refuses=(
        DueUnpaid,
        EvseNotBookable,
        EvseNotFound,
        KeyReused,
        SiteClosed,
        SlotNotBookable,
        SlotTaken,
        TooManyBookings,
        TooManyHolds,
    ),
)
def create_booking(body: NewBooking, key: IdempotencyKey) -> BookingAnswer:
    """Book a slot.

    Slots start and end on the quarter hour. What has a price becomes a hold, to be
    paid before `hold_expires_at`. The same Idempotency-Key with the same body answers
    with the same booking, whatever became of it since.
    """
    now, user_id = utc_now(), current_user().id
    slot = Slot(body.starts_at, body.ends_at)
    wanted = booking_request(
        user_id=user_id, evse_id=body.evse_id, slot=slot, key=key.idempotency_key
    )

    def book(session: Session) -> BookingAnswer:
        booking = service.book_slot(session, wanted, limits=limits(), now=now)
        return answer(session, placed_booking(session, booking.id, user_id), now)

    try:
        return perform(book, repeatable=True)
    except SlotTaken as refusal:
        raise with_alternatives(refusal, body.evse_id, slot, now) from refusal


@api.get("/bookings", guard=login_required)
def list_bookings(query: BookingQuery) -> Page[BookingAnswer]:
    """List your bookings, the latest start first."""
    now = utc_now()
    found, after = placed_bookings(
        reading(),
        current_user().id,
        statuses=query.status,
        after=position_or_none(query.cursor, _POSITION),
        limit=query.limit,
        now=now,
    )
    ids = [placed.booking.id for placed in found]
    refunds = refunds_of_items(reading(), ItemKind.BOOKING, ids)
    over = [each.booking.id for each in found if each.booking.status in ENDED]
    bills = bills_of(reading(), ItemKind.BOOKING, over) if over else {}
    return Page(
        items=[
            described(placed, refunds.get(id_, []), bills.get(id_), now)
            for id_, placed in zip(ids, found, strict=True)
        ],
        next_cursor=cursor_of(after) if after else None,
    )


@api.get(
    "/bookings/<uuid:booking_id>", guard=login_required, refuses=(BookingNotFound,)
)
def get_booking(booking_id: UUID) -> BookingAnswer:
    """Look at one of your bookings."""
    placed = placed_booking(reading(), booking_id, current_user().id)
    return answer(reading(), placed, utc_now())


@api.post(
    "/bookings/<uuid:booking_id>/cancel",
    guard=login_required,
    problem=RefundProblem,
    refuses=(BookingNotFound, BookingNotActive, BookingChanged, RefundShrunk),
)
def cancel_booking(booking_id: UUID, body: Cancellation | None) -> BookingAnswer:
    """Cancel a booking.

    Money comes back by the terms it was booked on: all of it until 60 minutes before
    the start, later half, after the start nothing. Cancelling twice is the same.
    """
    now, user_id = utc_now(), current_user().id
    expected = body.expect_refund_paise if body else None

    def act(session: Session) -> BookingAnswer:
        booking = service.cancel_booking(
            session,
            booking_id=booking_id,
            actor=Actor(ActorKind.DRIVER, user_id),
            expect_refund_paise=expected,
            now=now,
        )
        return answer(session, placed_booking(session, booking.id, user_id), now)

    try:
        return perform(act)
    except RefundShrunk as refusal:
        refund = Money.of(int(str(refusal.details["refund_paise"])))
        raise RefundShrunk(refund=refund) from refusal


@api.post(
    "/bookings/<uuid:booking_id>/move",
    guard=login_required,
    problem=SlotProblem,
    refuses=(
        BookingChanged,
        BookingNotActive,
        BookingNotFound,
        BookingStarted,
        EvseNotBookable,
        EvseNotFound,
        PriceChanged,
        PriceFixed,
        SiteClosed,
        SlotNotBookable,
        SlotTaken,
    ),
)
def move_booking(booking_id: UUID, body: Move) -> BookingAnswer:
    """Move a booking to another time, or another EVSE.

    It keeps its slot until the new one is certain. Where the price differs, the first
    answer is `price_changed` with the new `amount`; send that as accept_amount_paise.
    """
    now, user_id = utc_now(), current_user().id
    slot = Slot(body.starts_at, body.ends_at)

    def act(session: Session) -> BookingAnswer:
        booking = service.move_booking(
            session,
            booking_id=booking_id,
            user_id=user_id,
            slot=slot,
            evse_id=body.evse_id,
            accept_amount_paise=body.accept_amount_paise,
            limits=limits(),
            now=now,
        )
        return answer(session, placed_booking(session, booking.id, user_id), now)

    try:
        return perform(act)
    except PriceChanged as refusal:
        amount = Money.of(int(str(refusal.details["amount_paise"])))
        raise PriceChanged(amount=amount) from refusal
    except SlotTaken as refusal:
        evse_id = body.evse_id or _evse_of(booking_id, user_id)
        raise with_alternatives(refusal, evse_id, slot, now) from refusal


@api.post(
    "/bookings/<uuid:booking_id>/pay",
    guard=login_required,
    status=201,
    refuses=(
        BookingNotFound,
        BookingNotActive,
        CheckoutOver,
        NothingToPay,
        OrderOver,
        OutcomeNotSimulated,
    ),
)
def pay_for_booking(booking_id: UUID, body: NewPayment | None) -> PaymentAnswer:
    """Pay for a booking, or start to.

    Send the driver's browser to `checkout_url`; the booking is PAID once the money
    is in. Asking again goes on with the same attempt while it is open.
    """
    now, user_id = utc_now(), current_user().id
    outcome = asked_outcome(body)

    def ask(session: Session) -> UUID:
        return service.open_checkout(
            session, booking_id=booking_id, user_id=user_id, limits=limits(), now=now
        ).id

    return pay(perform(ask), user_id, outcome)


def _evse_of(booking_id: UUID, user_id: int) -> int:
    return placed_booking(reading(), booking_id, user_id).booking.evse_id
