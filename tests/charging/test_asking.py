"""Starting and stopping from a phone."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest

import make
from box import a_box
from evcharge.bookings.rules import Actor, ActorKind, BookingNotActive, BookingNotFound
from evcharge.charging.rules import (
    CannotStartHere,
    EventType,
    NotYourTime,
    SessionEventKind,
    SessionNotActive,
    SessionStatus,
    SessionUnderWay,
    TooEarlyToStart,
)
from evcharge.charging.service import (
    ask_to_start,
    ask_to_stop,
    ask_to_unlock,
    on_answered,
)
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import ChargerNotConnected, CommandKind, CommandState
from evcharge.control.service import answer_command, take_commands
from evcharge.stations.models import Evse
from make import HOUR, MINUTE, NOON, a_slot

LATER = NOON + 30 * MINUTE


def booked(desk, *, after_hours=0, paid=True):
    booking = desk.book(a_slot(after_hours=after_hours), now=NOON)
    if paid:
        desk.pay(booking)
    return booking


def stop(box, charge, *, now=LATER, user_id=None):
    actor = Actor(ActorKind.DRIVER, user_id or charge.user_id)
    return box.database.perform(
        lambda session: ask_to_stop(session, session_id=charge.id, actor=actor, now=now)
    )


def answer(box, state, word="Rejected", *, at=NOON):
    def act(session):
        take_commands(session, gateway="g", now=at)
        command = answer_command(
            session,
            box.commands()[-1].id,
            state=state,
            answer=word,
            details={},
            at=at,
        )
        on_answered(session, command, at)

    box.database.perform(act)


def kinds(box, charge):
    return [event.kind for event in box.read(charge.id).events]


def test_walking_in_asks_the_charger_and_takes_the_quarter_hour(box, asha):
    charge = box.ask(asha)

    assert charge.status == SessionStatus.PENDING
    (start,) = box.commands()
    assert start.kind == CommandKind.START
    assert start.arguments["tag"] == charge.reference
    assert start.arguments["evse"] == 1
    assert box.claims()[0] == ("session", charge.id)


def test_a_booking_is_started_by_its_reference(box, desk, asha):
    booking = booked(desk)
    charge = box.ask(asha, booking_id=booking.id)

    assert charge.booking_id == booking.id
    assert box.commands()[0].arguments["tag"] == booking.reference
    assert charge.price_paise_per_hour == 0


def test_at_the_charger_their_own_booking_is_found(box, desk, asha):
    booking = booked(desk)

    assert box.ask(asha).booking_id == booking.id


def test_asking_again_is_the_same_session(box, desk, asha):
    booking = booked(desk)
    charges = {box.ask(asha, booking_id=booking.id).id for _ in range(3)}

    assert len(charges) == 1
    assert len(box.commands()) == 1


def test_the_charger_begins_what_was_asked_for(box, asha):
    charge = box.ask(asha)
    box.start(charge.reference, at=NOON + MINUTE)

    read = box.read(charge.id)
    assert read.status == SessionStatus.ACTIVE
    assert len(box.sessions()) == 1
    assert kinds(box, charge) == [SessionEventKind.REQUESTED, SessionEventKind.STARTED]


def test_of_many_who_press_start_at_once_one_starts(database, box):
    with database.transaction() as session:
        people = [make.a_user(session).id for _ in range(6)]

    def attempt(user_id):
        try:
            return box.ask(user_id).status
        except (NotYourTime, SessionUnderWay):
            return "refused"

    with ThreadPoolExecutor(6) as pool:
        told = sorted(pool.map(attempt, people))

    assert told == [SessionStatus.PENDING] + ["refused"] * 5


def test_who_starts_at_a_point_waits_for_who_is_starting_there(
    database, box, desk, asha
):
    """Before a booking nothing is claimed, so no key decides between the two."""
    booking = booked(desk, after_hours=0.25)
    with database.transaction() as session:
        other = make.a_user(session).id
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            first = {"user_id": asha, "booking_id": booking.id, "now": NOON}
            ask_to_start(session, **first)
            second = pool.submit(box.ask, other)
            done, _ = wait([second], timeout=0.5)
        with pytest.raises((SessionUnderWay, NotYourTime)):
            second.result()

    assert not done


def test_somebody_elses_time_is_not_theirs(database, box, desk):
    booked(desk)
    with database.transaction() as session:
        other = make.a_user(session).id

    with pytest.raises(NotYourTime):
        box.ask(other)


def test_a_hold_must_be_paid_first(box, desk, asha):
    booking = booked(desk, paid=False)

    with pytest.raises(BookingNotActive):
        box.ask(asha, booking_id=booking.id)
    with pytest.raises(NotYourTime, match="Pay"):
        box.ask(asha)


def test_a_booking_is_started_a_quarter_of_an_hour_early_at_most(box, desk, asha):
    booking = booked(desk, after_hours=1)

    with pytest.raises(TooEarlyToStart):
        box.ask(asha, booking_id=booking.id, now=NOON + 44 * MINUTE)
    charge = box.ask(asha, booking_id=booking.id, now=NOON + 45 * MINUTE)
    assert charge.booking_id == booking.id


def test_not_early_while_the_time_before_is_somebody_elses(database, box, desk, asha):
    booking = booked(desk, after_hours=1)
    with database.transaction() as session:
        other = make.a_user(session).id
    desk.pay(desk.book(a_slot(after_hours=0), user_id=other))

    with pytest.raises(NotYourTime):
        box.ask(asha, booking_id=booking.id, now=NOON + 50 * MINUTE)


def test_a_booking_of_somebody_else_is_not_there(database, box, desk):
    booking = booked(desk)
    with database.transaction() as session:
        other = make.a_user(session).id

    with pytest.raises(BookingNotFound):
        box.ask(other, booking_id=booking.id)


def test_a_charger_that_is_away_cannot_be_asked(database, asha):
    with pytest.raises(ChargerNotConnected):
        a_box(database).ask(asha)


def test_a_place_out_of_service_starts_nothing(box, asha):
    with box.database.transaction() as session:
        session.get_one(Evse, box.evse_id).lifecycle = "inoperative"

    with pytest.raises(CannotStartHere):
        box.ask(asha)


def test_where_another_charges_nobody_starts(box, card, database):
    box.start(card)
    with database.transaction() as session:
        other = make.a_user(session).id

    with pytest.raises(SessionUnderWay):
        box.ask(other)


# ── answers ──────────────────────────────────────────────────────────────────────


def test_a_charger_that_says_no_ends_it_at_once(box, asha):
    charge = box.ask(asha)
    answer(box, CommandState.REJECTED)

    read = box.read(charge.id)
    assert read.status == SessionStatus.INVALID
    assert read.failure
    assert box.claims() == []


def test_a_charger_that_says_yes_is_waited_for(box, asha):
    charge = box.ask(asha)
    answer(box, CommandState.ACCEPTED, "Accepted")

    assert box.read(charge.id).status == SessionStatus.PENDING


def test_a_no_that_comes_after_the_start_changes_nothing(box, asha):
    charge = box.ask(asha)
    box.start(charge.reference)
    answer(box, CommandState.TIMED_OUT)

    assert box.read(charge.id).status == SessionStatus.ACTIVE


def test_a_no_to_whoever_plugged_in_before_is_told(box, asha):
    box.event(EventType.STARTED, meter=1000, charging_state="EVConnected")
    charge = box.ask(asha, now=NOON + MINUTE)
    answer(box, CommandState.REJECTED, at=NOON + MINUTE)

    assert box.read(charge.id).status == SessionStatus.ACTIVE
    assert kinds(box, charge)[-1] == SessionEventKind.FAILED


# ── stopping ─────────────────────────────────────────────────────────────────────


def test_stopping_asks_the_charger_once(box, asha):
    charge = box.ask(asha)
    started = box.start(charge.reference)
    for _ in range(3):
        stop(box, charge)

    assert [each.kind for each in box.commands()] == [
        CommandKind.START,
        CommandKind.STOP,
    ]
    assert box.commands()[1].arguments["number"] == started.number
    assert box.read(charge.id).status == SessionStatus.ACTIVE


def test_what_has_not_begun_is_called_off(box, asha):
    charge = box.ask(asha)
    stop(box, charge)

    assert box.read(charge.id).status == SessionStatus.INVALID
    assert box.claims() == []


def test_the_charger_that_was_asked_begins_after_all_and_is_told_to_stop(box, asha):
    charge = box.ask(asha)
    stop(box, charge)
    started = box.start(charge.reference)

    assert not started.is_allowed
    assert box.commands()[-1].kind == CommandKind.STOP


def test_what_has_ended_cannot_be_stopped(box, asha):
    charge = box.ask(asha)
    started = box.start(charge.reference)
    box.stop(started.number, at=LATER, meter=2000)

    with pytest.raises(SessionNotActive):
        stop(box, charge)


@pytest.mark.parametrize(("after", "is_possible"), [(MINUTE, True), (HOUR, False)])
def test_the_plug_is_let_go_while_it_charges_and_a_while_after(
    box, asha, after, is_possible
):
    charge = box.ask(asha)
    started = box.start(charge.reference)
    box.stop(started.number, at=LATER, meter=2000)

    def unlock(session):
        actor = Actor(ActorKind.DRIVER, asha)
        return ask_to_unlock(
            session, session_id=charge.id, actor=actor, now=LATER + after
        )

    if is_possible:
        box.database.perform(unlock)
        assert box.commands()[-1].arguments == {"evse": 1, "connector": 1}
    else:
        with pytest.raises(SessionNotActive):
            box.database.perform(unlock)


def test_commands_stay_with_their_session(box, asha):
    charge = box.ask(asha)

    with box.database.reading() as session:
        assert session.query(ChargerCommand).one().session_id == charge.id
