"""Moving and ending a booking."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.accounts.queries import lock_users
from evcharge.bookings.models import Booking
from evcharge.bookings.pricing import Pricing
from evcharge.bookings.queries import (
    BookableEvse,
    bookable_evses,
    booking_by_id,
)
from evcharge.bookings.rules import (
    NEVER_FREE_MINUTES,
    NO_SHOW_GRACE,
    Actor,
    ActorKind,
    BookingChanged,
    BookingEventKind,
    BookingNotActive,
    BookingNotFound,
    BookingPayment,
    BookingStarted,
    BookingStatus,
    ChargerWasSilent,
    Limits,
    PriceChanged,
    PriceFixed,
    RefundShrunk,
    Slot,
    TooEarly,
    check_slot,
)
from evcharge.bookings.service.book import check_open, reap
from evcharge.bookings.service.changes import end, must_change, record, tell
from evcharge.bookings.service.claims import claim, release_some
from evcharge.payments.rules import ItemKind
from evcharge.payments.service import refund_item
from evcharge.stations.models import Charger, Evse
from evcharge.tariffs.queries import agreed_at
from evcharge.tariffs.rules.agreed import Agreed


def locked_booking(
    session: Session, booking_id: UUID, *, user_id: int | None = None
) -> Booking:
    """Return a booking that nobody else changes now; with `user_id`, that driver's.

    Raises: BookingNotFound.
    """
    owner = session.scalar(select(Booking.user_id).where(Booking.id == booking_id))
    if owner is None or user_id not in (None, owner):
        raise BookingNotFound(booking_id=booking_id)
    lock_users(session, [owner])
    return booking_by_id(session, booking_id, lock=True)


def move_booking(
    session: Session,
    *,
    booking_id: UUID,
    user_id: int,
    slot: Slot,
    evse_id: int | None = None,
    accept_amount_paise: int | None = None,
    limits: Limits,
    now: datetime,
) -> Booking:
    """Give a booking another slot, or EVSE; it keeps its own if that is refused.

    When the price differs, `accept_amount_paise` must name the new one. What a
    cheaper slot saves is refunded; what a dearer one costs more is then due, and
    the slot stays the driver's until it begins. Where cancelling would cost
    something by now, only a move at the same price is left, and cancelling after
    it costs the same: moving is no way round the terms.

    Raises: BookingNotFound, BookingNotActive, BookingStarted, SlotNotBookable,
    EvseNotFound, EvseNotBookable, PriceFixed, PriceChanged, SlotTaken. Leave the
    transaction.
    """
    booking = locked_booking(session, booking_id, user_id=user_id)
    target = booking.evse_id if evse_id is None else evse_id
    if (target, slot) == (booking.evse_id, booking.slot):
        return booking
    check_live(booking, now=now)
    if booking.starts_at <= now or booking.session_started_at is not None:
        raise BookingStarted(booking_id=booking.id)
    check_slot(slot, limits=limits, now=now)
    evse = bookable_evses(session, [target])[target]
    check_open(evse, slot)
    price = price_per_hour_after_move(booking, evse)
    agreed = _agreed_after_move(session, booking, evse, now=now)
    amount = Pricing(price, agreed).amount_paise(slot)
    if amount != booking.amount_paise and booking.is_late(now=now):
        raise PriceFixed(booking_id=booking_id)
    if amount not in (booking.amount_paise, accept_amount_paise):
        raise PriceChanged(booking_id=booking_id, amount_paise=amount)

    move_claims(session, booking, target, slot, now=now)
    _rewrite(
        session,
        booking,
        target,
        slot,
        price=price,
        tariff=agreed.as_json() if agreed else None,
        amount=amount,
        now=now,
    )
    tell(session, booking, evse.location_id)
    return booking


def check_live(booking: Booking, *, now: datetime) -> None:
    """The slot is still its own: not over, not lapsed. Raises: BookingNotActive."""
    if booking.status != BookingStatus.ACTIVE or booking.has_lapsed(now=now):
        raise BookingNotActive(booking_id=booking.id)


def price_per_hour_after_move(booking: Booking, evse: BookableEvse) -> int:
    """The same EVSE keeps the price that was agreed; another one has its own."""
    if evse.evse_id == booking.evse_id:
        return booking.price_paise_per_hour
    return evse.price_paise_per_hour


def _agreed_after_move(
    session: Session, booking: Booking, evse: BookableEvse, *, now: datetime
) -> Agreed | None:
    if evse.evse_id == booking.evse_id:
        return booking.agreed
    return agreed_at(session, [evse.evse_id], at=now).get(evse.evse_id)


def move_claims(
    session: Session, booking: Booking, evse_id: int, slot: Slot, *, now: datetime
) -> None:
    old = {(booking.evse_id, number) for number in booking.slot.quarters}
    new = {(evse_id, number) for number in slot.quarters}
    reap(session, [(evse_id, slot)], now=now)
    # Taking before giving back: nobody can slip into what we may have to keep.
    claim(session, [(*wanted, booking.id) for wanted in new - old])
    release_some(session, booking.id, old - new)


def _rewrite(
    session: Session,
    booking: Booking,
    evse_id: int,
    slot: Slot,
    *,
    price: int,
    tariff: dict[str, Any] | None,
    amount: int,
    now: datetime,
) -> None:
    before = booking.slot
    is_late = booking.is_late(now=now)
    owed = amount > booking.paid_paise
    must_change(
        session,
        booking,
        evse_id=evse_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        price_paise_per_hour=price,
        tariff=tariff,
        amount_paise=amount,
        free_until_minutes=NEVER_FREE_MINUTES
        if is_late
        else booking.free_until_minutes,
        payment_status=BookingPayment.PENDING if owed else BookingPayment.PAID,
        hold_expires_at=booking.hold_expires_at if owed else None,
        sequence=booking.sequence + 1,
    )
    excess = max(0, booking.paid_paise - amount)
    refunded = pay_back(
        session, booking, excess, reason="The new time costs less", now=now
    )
    record(
        session,
        booking,
        BookingEventKind.MOVED,
        actor=Actor(ActorKind.DRIVER, booking.user_id),
        now=now,
        before=booking.status,
        old_slot=[before.starts_at.isoformat(), before.ends_at.isoformat()],
        slot=[slot.starts_at.isoformat(), slot.ends_at.isoformat()],
        amount_paise=amount,
        refund_paise=refunded,
    )


def cancel_booking(
    session: Session,
    *,
    booking_id: UUID,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    expect_refund_paise: int | None = None,
) -> Booking:
    """End a booking and return money: by its terms, or all when it is not the driver's
    doing. Cancelling what is cancelled already is success and changes nothing.

    Raises: BookingNotFound (also when a driver names another's), BookingNotActive,
    BookingChanged; RefundShrunk when less than expected comes back by now.
    """
    by_driver = actor.kind == ActorKind.DRIVER
    booking = locked_booking(
        session, booking_id, user_id=actor.user_id if by_driver else None
    )
    if booking.status == BookingStatus.CANCELLED:
        return booking
    if booking.status != BookingStatus.ACTIVE:
        raise BookingNotActive(booking_id=booking_id)

    refund = refund_if_cancelled(booking, by_driver=by_driver, now=now)
    if expect_refund_paise is not None and refund < expect_refund_paise:
        raise RefundShrunk(refund_paise=refund)
    if not end(
        session,
        booking,
        BookingStatus.CANCELLED,
        BookingEventKind.CANCELLED,
        actor=actor,
        now=now,
        reason=reason,
        refund_paise=refund,
    ):
        raise BookingChanged(booking_id=booking_id)
    pay_back(session, booking, refund, reason=reason or "Booking cancelled", now=now)
    return booking


def refund_if_cancelled(booking: Booking, *, by_driver: bool, now: datetime) -> int:
    """Return what comes back when this booking is cancelled now, in paise."""
    if not by_driver:
        return booking.paid_paise
    if booking.session_started_at is not None:  # Some begin before their slot does.
        return 0
    return booking.terms.refund_paise(
        booking.paid_paise, starts_at=booking.starts_at, now=now
    )


def mark_no_show(
    session: Session, *, booking_id: UUID, actor: Actor, now: datetime
) -> Booking:
    """Free the slot of a driver who did not come; what they paid is kept.

    Not while the charger has been silent since the start: then nobody can know.

    Raises: BookingNotFound, BookingNotActive, TooEarly, ChargerWasSilent,
    BookingChanged.
    """
    booking = locked_booking(session, booking_id)
    if booking.status == BookingStatus.NO_SHOW:
        return booking
    if booking.status != BookingStatus.ACTIVE:
        raise BookingNotActive(booking_id=booking_id)
    if now < booking.starts_at + NO_SHOW_GRACE:
        minutes = NO_SHOW_GRACE // timedelta(minutes=1)
        raise TooEarly(f"Wait until {minutes} minutes after the start.")
    seen_at = session.scalar(
        select(Charger.last_seen_at).join(Evse).where(Evse.id == booking.evse_id)
    )
    if seen_at is None or seen_at < booking.starts_at:
        raise ChargerWasSilent(booking_id=booking_id)
    if not end(
        session,
        booking,
        BookingStatus.NO_SHOW,
        BookingEventKind.NO_SHOW,
        actor=actor,
        now=now,
    ):
        raise BookingChanged(booking_id=booking_id)
    return booking


def pay_back(
    session: Session,
    booking: Booking,
    amount_paise: int,
    *,
    reason: str,
    now: datetime,
) -> int:
    """Send money for a booking back to where it came from. Return how much."""
    if amount_paise <= 0:
        return 0
    refunds = refund_item(
        session,
        kind=ItemKind.BOOKING,
        item_id=booking.id,
        amount_paise=amount_paise,
        reason=reason,
        now=now,
    )
    returned = sum(refund.amount_paise for refund in refunds)
    must_change(session, booking, paid_paise=booking.paid_paise - returned)
    return returned
