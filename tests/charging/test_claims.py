"""A walk-in takes time as it goes, and never anybody's."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select

from evcharge.bookings.models import SlotClaim
from evcharge.bookings.rules import SlotTaken, slot_no
from evcharge.charging.audit import discrepancies
from evcharge.charging.service.claims import roll_all_claims, roll_claims
from evcharge.charging.service.ending import finish, locked_session
from make import HOUR, MINUTE, NOON, a_slot

QUARTER = 15 * MINUTE


def roll(box, now):
    return box.database.perform(lambda session: roll_all_claims(session, now=now))


def owned(box):
    """The quarter hours since NOON that sessions have."""
    with box.database.reading() as session:
        numbers = session.scalars(
            select(SlotClaim.slot_no)
            .where(SlotClaim.session_id.is_not(None))
            .order_by(SlotClaim.slot_no)
        )
        return [number - slot_no(NOON) for number in numbers]


def audit(box):
    with box.database.reading() as session:
        return discrepancies(session)


def test_a_walk_in_takes_this_quarter_hour_and_the_next(box, card):
    box.start(card)

    assert owned(box) == [0, 1]
    assert audit(box) == []


def test_it_rolls_on_while_the_next_is_free(box, card, desk):
    box.start(card)
    desk.book(a_slot(after_hours=0.75), now=NOON)

    assert roll(box, NOON + 14 * MINUTE) == 0
    assert roll(box, NOON + QUARTER) == 1
    assert owned(box) == [0, 1, 2]
    assert roll(box, NOON + 2 * QUARTER) == 0
    assert owned(box) == [0, 1, 2]
    assert audit(box) == []


def test_nobody_can_book_what_a_walk_in_has_taken(box, card, desk):
    box.start(card)

    with pytest.raises(SlotTaken):
        desk.book(a_slot(after_hours=0.25), now=NOON)
    assert desk.book(a_slot(after_hours=0.5), now=NOON).status == "ACTIVE"


def test_its_time_is_free_again_when_it_ends(box, card, desk):
    number = box.start(card).number
    roll(box, NOON + QUARTER)

    box.stop(number, at=NOON + 20 * MINUTE, meter=5000)

    assert box.claims() == []
    assert roll(box, NOON + 20 * MINUTE) == 0
    assert audit(box) == []


def test_who_has_a_booking_takes_nothing_until_it_is_over(box, desk):
    booking = desk.book(a_slot(after_hours=0, hours=0.5), now=NOON)
    desk.pay(booking)
    box.start(booking.reference)

    assert roll(box, NOON + QUARTER) == 0
    assert roll(box, NOON + 2 * QUARTER) == 1
    assert owned(box) == [2, 3]


def test_who_comes_before_their_booking_takes_what_is_free(box, desk):
    booking = desk.book(a_slot(after_hours=0.25), now=NOON)
    desk.pay(booking)
    box.start(booking.reference)

    assert roll(box, NOON + MINUTE) == 1
    assert owned(box) == [0]
    assert desk.audit() == []


def test_what_was_charged_offline_long_ago_takes_nothing_now(box, card):
    box.start(card, at=NOON)
    box.start(
        card,
        at=NOON + MINUTE,
        charger_at=NOON - 60 * MINUTE,
        meter=500,
        is_offline=True,
    )
    before = box.claims()

    roll(box, NOON + MINUTE)

    assert box.claims() == before


def test_rolling_says_whether_this_quarter_hour_is_its_own(box, card, desk):
    box.start(card)
    (charge,) = box.sessions()
    desk.book(a_slot(after_hours=0.5), now=NOON)

    def try_to_roll(now):
        return box.database.perform(
            lambda session: roll_claims(session, charge, now=now)
        )

    assert try_to_roll(NOON + QUARTER)
    assert not try_to_roll(NOON + 2 * QUARTER)


def test_a_driver_who_books_while_a_walk_in_rolls_on(box, card, desk):
    """Exactly one of them has the next quarter hour, and everybody is told."""
    people = desk.drivers(4)
    for turn in range(6):
        at = NOON + 2 * turn * HOUR
        number = box.start(card, at=at, meter=1000 + turn).number
        charge = box.sessions()[-1]
        slot = a_slot(after_hours=2 * turn + 0.5, hours=0.25)

        def book(user_id, slot=slot, at=at):
            try:
                return str(desk.book(slot, user_id=user_id, now=at + QUARTER).status)
            except SlotTaken:
                return "SlotTaken"

        with ThreadPoolExecutor(6) as everyone:
            rolled = [everyone.submit(roll, box, at + QUARTER) for _ in range(2)]
            told = list(everyone.map(book, people))
            for each in rolled:
                each.result()

        has_rolled_on = box.claims().count(("session", charge.id)) == 3
        assert told.count("ACTIVE") + has_rolled_on == 1
        assert told.count("SlotTaken") + told.count("ACTIVE") == len(people)
        assert audit(box) == []
        box.stop(number, at=at + QUARTER, meter=5000)


def test_a_session_that_ends_while_it_rolls_on_leaves_no_claim(box, card):
    for turn in range(8):
        at = NOON + turn * 4 * QUARTER
        box.start(card, at=at, meter=1000 + turn)
        charge = box.sessions()[-1]

        def end(charge=charge, at=at):
            def act(session):
                locked = locked_session(session, charge.id)
                finish(session, locked, at=at + QUARTER, reason="", now=at + QUARTER)

            box.database.perform(act)

        with ThreadPoolExecutor(3) as everyone:
            jobs = [everyone.submit(roll, box, at + QUARTER) for _ in range(2)]
            jobs.append(everyone.submit(end))
            for job in jobs:
                job.result()

        assert box.claims() == []
        assert audit(box) == []


def test_the_audit_sees_claims_of_sessions_that_are_over(box, card):
    number = box.start(card).number
    (charge,) = box.sessions()
    box.stop(number, at=NOON + MINUTE, meter=5000)
    with box.database.transaction() as session:
        session.execute(delete(SlotClaim))
        session.add(
            SlotClaim(
                evse_id=box.evse_id, slot_no=1, kind="session", session_id=charge.id
            )
        )
        box_evse = box.evse()
        session.merge(box_evse).open_session_id = charge.id

    findings = audit(box)

    assert any("has no live session" in each for each in findings)
    assert any("shows a session that is not under way" in each for each in findings)
