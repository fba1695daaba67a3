"""Sessions that nobody begins, and sessions that nobody ends."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from evcharge.charging.jobs import give_up
from evcharge.charging.models import SessionEvent
from evcharge.charging.rules import Flag, SessionEventKind, SessionStatus
from evcharge.charging.service.lost import NO_PLUG, fail_overdue, heal_lost
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import CommandState
from evcharge.control.service import take_commands
from evcharge.stations.models import Charger, Connector
from evcharge.stations.rules import ReportedStatus
from make import HOUR, MINUTE, NOON, PRICE_PAISE, a_slot

SECOND = MINUTE / 60
LATE = NOON + MINUTE


def booked(desk):
    booking = desk.book(a_slot(after_hours=0), now=NOON)
    desk.pay(booking)
    return booking


def answered(box, state, word=""):
    with box.database.transaction() as session:
        session.query(ChargerCommand).update({"state": state, "answer": word})


def fail(box, now=LATE):
    return box.database.perform(lambda session: fail_overdue(session, now=now))


def failed_events(box):
    with box.database.reading() as session:
        return [
            event.details
            for event in session.scalars(
                select(SessionEvent).where(SessionEvent.kind == SessionEventKind.FAILED)
            )
        ]


# ── never begun ──────────────────────────────────────────────────────────────────


def test_a_start_has_a_minute_to_come(box, asha):
    charge = box.ask(asha)

    assert fail(box, LATE - SECOND) == 0

    assert box.read(charge.id).status == SessionStatus.PENDING


def test_who_does_not_plug_in_keeps_the_booking_and_is_told(box, desk, asha):
    booking = booked(desk)
    charge = box.ask(asha, booking_id=booking.id)
    answered(box, CommandState.ACCEPTED, "Accepted")

    assert fail(box) == 1

    after = box.read(charge.id)
    assert (after.status, after.failure) == (SessionStatus.INVALID, NO_PLUG)
    assert desk.read(booking.id).status == "ACTIVE"
    assert failed_events(box)[0]["is_chargers_fault"] is False
    assert box.ask(asha, booking_id=booking.id, now=LATE).id != charge.id


@pytest.mark.parametrize(
    ("state", "word", "failure"),
    [
        (CommandState.REJECTED, "Rejected", "Rejected"),
        (CommandState.TIMED_OUT, "", "The charger did not answer."),
        (CommandState.QUEUED, "", "The charger did not answer."),
        (CommandState.SENT, "", "The charger did not answer."),
    ],
)
def test_a_charger_that_does_not_start_costs_nobody_anything(
    box, desk, asha, state, word, failure
):
    booking = booked(desk)
    charge = box.ask(asha, booking_id=booking.id)
    answered(box, state, word)

    fail(box)

    ended = desk.read(booking.id)
    assert box.read(charge.id).failure == failure
    assert (ended.status, ended.paid_paise) == ("CANCELLED", 0)
    assert desk.history(ended)[-1] == "cancelled"
    (told,) = failed_events(box)
    assert (told["is_chargers_fault"], told["refund_paise"]) == (True, PRICE_PAISE)
    assert desk.audit() == []


def test_a_charger_that_accepts_and_breaks_is_to_blame(box, desk, asha):
    booking = booked(desk)
    box.ask(asha, booking_id=booking.id)
    answered(box, CommandState.ACCEPTED, "Accepted")
    with box.database.transaction() as session:
        session.query(Connector).update({"reported_status": ReportedStatus.FAULTED})

    fail(box)

    assert desk.read(booking.id).paid_paise == 0


def test_who_has_charged_already_is_not_paid_back(box, desk, asha):
    booking = booked(desk)
    number = box.start(booking.reference).number
    box.stop(number, at=NOON + SECOND, meter=1000)  # A plug that slipped.
    assert desk.read(booking.id).status == "ACTIVE"
    assert box.ask(asha, now=NOON).booking_id == booking.id
    answered(box, CommandState.REJECTED)

    assert fail(box) == 1

    assert desk.read(booking.id).paid_paise == PRICE_PAISE


def test_a_walk_in_that_fails_gives_its_time_back(box, asha):
    charge = box.ask(asha)
    assert box.claims() != []

    fail(box)

    assert box.claims() == []
    assert failed_events(box)[0]["refund_paise"] is None
    assert box.read(charge.id).status == SessionStatus.INVALID


def test_a_start_that_comes_at_the_last_moment_wins_or_loses_but_is_kept(
    box, desk, asha
):
    """The sweep and the start at once: a session is under way, whoever was first."""
    booking = booked(desk)
    box.ask(asha, booking_id=booking.id)
    answered(box, CommandState.ACCEPTED, "Accepted")

    with ThreadPoolExecutor(3) as everyone:
        jobs = [everyone.submit(fail, box) for _ in range(2)]
        jobs.append(everyone.submit(box.start, booking.reference, at=LATE))
        for job in jobs:
            job.result()

    active = [each for each in box.sessions() if each.status == SessionStatus.ACTIVE]
    assert [each.booking_id for each in active] == [booking.id]
    assert desk.read(booking.id).session_started_at == LATE


def test_of_two_sweeps_at_once_one_pays_back(box, desk, asha):
    booking = booked(desk)
    box.ask(asha, booking_id=booking.id)

    with ThreadPoolExecutor(4) as everyone:
        counts = list(everyone.map(lambda _: fail(box), range(4)))

    assert sum(counts) == 1
    assert desk.history(booking).count("cancelled") == 1
    assert len(failed_events(box)) == 1
    assert desk.audit() == []


def test_a_command_nobody_answers_ends_what_waited_for_it(box, desk, asha):
    booking = booked(desk)
    charge = box.ask(asha, booking_id=booking.id)
    with box.database.transaction() as session:
        take_commands(session, gateway="g", now=NOON)

    give_up(box.database)  # NOON is long ago by now.

    assert box.commands()[0].state == CommandState.TIMED_OUT
    assert box.read(charge.id).status == SessionStatus.INVALID
    assert desk.read(booking.id).paid_paise == 0


# ── never ended ──────────────────────────────────────────────────────────────────


def reported(box, status, at):
    with box.database.transaction() as session:
        session.query(Connector).update({"reported_status": status, "reported_at": at})


def seen(box, at):
    with box.database.transaction() as session:
        session.query(Charger).update({"last_seen_at": at})


def heal(box, now):
    return box.database.perform(lambda session: heal_lost(session, now=now))


def test_a_plug_that_is_free_again_ends_what_was_never_stopped(box, card):
    number = box.start(card).number
    box.meter(number, 9000, at=NOON + 10 * MINUTE)
    back = NOON + 12 * MINUTE
    seen(box, back)
    reported(box, ReportedStatus.AVAILABLE, back)

    assert heal(box, back + MINUTE) == 0  # Its stop may still be on its way.
    assert heal(box, back + MINUTE + SECOND) == 1

    (charge,) = box.sessions()
    assert (charge.status, charge.ended_at) == (SessionStatus.COMPLETED, back)
    assert {Flag.STOP_MISSING, Flag.METER_ESTIMATED} <= set(charge.flags)
    assert (charge.energy_wh, charge.amount_paise) == (8000, 0)
    assert box.evse().open_session_id is None
    assert box.claims() == []


@pytest.mark.parametrize(
    ("status", "after_minutes"),
    [
        (ReportedStatus.AVAILABLE, 10.5),  # Just before the last value came.
        (ReportedStatus.AVAILABLE, -5),  # It never said that it charges.
        (ReportedStatus.SUSPENDED_EV, 12),
        (ReportedStatus.FINISHING, 12),
        (None, 12),
    ],
)
def test_what_may_still_charge_goes_on(box, card, status, after_minutes):
    number = box.start(card).number
    box.meter(number, 9000, at=NOON + 10 * MINUTE)
    seen(box, NOON + HOUR)
    reported(box, status, NOON + after_minutes * MINUTE)

    assert heal(box, NOON + HOUR) == 0


def test_a_charger_unheard_of_for_six_hours_has_nobody_charging(box, card):
    number = box.start(card).number
    box.meter(number, 9000, at=NOON + 10 * MINUTE)
    seen(box, NOON + 11 * MINUTE)

    assert heal(box, NOON + 6 * HOUR + 11 * MINUTE) == 0
    assert heal(box, NOON + 6 * HOUR + 11 * MINUTE + SECOND) == 1

    (charge,) = box.sessions()
    assert charge.ended_at == NOON + 10 * MINUTE
    assert charge.energy_wh == 8000


def test_the_true_stop_may_come_days_later(box, card):
    number = box.start(card).number
    seen(box, NOON)
    heal(box, NOON + 7 * HOUR)

    box.stop(number, at=NOON + 48 * HOUR, meter=21_000, charger_at=NOON + 2 * HOUR)

    (charge,) = box.sessions()
    assert charge.ended_at == NOON + 2 * HOUR
    assert charge.energy_wh == 20_000
    assert Flag.STOP_MISSING not in charge.flags
    assert charge.amount_paise > 0


def test_a_booking_whose_session_was_healed_is_done(box, desk):
    booking = booked(desk)
    number = box.start(booking.reference).number
    box.meter(number, 9000, at=NOON + 10 * MINUTE)
    seen(box, NOON)

    heal(box, NOON + 7 * HOUR)

    assert desk.read(booking.id).status == "COMPLETED"
    assert desk.audit() == []


def test_of_a_healing_and_a_stop_at_once_the_meter_is_right(box, card):
    for turn in range(5):
        at = NOON + 10 * turn * HOUR
        number = box.start(card, at=at, meter=1000).number
        seen(box, at)
        now = at + 7 * HOUR
        with ThreadPoolExecutor(3) as everyone:
            jobs = [everyone.submit(heal, box, now) for _ in range(2)]
            jobs.append(everyone.submit(box.stop, number, at=now, meter=5000))
            for job in jobs:
                job.result()

        charge = box.sessions()[-1]
        assert (charge.status, charge.energy_wh) == (SessionStatus.COMPLETED, 4000)
        assert Flag.STOP_MISSING not in charge.flags
