"""A booking as its page shows it at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from uuid import UUID
from zoneinfo import ZoneInfo

import segno
from markupsafe import Markup
from sqlalchemy.orm import Session

from evcharge.billing.models import Bill
from evcharge.billing.queries import bill_of
from evcharge.billing.words import rows_of, tax_words
from evcharge.bookings.alternatives import Offer, alternatives
from evcharge.bookings.asking import limits
from evcharge.bookings.calendar_file import is_off_calendar
from evcharge.bookings.models import Booking
from evcharge.bookings.pages.move import can_move
from evcharge.bookings.pages.picker import zone_of
from evcharge.bookings.queries import booking_of_user
from evcharge.bookings.rules import (
    ActorKind,
    BookingEventKind,
    BookingStatus,
    slot_no,
)
from evcharge.bookings.words import (
    Entry,
    Phase,
    cancelling_terms,
    entry_of,
    phase_of,
    refund_state,
)
from evcharge.payments.models import Due, Payment, Refund
from evcharge.payments.queries import due_of_item, payments_of_item
from evcharge.payments.rules import ItemKind, PaymentStatus
from evcharge.web.formats import kwh, rupees

STEPS = {
    Phase.HELD: 0,
    Phase.TO_PAY: 0,
    Phase.BOOKED: 1,
    Phase.RUNNING: 2,
    Phase.DONE: 4,
}
CAN_CANCEL = frozenset({Phase.HELD, Phase.TO_PAY, Phase.BOOKED, Phase.RUNNING})


@dataclass(frozen=True)
class View:
    """A booking as its page shows it at one moment."""

    booking: Booking
    phase: Phase
    now: datetime
    zone: ZoneInfo
    payments: Sequence[Payment]
    bill: Bill | None
    due: Due | None
    offers: Sequence[Offer]

    @property
    def step(self) -> int | None:
        return STEPS.get(self.phase)

    @property
    def can_pay(self) -> bool:
        return self.phase in (Phase.HELD, Phase.TO_PAY)

    @property
    def shows_code(self) -> bool:
        return self.phase in (Phase.TO_PAY, Phase.BOOKED, Phase.RUNNING)

    @property
    def can_cancel(self) -> bool:
        return self.phase in CAN_CANCEL

    @property
    def can_move(self) -> bool:
        return can_move(self.booking, now=self.now)

    @property
    def terms(self) -> str:
        booking = self.booking
        if booking.session_started_at is not None:
            return "You have begun to charge, so no money comes back if you cancel."
        return cancelling_terms(
            booking.terms,
            booking.slot,
            amount_paise=booking.amount_paise,
            now=self.now,
            zone=self.zone,
        )

    @property
    def price_lines(self) -> list[tuple[str, int]]:
        """What it came to, once that is known; before, what is paid in advance."""
        if self.bill is not None:
            return rows_of(self.bill)
        pricing, slot = self.booking.pricing, self.booking.slot
        if advance := pricing.advance(slot):
            energy = f"For about {kwh(advance.energy_wh)}"
            label = "Deposit" if advance.is_deposit else energy
            taxes = (
                [("GST", advance.taxed.tax_paise)] if advance.taxed.tax_paise else []
            )
            return [(label, advance.net_paise), *taxes]
        count = pricing.started_hours(slot)
        hours = "1 started hour" if count == 1 else f"{count} started hours"
        price = rupees(pricing.paise_per_hour)
        return [(f"{hours} × {price}", pricing.amount_paise(slot))]

    @property
    def total_paise(self) -> int:
        return self.bill.total_paise if self.bill else self.booking.amount_paise

    @property
    def price_note(self) -> str:
        return tax_words(self.bill) if self.bill else "Tax included"

    @property
    def price_promise(self) -> str:
        """What becomes of the money under a tariff."""
        booking = self.booking
        if self.bill is not None or booking.agreed is None:
            return ""
        if booking.status == BookingStatus.COMPLETED:
            return "We are working out what it came to."
        if booking.status == BookingStatus.ACTIVE and booking.amount_paise:
            words = booking.agreed.price_words()
            return f"{words}. What you do not use comes back by itself."
        return ""

    @property
    def is_off_calendar(self) -> bool:
        return is_off_calendar(self.booking, now=self.now)

    @property
    def history(self) -> list[Entry]:
        return [
            entry_of(event, now=self.now, zone=self.zone)
            for event in self.booking.events
        ]

    @property
    def why_cancelled(self) -> str | None:
        """Name who it was, unless it was the driver, who knows."""
        for event in self.booking.events:
            is_end = event.kind == BookingEventKind.CANCELLED
            if is_end and event.actor == ActorKind.SYSTEM:
                return f"This booking was ended. {event.reason}."
            if is_end and event.actor != ActorKind.DRIVER:
                reason = f": {event.reason}" if event.reason else ""
                return f"The operator had to cancel this booking{reason}."
        return None

    @property
    def is_paying(self) -> bool:
        """Is there an attempt of which nobody knows yet how it ends?"""
        waiting = PaymentStatus.PENDING
        return any(payment.status == waiting for payment in self.payments)

    @property
    def refunds(self) -> list[tuple[Refund, str]]:
        """Each with where the money is."""
        return [
            (refund, refund_state(refund, now=self.now, zone=self.zone))
            for payment in self.payments
            for refund in payment.refunds
            if refund.item_id == self.booking.id
        ]

    @property
    def qr(self) -> Markup:
        return qr(self.booking.reference)


def view_of(session: Session, booking_id: UUID, user_id: int, *, now: datetime) -> View:
    """Raises: BookingNotFound, also for somebody else's."""
    booking = booking_of_user(session, booking_id, user_id)
    phase = phase_of(booking, now=now)
    bill = _bill(session, booking)
    is_short = bill is not None and bill.due_paise
    return View(
        booking=booking,
        phase=phase,
        now=now,
        zone=zone_of(booking.evse),
        payments=payments_of_item(session, ItemKind.BOOKING, booking_id),
        bill=bill,
        due=due_of_item(session, ItemKind.BOOKING, booking_id) if is_short else None,
        offers=_offers(session, booking, phase, now=now),
    )


def _bill(session: Session, booking: Booking) -> Bill | None:
    """Nothing is billed before it is over."""
    if booking.status == BookingStatus.ACTIVE:
        return None
    return bill_of(session, ItemKind.BOOKING, booking.id)


def _offers(
    session: Session, booking: Booking, phase: Phase, *, now: datetime
) -> list[Offer]:
    """To whom the hold ran out: the same slot if it is still free, else others."""
    has_begun = slot_no(booking.starts_at) < slot_no(now)
    if phase != Phase.EXPIRED or has_begun:
        return []
    return alternatives(
        session, evse_id=booking.evse_id, slot=booking.slot, limits=limits(), now=now
    )


def qr(text: str) -> Markup:
    """Return a QR code as SVG without a style, which our pages would not apply."""
    picture = BytesIO()
    segno.make_qr(text, error="m").save(
        picture, kind="svg", border=4, omitsize=True, xmldecl=False, svgclass=None
    )
    return Markup(picture.getvalue().decode())  # noqa: S704  (made here)
