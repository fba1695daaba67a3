"""The demo's bookings as rows: what each left behind in bookings, claims and money.

They are written as the actions of bookings and payments would have written them;
`bookings.audit` agrees, which a test checks.
"""

import random
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from evcharge.bookings.rules import (
    NO_SHOW_GRACE,
    PROVIDER,
    SYSTEM,
    Actor,
    ActorKind,
    BookingEventKind,
    BookingPayment,
    BookingRequest,
    BookingStatus,
    Limits,
    Slot,
    Terms,
)
from evcharge.demo.demand import MINUTE, Fate, Visit
from evcharge.demo.rows import Names, Row, Rows
from evcharge.demo.till import SECOND, Till
from evcharge.kernel.money import for_started_hours
from evcharge.payments.providers.simulated import FAILURE
from evcharge.payments.rules import PaymentStatus
from evcharge.stations.rules import ClaimedBy

LIMITS = Limits()
METHODS = ("upi", "upi", "upi", "card")
OPERATORS_REASON = "Charger under repair"
DRIVERS_REASONS = (None, None, "Plans changed", "Reached later than I thought")


class History:
    """Tells visits one after the other; the same `rng` tells the same history."""

    def __init__(self, rng: random.Random, *, operator_user_id: int, now: datetime):
        self.rows = Rows()
        self._rng = rng
        self._names = Names(rng)
        self._till = Till(self.rows, self._names)
        self._operator = Actor(ActorKind.OPERATOR, operator_user_id)
        self._now = now

    def tell(self, visits: Iterable[Visit]) -> None:
        for visit in visits:
            booking = self._book(visit)
            if visit.fate == Fate.NEVER_PAID:
                self._let_expire(booking)
                continue
            payment = self._pay(booking)
            self._come_to_an_end(booking, visit, payment)

    def block(self, evse_id: int, slot: Slot, *, reason: str) -> None:
        """Plan maintenance of an EVSE that nobody has booked for then."""
        block_id = self._names.new_id(self._now)
        self.rows.maintenance_blocks.append(
            {
                "id": block_id,
                "evse_id": evse_id,
                "starts_at": slot.starts_at,
                "ends_at": slot.ends_at,
                "reason": reason,
                "created_by": self._operator.user_id,
                "created_at": self._now,
            }
        )
        self._claim(evse_id, slot, kind=ClaimedBy.BLOCK, block_id=block_id)

    # ── booking ──────────────────────────────────────────────────────────────────

    def _book(self, visit: Visit) -> Row:
        slot, at = visit.slot, visit.booked_at
        request = BookingRequest(
            self._names.new_id(at), visit.user_id, visit.evse_id, slot
        )
        terms = Terms(visit.price_paise)
        booking = {
            "id": request.id,
            "reference": self._names.new_reference(),
            "user_id": visit.user_id,
            "evse_id": visit.evse_id,
            "starts_at": slot.starts_at,
            "ends_at": slot.ends_at,
            "status": BookingStatus.ACTIVE,
            "payment_status": BookingPayment.PENDING,
            "amount_paise": for_started_hours(
                slot.length, paise_per_hour=visit.price_paise
            ),
            "paid_paise": 0,
            "price_paise_per_hour": terms.price_paise_per_hour,
            "free_until_minutes": terms.free_until_minutes,
            "late_percent": terms.late_percent,
            "hold_expires_at": at + LIMITS.hold,
            "request_hash": request.request_hash,
            "created_at": at,
            "sequence": 0,
            "version": 1,
        }
        self.rows.bookings.append(booking)
        self._record(
            booking,
            BookingEventKind.BOOKED,
            at,
            actor=Actor(ActorKind.DRIVER, visit.user_id),
            slot=[slot.starts_at.isoformat(), slot.ends_at.isoformat()],
            amount_paise=booking["amount_paise"],
        )
        return booking

    def _let_expire(self, booking: Row) -> None:
        """Half of them tried to pay, if there has been time for that."""
        tried = booking["created_at"] + LIMITS.checkout <= self._now
        if tried and self._rng.random() < 0.5:
            checkout = self._open_checkout(booking)
            self._till.attempt(
                checkout,
                at=checkout["created_at"] + self._rng.randint(20, 90) * SECOND,
                status=PaymentStatus.FAILED,
                failure=FAILURE,
            )
        self._end(
            booking,
            BookingStatus.EXPIRED,
            BookingEventKind.EXPIRED,
            booking["hold_expires_at"] + self._rng.randint(0, 20) * SECOND,
        )

    def _come_to_an_end(self, booking: Row, visit: Visit, payment: Row) -> None:
        if visit.cancelled_at is not None:
            self._cancel(booking, payment, visit.fate, visit.cancelled_at)
        elif visit.slot.ends_at > self._now:
            self._claim(
                visit.evse_id,
                visit.slot,
                kind=ClaimedBy.BOOKING,
                booking_id=booking["id"],
            )
        elif visit.fate == Fate.NO_SHOW:
            noticed_at = visit.slot.starts_at + NO_SHOW_GRACE + MINUTE
            self._end(
                booking, BookingStatus.NO_SHOW, BookingEventKind.NO_SHOW, noticed_at
            )
        else:
            self._end(
                booking,
                BookingStatus.COMPLETED,
                BookingEventKind.COMPLETED,
                visit.slot.ends_at,
            )

    def _cancel(self, booking: Row, payment: Row, fate: Fate, at: datetime) -> None:
        refund_paise = booking["paid_paise"]
        actor, reason = self._operator, self._rng.choice(DRIVERS_REASONS)
        if fate == Fate.CANCELLED_BY_OPERATOR:
            reason = OPERATORS_REASON
        else:
            actor = Actor(ActorKind.DRIVER, booking["user_id"])
            refund_paise = Terms(booking["price_paise_per_hour"]).refund_paise(
                refund_paise, starts_at=booking["starts_at"], now=at
            )
        self._end(
            booking,
            BookingStatus.CANCELLED,
            BookingEventKind.CANCELLED,
            at,
            actor=actor,
            reason=reason,
            refund_paise=refund_paise,
        )
        if refund_paise:
            booking["paid_paise"] -= refund_paise
            booking["version"] += 1
            self._till.refund(
                payment,
                booking["id"],
                refund_paise,
                reason=reason or "Booking cancelled",
                at=at,
            )

    def _end(
        self,
        booking: Row,
        status: BookingStatus,
        kind: BookingEventKind,
        at: datetime,
        *,
        actor: Actor = SYSTEM,
        reason: str | None = None,
        **details: Any,
    ) -> None:
        booking["status"] = status
        booking["sequence"] += 1
        booking["version"] += 1
        self._record(
            booking,
            kind,
            at,
            actor=actor,
            before=BookingStatus.ACTIVE,
            reason=reason,
            **details,
        )

    # ── money ────────────────────────────────────────────────────────────────────

    def _pay(self, booking: Row) -> Row:
        checkout = self._open_checkout(booking)
        paid_at = checkout["created_at"] + self._rng.randint(15, 200) * SECOND
        payment = self._till.attempt(
            checkout,
            at=checkout["created_at"] + 5 * SECOND,
            status=PaymentStatus.PAID,
            paid_at=paid_at,
            method=self._rng.choice(METHODS),
        )
        booking["paid_paise"] = booking["amount_paise"]
        booking["payment_status"] = BookingPayment.PAID
        booking["hold_expires_at"] = None
        booking["version"] += 1
        self._record(
            booking,
            BookingEventKind.PAID,
            paid_at,
            actor=PROVIDER,
            before=BookingStatus.ACTIVE,
            amount_paise=booking["amount_paise"],
            refund_paise=0,
            payment_id=str(payment["id"]),
        )
        return payment

    def _open_checkout(self, booking: Row) -> Row:
        at = booking["created_at"] + self._rng.randint(10, 120) * SECOND
        booking["hold_expires_at"] = booking["created_at"] + LIMITS.checkout
        booking["version"] += 1
        self._record(
            booking,
            BookingEventKind.CHECKOUT_OPENED,
            at,
            actor=Actor(ActorKind.DRIVER, booking["user_id"]),
            before=BookingStatus.ACTIVE,
        )
        return self._till.open_checkout(booking, at)

    # ── small things ─────────────────────────────────────────────────────────────

    def _claim(
        self,
        evse_id: int,
        slot: Slot,
        *,
        kind: ClaimedBy,
        booking_id: UUID | None = None,
        block_id: UUID | None = None,
    ) -> None:
        self.rows.slot_claims += [
            {
                "evse_id": evse_id,
                "slot_no": number,
                "kind": kind,
                "booking_id": booking_id,
                "block_id": block_id,
            }
            for number in slot.quarters
        ]

    def _record(
        self,
        booking: Row,
        kind: BookingEventKind,
        at: datetime,
        *,
        actor: Actor,
        before: BookingStatus | None = None,
        reason: str | None = None,
        **details: Any,
    ) -> None:
        self.rows.booking_events.append(
            {
                "booking_id": booking["id"],
                "at": at,
                "kind": kind,
                "actor": actor.kind,
                "actor_user_id": actor.user_id,
                "from_status": before,
                "to_status": booking["status"],
                "reason": reason,
                "details": details,
            }
        )
