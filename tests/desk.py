"""A desk at which tests book, pay, move and cancel: one transaction for each act."""

import multiprocessing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import make
from evcharge.bookings.audit import discrepancies
from evcharge.bookings.models import Booking, BookingEvent
from evcharge.bookings.queries import booking_by_id
from evcharge.bookings.rules import Actor, ActorKind, Limits, Slot
from evcharge.bookings.service import (
    book_slot,
    cancel_booking,
    confirm_paid,
    move_booking,
    open_checkout,
)
from evcharge.kernel.db import Database
from evcharge.payments.rules import ItemKind, Outcome, Payer, PaymentStatus
from evcharge.payments.service import record_outcome, start_payment
from make import NOON, a_request

# Children start from a process that has loaded what takes long: 0.1 s instead of 2 s.
# Python 3.11 ignores without a word what is not installed, such as this module.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["evcharge.wiring", "psycopg", "pytest"])

LIMITS = Limits()
OPERATOR = Actor(ActorKind.OPERATOR)
ON_PAID = {ItemKind.BOOKING: confirm_paid}


@dataclass
class Desk:
    """Acts on one database the way the edges do: a transaction for each action."""

    database: Database
    user_id: int
    evse_id: int
    limits: Limits = LIMITS

    def book(
        self,
        slot: Slot | None = None,
        *,
        user_id: int | None = None,
        evse_id: int | None = None,
        key: str | None = None,
        now: datetime = NOON,
    ) -> Booking:
        request = a_request(
            evse_id or self.evse_id, slot, user_id=user_id or self.user_id, key=key
        )
        return self.database.perform(
            lambda session: book_slot(session, request, limits=self.limits, now=now),
            repeatable=True,
        )

    def move(self, booking: Booking, slot: Slot, **options: Any) -> Booking:
        options = {"now": NOON, "user_id": booking.user_id} | options
        return self.database.perform(
            lambda session: move_booking(
                session, booking_id=booking.id, slot=slot, limits=self.limits, **options
            )
        )

    def cancel(
        self, booking: Booking, *, by: Actor | None = None, now: datetime = NOON
    ) -> Booking:
        actor = by or Actor(ActorKind.DRIVER, booking.user_id)
        return self.database.perform(
            lambda session: cancel_booking(
                session, booking_id=booking.id, actor=actor, now=now
            )
        )

    def start_paying(self, booking: Booking, *, now: datetime = NOON) -> str:
        """Open a checkout and an attempt. Return the provider's name for it."""

        def act(session: Any) -> str:
            checkout = open_checkout(
                session,
                booking_id=booking.id,
                user_id=booking.user_id,
                limits=self.limits,
                now=now,
            )
            payment = start_payment(
                session,
                checkout_id=checkout.id,
                payer=Payer(booking.user_id),
                provider="simulated",
                now=now,
            )
            return str(payment.provider_ref)

        return self.database.perform(act)

    def capture(
        self, ref: str, amount_paise: int = make.PRICE_PAISE, *, now: datetime = NOON
    ) -> None:
        outcome = Outcome(
            ref=ref, status=PaymentStatus.PAID, amount_paise=amount_paise, method="upi"
        )
        self.database.perform(
            lambda session: record_outcome(
                session, provider="simulated", outcome=outcome, on_paid=ON_PAID, now=now
            )
        )

    def pay(self, booking: Booking, *, now: datetime = NOON) -> None:
        due = self.read(booking.id).due_paise
        self.capture(self.start_paying(booking, now=now), due, now=now)

    def read(self, booking_id: UUID) -> Booking:
        with self.database.reading() as session:
            return booking_by_id(session, booking_id)

    def history(self, booking: Booking) -> list[str]:
        with self.database.reading() as session:
            events = session.query(BookingEvent).filter_by(booking_id=booking.id)
            return [event.kind.value for event in events.order_by(BookingEvent.id)]

    def audit(self) -> list[str]:
        with self.database.reading() as session:
            return discrepancies(session)

    def drivers(self, number: int) -> list[int]:
        with self.database.transaction() as session:
            return [make.a_user(session).id for _ in range(number)]

    def evses(self, number: int) -> list[int]:
        with self.database.transaction() as session:
            location = make.a_location(session)
            return [make.an_evse(session, location=location).id for _ in range(number)]

    def with_limits(self, **limits: Any) -> "Desk":
        return replace(self, limits=replace(self.limits, **limits))
