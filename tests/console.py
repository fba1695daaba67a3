"""A small network with something of everything, for tests of the console."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

import make
from desk import Desk
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import Actor, ActorKind, Slot
from evcharge.bookings.service import block_evse
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.jobs import Job
from evcharge.payments.models import Refund
from evcharge.payments.rules import RefundStatus


def this_hour() -> datetime:
    """The console reads the clock, so its tests live in the present."""
    return utc_now().replace(minute=0, second=0, microsecond=0)


def in_hours(start: float, length: float = 1) -> Slot:
    starts_at = this_hour() + timedelta(hours=start)
    return Slot(starts_at, starts_at + timedelta(hours=length))


@dataclass
class World:
    """An operator with a charger, a paid booking, maintenance and a failed refund."""

    desk: Desk
    operator_id: int
    location_id: int
    charger_id: int
    evse_id: int
    connector_id: int
    driver_id: int
    booking_id: UUID
    block_id: UUID
    refund_id: UUID
    job_id: int

    @property
    def ids(self) -> dict[str, object]:
        """What the addresses of the console are made with."""
        return vars(self) | {"user_id": self.driver_id}


def a_world(database: Database, *, name: str = "Test Power") -> World:
    now = utc_now()
    with database.transaction() as session:
        operator = make.an_operator(session, name)
        location = make.a_location(session, operator=operator, name=f"{name} site")
        evse = make.an_evse(session, location=location, seen_at=now)
        driver = make.a_user(session, name=f"Driver of {name}")
        staff = make.a_user(session, role="operator", operator=operator)
        job = Job(
            name="mail",
            details={"to": name},
            created_at=now,
            due_at=now,
            attempts=8,
            finished_at=now,
            failure=f"ConnectionError('{name}')",
        )
        session.add(job)
        session.flush()
        found = (operator.id, location.id, evse.charger_id, evse.id)
        plug_id, driver_id, staff_id = evse.connectors[0].id, driver.id, staff.id
        job_id = job.id
    desk = Desk(database, driver_id, evse.id)
    booking = desk.book(in_hours(2), now=now)
    desk.pay(booking, now=now)
    lost = desk.book(in_hours(5), now=now)
    desk.pay(lost, now=now)
    desk.cancel(lost, now=now)
    block = database.perform(
        lambda session: block_evse(
            session,
            evse_id=evse.id,
            slot=in_hours(30),
            reason="New cable",
            actor=Actor(ActorKind.OPERATOR, staff_id),
            cancel_bookings=False,
            now=now,
        )
    )
    return World(
        desk,
        *found,
        connector_id=plug_id,
        driver_id=driver_id,
        booking_id=booking.id,
        block_id=block.id,
        refund_id=fail_refund_of(database, lost),
        job_id=job_id,
    )


def fail_refund_of(database: Database, booking: Booking) -> UUID:
    with database.transaction() as session:
        refund = session.scalars(
            select(Refund).where(Refund.item_id == booking.id)
        ).one()
        refund.status, refund.failure = RefundStatus.FAILED, "account closed"
        return refund.id
