"""Booking: promise EVSEs to a driver for slots, all of them or none."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, raiseload

from evcharge.accounts.queries import lock_user
from evcharge.bookings.models import Booking
from evcharge.bookings.pricing import Pricing
from evcharge.bookings.queries import (
    BookableEvse,
    bookable_evses,
    counted_bookings,
    expired_holds,
)
from evcharge.bookings.rules import (
    Actor,
    ActorKind,
    BookingEventKind,
    BookingPayment,
    BookingRequest,
    BookingStatus,
    EvseNotBookable,
    KeyReused,
    Limits,
    SiteClosed,
    Slot,
    Terms,
    TooManyBookings,
    TooManyHolds,
    check_slot,
)
from evcharge.bookings.service.changes import expire, record, tell
from evcharge.bookings.service.claims import claim
from evcharge.kernel.db import insert_if_missing
from evcharge.kernel.errors import Unavailable
from evcharge.kernel.ids import new_reference
from evcharge.payments.queries import overdue_dues
from evcharge.payments.rules import DueUnpaid
from evcharge.tariffs.queries import agreed_at
from evcharge.tariffs.rules.agreed import Agreed

MOST_REFERENCES = 10  # Tries for a free one, each of which nearly always succeeds.


def book_slot(
    session: Session, request: BookingRequest, *, limits: Limits, now: datetime
) -> Booking:
    """Promise one EVSE; see `book_slots`."""
    return book_slots(session, [request], limits=limits, now=now)[0]


def book_slots(
    session: Session,
    requests: Sequence[BookingRequest],
    *,
    limits: Limits,
    now: datetime,
) -> list[Booking]:
    """Promise EVSEs to one driver for slots: all of them, or none.

    What has a price becomes a hold, to be paid before it expires. A repeat of the
    same requests returns the first bookings, whatever became of them since.

    The order of locks is the same for everyone: the driver, expired holds by id,
    then every claim by EVSE and time. So two trips over the same EVSEs cannot
    wait for each other, and the limits hold against the driver's own second tab.

    Raises: SlotNotBookable (also SiteClosed), EvseNotFound, EvseNotBookable,
    TooManyHolds, TooManyBookings, DueUnpaid, SlotTaken, KeyReused. Leave the
    transaction on any of them.
    """
    lock_user(session, requests[0].user_id)
    if earlier := _earlier(session, requests):
        return earlier

    for request in requests:
        check_slot(request.slot, limits=limits, now=now)
    _check_limits(session, requests, limits=limits, now=now)
    _check_dues(session, requests[0].user_id, limits=limits, now=now)
    evses = bookable_evses(session, {request.evse_id for request in requests})
    for request in requests:
        check_open(evses[request.evse_id], request.slot)
    reap(session, [(each.evse_id, each.slot) for each in requests], now=now)

    tariffs = agreed_at(session, set(evses), at=now)
    bookings = [
        _insert(
            session,
            request,
            evses[request.evse_id],
            tariffs.get(request.evse_id),
            limits=limits,
            now=now,
        )
        for request in requests
    ]
    claim(
        session,
        [
            (booking.evse_id, number, booking.id)
            for booking in bookings
            for number in booking.slot.quarters
        ],
    )
    for booking in bookings:
        _tell_booked(session, booking, evses[booking.evse_id].location_id, now=now)
    return bookings


def reap(
    session: Session, wanted: Collection[tuple[int, Slot]], *, now: datetime
) -> None:
    """Close the holds in the way whose time is up, by id, in this transaction."""
    for hold in expired_holds(session, wanted, now=now):
        expire(session, hold, now=now)


def check_open(evse: BookableEvse, slot: Slot) -> None:
    """Raises: EvseNotBookable, SiteClosed."""
    if not evse.is_open:
        raise EvseNotBookable(evse_id=evse.evse_id)
    if not evse.hours.covers(slot.starts_at, slot.ends_at):
        raise SiteClosed(f"This site is open {evse.hours.text.replace('-', '–')}.")


def _earlier(session: Session, requests: Sequence[BookingRequest]) -> list[Booking]:
    """Return the bookings these requests made before; [] when they are new."""
    found = {
        booking.id: booking
        for booking in session.scalars(
            _BY_IDS, {"ids": [request.id for request in requests]}
        )
    }
    if not found:
        return []
    for request in requests:
        booking = found.get(request.id)
        if booking is None or booking.request_hash != request.request_hash:
            raise KeyReused(booking_id=request.id)
    return [found[request.id] for request in requests]


_BY_IDS = (
    select(Booking)
    .where(Booking.id.in_(bindparam("ids", expanding=True)))
    .options(raiseload("*"))
)


def _check_limits(
    session: Session,
    requests: Sequence[BookingRequest],
    *,
    limits: Limits,
    now: datetime,
) -> None:
    holds, upcoming = counted_bookings(session, requests[0].user_id, now=now)
    # The bookings of one trip are paid together: they count as one hold.
    if holds >= limits.most_holds:
        raise TooManyHolds(
            f"You are holding {holds} slots that are not paid yet."
            " Pay or cancel one of them first."
        )
    if upcoming + len(requests) > limits.most_upcoming:
        raise TooManyBookings(
            f"You can have {limits.most_upcoming} upcoming bookings at a time."
            " Cancel one you no longer need."
        )


def _check_dues(
    session: Session, user_id: int, *, limits: Limits, now: datetime
) -> None:
    if owed := overdue_dues(session, user_id, now - limits.due):
        raise DueUnpaid(f"You still owe for {owed[0].reference}. Pay that first.")


def _insert(
    session: Session,
    request: BookingRequest,
    evse: BookableEvse,
    agreed: Agreed | None,
    *,
    limits: Limits,
    now: datetime,
) -> Booking:
    row = _row(request, evse, agreed, limits=limits, now=now)
    for _ in range(MOST_REFERENCES):
        row["reference"] = new_reference()
        if insert_if_missing(session, Booking, row):
            return Booking(**row)
    raise Unavailable("No free booking reference was found; try again.")


def _row(
    request: BookingRequest,
    evse: BookableEvse,
    agreed: Agreed | None,
    *,
    limits: Limits,
    now: datetime,
) -> dict[str, Any]:
    terms = Terms(evse.price_paise_per_hour)
    amount = Pricing(terms.price_paise_per_hour, agreed).amount_paise(request.slot)
    return {
        "id": request.id,
        "user_id": request.user_id,
        "evse_id": request.evse_id,
        "starts_at": request.slot.starts_at,
        "ends_at": request.slot.ends_at,
        "status": BookingStatus.ACTIVE,
        "payment_status": BookingPayment.PENDING if amount else BookingPayment.PAID,
        "amount_paise": amount,
        "paid_paise": 0,
        "price_paise_per_hour": terms.price_paise_per_hour,
        "tariff": agreed.as_json() if agreed else None,
        "free_until_minutes": terms.free_until_minutes,
        "late_percent": terms.late_percent,
        "hold_expires_at": now + limits.hold if amount else None,
        "request_hash": request.request_hash,
        "created_at": now,
        "sequence": 0,
        "version": 1,
    }


def _tell_booked(
    session: Session, booking: Booking, location_id: int, *, now: datetime
) -> None:
    record(
        session,
        booking,
        BookingEventKind.BOOKED,
        actor=Actor(ActorKind.DRIVER, booking.user_id),
        now=now,
        before=None,
        slot=[booking.starts_at.isoformat(), booking.ends_at.isoformat()],
        amount_paise=booking.amount_paise,
    )
    tell(session, booking, location_id)
