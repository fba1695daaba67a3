"""Rows of the demo's history on their way into the database."""

import random
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, insert
from sqlalchemy.orm import Session

from evcharge.bookings.models import (
    Booking,
    BookingEvent,
    MaintenanceBlock,
    SlotClaim,
)
from evcharge.kernel.ids import READABLE
from evcharge.payments.models import (
    Checkout,
    CheckoutItem,
    Payment,
    Refund,
    SimulatedOrder,
    SimulatedRefund,
)

Row = dict[str, Any]

_TABLES = {
    model.__tablename__: cast("Table", model.__table__)
    for model in (
        Booking,
        MaintenanceBlock,
        SlotClaim,
        BookingEvent,
        Checkout,
        CheckoutItem,
        Payment,
        Refund,
        SimulatedOrder,
        SimulatedRefund,
    )
}


@dataclass
class Rows:
    """What is to be inserted, by table, in an order that foreign keys allow."""

    bookings: list[Row] = field(default_factory=list)
    maintenance_blocks: list[Row] = field(default_factory=list)
    slot_claims: list[Row] = field(default_factory=list)
    booking_events: list[Row] = field(default_factory=list)
    checkouts: list[Row] = field(default_factory=list)
    checkout_items: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    refunds: list[Row] = field(default_factory=list)
    simulated_orders: list[Row] = field(default_factory=list)
    simulated_refunds: list[Row] = field(default_factory=list)

    def save(self, session: Session) -> None:
        self.booking_events.sort(key=lambda event: event["at"])
        for each in fields(self):
            if rows := getattr(self, each.name):
                # By table: for models, rows with and without NULL go one by one.
                session.execute(insert(_TABLES[each.name]), rows)


class Names:
    """Ids and references: the same `rng` gives the same ones."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._references: set[str] = set()

    def new_id(self, at: datetime) -> UUID:
        """Return a UUIDv7 of that moment (RFC 9562, section 5.7)."""
        milliseconds = int(at.timestamp() * 1000)
        low, high = self._rng.getrandbits(62), self._rng.getrandbits(12)
        return UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 2 << 62 | low)

    def new_reference(self) -> str:
        while True:
            reference = "EV-" + "".join(self._rng.choices(READABLE, k=6))
            if reference not in self._references:
                self._references.add(reference)
                return reference
