"""What becomes of TransactionEvents of OCPP 2.0.1, in any order and number."""

import random

import pytest

import make
from evcharge.accounts.models import RfidTag
from evcharge.charging.rules import EventType, Flag, SessionStatus, StartedBy
from evcharge.control.rules import CommandKind
from evcharge.stations.models import Connector
from evcharge.stations.rules import ReportedStatus
from make import MINUTE, NOON, a_slot

STARTED, UPDATED, ENDED = EventType.STARTED, EventType.UPDATED, EventType.ENDED
LATER = NOON + 30 * MINUTE


def only(box):
    (charge,) = box.sessions()
    return box.read(charge.id)


def plug(box):
    with box.database.reading() as session:
        return session.query(Connector).one().reported_status


def test_a_transaction_from_its_first_event_to_its_last(box, card, asha):
    assert box.event(STARTED, meter=1000, tag=card) is True
    assert box.event(UPDATED, meter=1600, at=NOON + MINUTE) is None
    box.event(ENDED, meter=3000, at=LATER, reason="EVDisconnected")

    charge = only(box)
    assert charge.status == SessionStatus.COMPLETED
    assert (charge.user_id, charge.energy_wh) == (asha, 2000)
    assert charge.stop_reason == "EVDisconnected"
    assert charge.flags == []


def test_an_event_that_comes_twice_counts_once(box, card):
    for _ in range(2):
        assert box.event(STARTED, meter=1000, tag=card, seq_no=0) is True
        box.event(UPDATED, meter=1600, seq_no=1)

    assert only(box).energy_wh == 600


def test_events_in_any_order_make_the_same_session(box, card):
    said = [
        (0, STARTED, 1000, card),
        (1, UPDATED, 1600, None),
        (2, UPDATED, 2500, None),
        (3, ENDED, 3000, None),
    ]
    rng = random.Random(4)  # noqa: S311
    for number in range(6):
        rng.shuffle(said)
        for seq_no, type_, meter, tag in said:
            at = NOON + (60 * number + seq_no) * MINUTE
            box.event(type_, f"tx-{number}", seq_no=seq_no, meter=meter, tag=tag, at=at)

    for charge in box.sessions():
        assert charge.status == SessionStatus.COMPLETED
        assert Flag.START_MISSING not in charge.flags
        assert Flag.SEQUENCE_GAP not in charge.flags
        assert charge.energy_wh == 2000


def test_missing_events_are_flagged_until_they_come(box, card):
    box.event(STARTED, seq_no=0, meter=1000, tag=card)
    box.event(ENDED, seq_no=2, meter=3000, at=LATER)
    assert only(box).flags == [Flag.SEQUENCE_GAP]

    box.event(UPDATED, seq_no=1, meter=2000, at=LATER)
    assert only(box).flags == []


def test_a_plug_that_says_not_who_it_is_may_wait_for_a_card(box, card, asha):
    box.event(STARTED, meter=1000, charging_state="EVConnected")
    assert only(box).started_by == StartedBy.UNKNOWN
    assert box.commands() == []

    assert box.event(UPDATED, tag=card, at=NOON + MINUTE) is True
    assert (only(box).user_id, only(box).started_by) == (asha, StartedBy.CARD)


def test_a_card_nobody_knows_is_told_no_and_asked_to_stop(box):
    box.event(STARTED, meter=1000)

    assert box.event(UPDATED, tag="NOBODY", at=NOON + MINUTE) is False
    assert only(box).flags == [Flag.UNKNOWN_TAG]
    (stop,) = box.commands()
    assert stop.kind == CommandKind.STOP
    assert stop.arguments["ref"] == "tx-1"


def test_plugged_in_first_and_started_from_the_phone_is_one_session(box, asha):
    box.event(STARTED, meter=1000, charging_state="EVConnected")
    charge = box.ask(asha, now=NOON + MINUTE)
    tag = box.commands()[0].arguments["tag"]
    assert box.event(UPDATED, tag=tag, at=NOON + 2 * MINUTE) is True

    assert only(box).id == charge.id
    assert only(box).user_id == asha


def test_started_from_the_phone_and_then_plugged_in_is_one_session(box, asha):
    charge = box.ask(asha)
    tag = box.commands()[0].arguments["tag"]
    assert box.event(STARTED, tag=tag, meter=1000, at=NOON + MINUTE) is True

    assert only(box).id == charge.id
    assert only(box).status == SessionStatus.ACTIVE


def test_who_comes_into_somebody_elses_slot_is_told_when_known(box, desk, database):
    booking = desk.book(a_slot(after_hours=0), now=NOON)
    desk.pay(booking)
    with database.transaction() as session:
        other = make.a_user(session).id
        session.add(RfidTag(uid="OTHER", user_id=other, created_at=NOON))
    box.event(STARTED, meter=0)

    assert box.event(UPDATED, tag="OTHER") is False
    assert only(box).flags == [Flag.FOREIGN_SLOT]


@pytest.mark.parametrize(
    ("state", "reported"),
    [
        ("Charging", ReportedStatus.CHARGING),
        ("SuspendedEV", ReportedStatus.SUSPENDED_EV),
        ("SuspendedEVSE", ReportedStatus.SUSPENDED_EVSE),
        ("EVConnected", ReportedStatus.PREPARING),
        ("Idle", ReportedStatus.FINISHING),
    ],
)
def test_what_the_vehicle_does_is_the_status_of_its_plug(box, card, state, reported):
    box.event(STARTED, tag=card, charging_state=state)

    assert plug(box) == reported


def test_after_the_end_the_plug_is_occupied_until_it_is_free(box, card):
    box.event(STARTED, tag=card, charging_state="Charging")
    box.event(ENDED, at=LATER, charging_state="Charging")

    assert plug(box) == ReportedStatus.FINISHING
    assert box.evse().open_session_id is None


def test_what_was_kept_offline_says_nothing_of_now(box, card):
    box.event(STARTED, tag=card, charging_state="Charging", is_offline=True)

    assert plug(box) == ReportedStatus.AVAILABLE
    assert Flag.OFFLINE in only(box).flags
