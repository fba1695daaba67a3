"""Chargers hear of bookings shortly before they begin, and when they are off."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from evcharge.bookings.service import note_session, reassign_booking
from evcharge.charging.jobs import tidy
from evcharge.charging.models import OcppReservation
from evcharge.charging.service import on_answered, reservation_ended
from evcharge.charging.service.reservations import (
    SOON,
    cancel_over,
    reserve_soon,
)
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import CommandKind, CommandState
from evcharge.control.service import close_connection
from evcharge.stations.models import Evse
from make import HOUR, MINUTE, NOON, a_slot

START = NOON + HOUR
NEAR = START - SOON


@pytest.fixture
def booking(desk):
    booking = desk.book()
    desk.pay(booking)
    return booking


def announce(box, now):
    return box.database.perform(lambda session: reserve_soon(session, now=now))


def take_back(box, now):
    return box.database.perform(lambda session: cancel_over(session, now=now))


def told(box):
    return [(each.kind.value, each.arguments["number"]) for each in box.commands()]


def reservations(box):
    with box.database.reading() as session:
        return session.query(OcppReservation).order_by(OcppReservation.number).all()


def test_a_charger_hears_of_a_booking_ten_minutes_before(box, booking):
    assert announce(box, NEAR - MINUTE) == 0
    assert announce(box, NEAR) == 1
    assert announce(box, NEAR + MINUTE) == 0

    (reservation,) = reservations(box)
    (command,) = box.commands()
    assert command.kind == CommandKind.RESERVE
    assert command.booking_id == booking.id
    assert command.arguments == {
        "number": reservation.number,
        "evse": 1,
        "connector": None,
        "tag": booking.reference,
        "expires_at": "2026-01-15T14:00:00Z",
    }


def test_a_hold_is_announced_to_nobody(box, desk):
    desk.book(now=NEAR)

    assert announce(box, NEAR) == 0


def test_a_charger_that_is_away_hears_of_it_when_it_is_back(box, booking):
    with box.database.transaction() as session:
        close_connection(session, charger_id=box.charger_id, generation=1, at=NOON)
    assert announce(box, NEAR) == 0

    box.connect(at=NEAR)

    assert announce(box, NEAR + MINUTE) == 1


def test_a_charger_in_use_is_not_asked_before_it_is_free(box, booking, card):
    number = box.start(card, at=NOON).number
    assert announce(box, NEAR) == 0

    box.stop(number, at=NEAR, meter=5000)

    assert announce(box, NEAR) == 1


def test_what_is_cancelled_is_taken_back_once(box, desk, booking):
    announce(box, NEAR)
    (reservation,) = reservations(box)
    assert take_back(box, NEAR) == 0

    desk.cancel(booking, now=NEAR)

    assert take_back(box, NEAR) == 1
    assert take_back(box, NEAR) == 0
    assert told(box) == [
        ("reserve", reservation.number),
        ("cancel_reservation", reservation.number),
    ]


def test_what_was_used_is_not_taken_back(box, booking):
    announce(box, NEAR)
    with box.database.transaction() as session:
        note_session(session, booking.id, at=START, now=START)

    assert take_back(box, START) == 1

    assert reservations(box)[0].ended_at == START
    assert len(told(box)) == 1


def test_a_move_to_later_frees_the_charger_and_is_announced_anew(box, desk, booking):
    announce(box, NEAR)
    desk.move(booking, a_slot(after_hours=3), now=NEAR)

    assert take_back(box, NEAR) == 1
    assert announce(box, NEAR) == 0
    assert announce(box, NEAR + 2 * HOUR) == 1

    first, second = reservations(box)
    assert [name for name, _ in told(box)] == [
        "reserve",
        "cancel_reservation",
        "reserve",
    ]
    assert first.number < second.number


def test_a_booking_that_goes_elsewhere_is_told_at_both(box, desk, booking):
    announce(box, NEAR)
    (elsewhere,) = desk.evses(1)
    with box.database.transaction() as session:
        reassign_booking(session, booking_id=booking.id, evse_id=elsewhere, now=NEAR)
    with box.database.reading() as session:
        charger_id = session.get_one(Evse, elsewhere).charger_id
    type(box)(box.database, elsewhere, charger_id).connect()

    take_back(box, NEAR)
    announce(box, NEAR)

    assert [(each.kind.value, each.charger_id) for each in box.commands()] == [
        ("reserve", box.charger_id),
        ("cancel_reservation", box.charger_id),
        ("reserve", charger_id),
    ]


def test_a_charger_that_refuses_is_asked_no_more(box, desk, booking):
    announce(box, NEAR)
    with box.database.transaction() as session:
        command = session.query(ChargerCommand).one()
        command.state = CommandState.REJECTED
        on_answered(session, command, NEAR)

    desk.cancel(booking, now=NEAR)

    assert announce(box, NEAR) == take_back(box, NEAR) == 0
    assert len(told(box)) == 1


def test_what_a_charger_gave_up_is_over(box, desk, booking):
    announce(box, NEAR)
    (reservation,) = reservations(box)
    with box.database.transaction() as session:
        for charger_id in (box.charger_id + 1, box.charger_id):
            reservation_ended(
                session, charger_id, reservation.number, reason="removed", at=NEAR
            )

    assert reservations(box)[0].ended_at == NEAR
    assert desk.read(booking.id).status == "ACTIVE"


def test_another_charger_cannot_give_it_up(box, booking):
    announce(box, NEAR)
    (reservation,) = reservations(box)
    with box.database.transaction() as session:
        reservation_ended(
            session,
            box.charger_id + 1,
            reservation.number,
            reason="expired",
            at=NEAR,
        )

    assert reservations(box)[0].ended_at is None


def test_of_two_rounds_at_once_one_announces_it_and_one_takes_it_back(
    box, desk, booking
):
    with ThreadPoolExecutor(4) as rounds:
        list(rounds.map(lambda _: announce(box, NEAR), range(4)))
    desk.cancel(booking, now=NEAR)
    with ThreadPoolExecutor(4) as rounds:
        list(rounds.map(lambda _: take_back(box, NEAR), range(4)))

    assert [name for name, _ in told(box)] == ["reserve", "cancel_reservation"]


def test_the_job_does_all_of_it_on_a_world_at_rest(box, desk, booking):
    tidy(box.database)

    assert desk.audit() == []
