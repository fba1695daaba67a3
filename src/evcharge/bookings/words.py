"""How a booking reads to people: its state, its terms and its history in sentences."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from evcharge.bookings.models import Booking, BookingEvent
from evcharge.bookings.rules import (
    ActorKind,
    BookingEventKind,
    BookingPayment,
    BookingStatus,
    Slot,
    Terms,
)
from evcharge.payments.models import Refund
from evcharge.payments.rules import RefundStatus
from evcharge.web.formats import day_clock, rupees, slot_range

HALF = 50


class Phase(StrEnum):
    """Where a booking is, to its driver. A hold whose time is up is over, swept or not.

    TO_PAY is a booking that was paid and then moved to a dearer slot.
    """

    HELD = "held"
    TO_PAY = "to_pay"
    BOOKED = "booked"
    RUNNING = "running"
    DONE = "done"
    MISSED = "missed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


_ENDED = {
    BookingStatus.CANCELLED: Phase.CANCELLED,
    BookingStatus.EXPIRED: Phase.EXPIRED,
    BookingStatus.NO_SHOW: Phase.MISSED,
    BookingStatus.COMPLETED: Phase.DONE,
}


def phase_of(booking: Booking, *, now: datetime) -> Phase:
    if booking.status in _ENDED:
        return _ENDED[booking.status]
    deadline = booking.hold_expires_at
    if deadline is not None:
        return Phase.HELD if now < deadline else Phase.EXPIRED
    if booking.payment_status == BookingPayment.PENDING:
        return Phase.TO_PAY
    return _by_the_clock(booking, now)


def _by_the_clock(booking: Booking, now: datetime) -> Phase:
    if now < booking.starts_at:
        return Phase.BOOKED
    return Phase.RUNNING if now < booking.ends_at else Phase.DONE


# ── terms ────────────────────────────────────────────────────────────────────────


def cancelling_terms(
    terms: Terms, slot: Slot, *, amount_paise: int, now: datetime, zone: ZoneInfo
) -> str:
    """Say what cancelling costs, by the clock: `Free to cancel until today 17:00.`"""
    if amount_paise == 0:
        return "Free to cancel at any time."
    free_until = slot.starts_at - timedelta(minutes=terms.free_until_minutes)
    part = _part(terms.late_percent)
    start = day_clock(slot.starts_at, now, zone)
    if now <= free_until:
        until = day_clock(free_until, now, zone)
        return f"Free to cancel until {until}; {part} back until the start."
    if now < slot.starts_at:
        return f"If you cancel before {start}, {part} comes back."
    return "This time has begun, so no money comes back if you cancel."


def _part(percent: int) -> str:
    return "half" if percent == HALF else f"{percent} %"


# ── history ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Entry:
    """A line of the history. `by` is None where the sentence says who it was."""

    at: datetime
    title: str
    detail: str | None = None
    by: str | None = None


_WHO = {
    ActorKind.DRIVER: None,
    ActorKind.OPERATOR: "the operator",
    ActorKind.PROVIDER: None,
    ActorKind.SYSTEM: None,
}


def entry_of(event: BookingEvent, *, now: datetime, zone: ZoneInfo) -> Entry:
    title, detail = _SENTENCES[event.kind](_Told(event, now, zone))
    return Entry(event.at, title, detail, _WHO[event.actor])


@dataclass(frozen=True)
class _Told:
    """An event with what its sentence needs."""

    event: BookingEvent
    now: datetime
    zone: ZoneInfo

    def slot(self, name: str = "slot") -> str:
        starts_at, ends_at = map(datetime.fromisoformat, self.event.details[name])
        return slot_range(starts_at, ends_at, self.now, self.zone)

    def clock(self, name: str) -> str | None:
        """When something was, if that is known: `today 18:05`."""
        at = self.event.details.get(name)
        return at and day_clock(datetime.fromisoformat(at), self.now, self.zone)

    def paise(self, name: str) -> int:
        return int(self.event.details.get(name, 0))

    @property
    def by_driver(self) -> bool:
        return self.event.actor == ActorKind.DRIVER


Sentence = tuple[str, str | None]


def _booked(told: _Told) -> Sentence:
    price = told.paise("amount_paise")
    detail = f"{told.slot()}, {rupees(price) if price else 'nothing to pay'}"
    return ("You held the slot" if price else "You booked the slot"), detail


def _checkout_opened(told: _Told) -> Sentence:
    return "You went to pay", "The slot was held a little longer"


def _paid(told: _Told) -> Sentence:
    too_much = told.paise("refund_paise")
    detail = f"{rupees(too_much)} too much came in and goes back" if too_much else None
    return f"{rupees(told.paise('amount_paise'))} paid", detail


def _paid_too_late(told: _Told) -> Sentence:
    title = f"{rupees(told.paise('amount_paise'))} came in after the slot was gone"
    return title, "It goes back to where it came from"


def _moved(told: _Told) -> Sentence:
    back = told.paise("refund_paise")
    detail = f"It was {told.slot('old_slot')}"
    return f"Moved to {told.slot()}", (
        f"{detail}. {rupees(back)} goes back" if back else detail
    )


def _expired(told: _Told) -> Sentence:
    return "The hold ended", "It was not paid in time, so the slot is free again"


def _revived(told: _Told) -> Sentence:
    return "The slot was taken for you again", "The payment came late but not too late"


def _cancelled(told: _Told) -> Sentence:
    back = told.paise("refund_paise")
    parts = [told.event.reason, f"{rupees(back)} goes back" if back else None]
    title = "You cancelled" if told.by_driver else "Cancelled"
    return title, ". ".join(part for part in parts if part) or None


def _no_show(told: _Told) -> Sentence:
    return "Marked as missed", "Nobody came within 15 minutes of the start"


def _completed(told: _Told) -> Sentence:
    at = told.clock("session_at")
    if told.event.from_status == BookingStatus.NO_SHOW:
        return "Done after all", "The charger told later that you charged"
    return "Done", f"You charged until {at}" if at else None


def _charging(told: _Told) -> Sentence:
    at = told.clock("session_at")
    is_late = at and at != day_clock(told.event.at, told.now, told.zone)
    return (
        "You began to charge",
        f"At {at}; the charger told later" if is_late else None,
    )


def _reassigned(told: _Told) -> Sentence:
    details = told.event.details
    return (
        f"Moved to {details.get('point')}",
        f"Someone still charges at {details.get('old_point')}."
        " Your time and price stay the same",
    )


_SENTENCES: dict[BookingEventKind, Callable[[_Told], Sentence]] = {
    BookingEventKind.BOOKED: _booked,
    BookingEventKind.CHECKOUT_OPENED: _checkout_opened,
    BookingEventKind.PAID: _paid,
    BookingEventKind.PAID_TOO_LATE: _paid_too_late,
    BookingEventKind.MOVED: _moved,
    BookingEventKind.EXPIRED: _expired,
    BookingEventKind.REVIVED: _revived,
    BookingEventKind.CANCELLED: _cancelled,
    BookingEventKind.NO_SHOW: _no_show,
    BookingEventKind.COMPLETED: _completed,
    BookingEventKind.CHARGING: _charging,
    BookingEventKind.REASSIGNED: _reassigned,
}


# ── refunds ──────────────────────────────────────────────────────────────────────


def refund_state(refund: Refund, *, now: datetime, zone: ZoneInfo) -> str:
    """Say where the money is."""
    if refund.status == RefundStatus.DONE and refund.done_at is not None:
        return f"went back {day_clock(refund.done_at, now, zone)}"
    return {
        RefundStatus.CREATED: "on its way",
        RefundStatus.SENT: "on its way",
        RefundStatus.DONE: "went back",
        RefundStatus.FAILED: "did not go through; we are looking into it",
    }[refund.status]
