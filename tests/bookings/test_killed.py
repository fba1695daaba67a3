"""The process dies at any moment: nothing is sold twice, no money is lost.

A child process acts and kills itself (SIGKILL, so nothing can tidy up) at a labelled
point; the parent then looks at what is left, and repeats what was asked for.
"""

import os
import signal
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import event

from desk import PROCESSES, Desk
from evcharge.bookings.models import Booking
from evcharge.kernel.db import Database
from make import PRICE_PAISE, a_slot

POINTS = {
    "before the booking": "INSERT INTO bookings",
    "before the claims": "INSERT INTO slot_claims",
    "before the claims are freed": "DELETE FROM slot_claims",
    "before the history": "INSERT INTO booking_events",
    "before the payment changes": "UPDATE payments",
    "before the booking changes": "UPDATE bookings",
    "before the refund": "INSERT INTO refunds",
    "before the job": "INSERT INTO jobs",
    "before the commit": "COMMIT",
    "after the commit": "",
}


def kill_at(database: Database, point: str) -> None:
    """Arm the trap: die where `point` is reached for the first time from now on."""

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(database.engine, "before_cursor_execute")
    def before_statement(_connection, _cursor, statement, *_):
        if point and statement.startswith(point):
            die()

    @event.listens_for(database.engine, "commit")
    def before_commit(_connection):
        if point == "COMMIT":
            die()

    if not point:
        database.publish = lambda topics: die()


def act_and_die(
    url: str,
    user_id: int,
    evse_id: int,
    act: str,
    point: str,
    booking_id: UUID | None,
) -> None:
    database = Database(url)
    desk = Desk(database, user_id, evse_id)
    booking = desk.read(booking_id) if booking_id else None
    kill_at(database, point)
    ACTS[act](desk, booking)


def book(desk: Desk, _booking: Booking | None) -> None:
    desk.book(a_slot(after_hours=5), key="this form")


def pay(desk: Desk, booking: Booking) -> None:
    desk.capture(desk.start_paying(booking))


def cancel(desk: Desk, booking: Booking) -> None:
    desk.cancel(booking)


ACTS: dict[str, Callable[..., None]] = {"book": book, "pay": pay, "cancel": cancel}


def die_in_a_child(
    desk: Desk, act: str, point: str, booking: Booking | None = None
) -> None:
    url = desk.database.engine.url.render_as_string(hide_password=False)
    child = PROCESSES.Process(
        target=act_and_die,
        args=(
            url,
            desk.user_id,
            desk.evse_id,
            act,
            POINTS[point],
            booking.id if booking else None,
        ),
    )
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL, "it was to die and did not"


@pytest.mark.parametrize(
    "point",
    [
        "before the booking",
        "before the claims",
        "before the history",
        "before the commit",
        "after the commit",
    ],
)
def test_killed_while_booking(desk, point):
    desk.pay(desk.book())

    die_in_a_child(desk, "book", point)

    assert desk.audit() == []
    again = desk.book(a_slot(after_hours=5), key="this form")
    assert again.status == "ACTIVE"
    assert desk.history(again) == ["booked"]
    assert desk.audit() == []


@pytest.mark.parametrize(
    "point",
    [
        "before the payment changes",
        "before the booking changes",
        "before the history",
        "before the commit",
        "after the commit",
    ],
)
def test_killed_while_the_money_comes_in(desk, point):
    booking = desk.book()
    ref = desk.start_paying(booking)

    die_in_a_child(desk, "pay", point, booking)

    assert desk.audit() == []
    desk.capture(ref)  # The provider repeats what was not answered.
    paid = desk.read(booking.id)
    assert (paid.payment_status, paid.paid_paise) == ("PAID", PRICE_PAISE)
    assert desk.history(booking).count("paid") == 1
    assert desk.audit() == []


@pytest.mark.parametrize(
    "point",
    [
        "before the booking changes",
        "before the claims are freed",
        "before the history",
        "before the refund",
        "before the job",
        "before the commit",
        "after the commit",
    ],
)
def test_killed_while_cancelling(desk, point):
    booking = desk.book()
    desk.pay(booking)

    die_in_a_child(desk, "cancel", point, booking)

    assert desk.audit() == []
    assert desk.cancel(booking).status == "CANCELLED"
    assert desk.read(booking.id).paid_paise == 0
    assert desk.history(booking).count("cancelled") == 1
    assert desk.audit() == []
