"""What becomes of what chargers of OCPP 1.6 report, whatever order it comes in."""

from concurrent.futures import ThreadPoolExecutor

import pytest

import make
from box import a_box
from evcharge.accounts.models import RfidTag
from evcharge.bookings.rules import BookingStatus
from evcharge.charging.rules import Flag, Reading, SessionStatus, StartedBy
from evcharge.charging.service import authorize
from evcharge.control.rules import CommandKind
from evcharge.stations.rules import EvseNotFound
from make import HOUR, MINUTE, NOON, a_slot

LATER = NOON + 30 * MINUTE
HERE = {"after_hours": 0}


def booked(desk, **options):
    booking = desk.book(a_slot(**HERE), now=NOON, **options)
    desk.pay(booking)
    return booking


def test_a_card_we_know_charges_and_the_meter_decides_what_it_took(box, card, asha):
    started = box.start(card)
    box.stop(started.number, at=LATER, meter=13_400, tag=card, reason="Local")

    charge = box.read(started.session_id)
    assert started.is_allowed
    assert charge.status == SessionStatus.COMPLETED
    assert (charge.user_id, charge.started_by) == (asha, StartedBy.CARD)
    assert charge.energy_wh == 12_400
    assert (charge.started_at, charge.ended_at) == (NOON, LATER)
    assert charge.amount_paise == make.PRICE_PAISE
    assert charge.stop_reason == "Local"
    assert charge.flags == []


def test_an_open_session_is_known_by_its_evse_until_it_ends(box, card):
    started = box.start(card)
    assert box.evse().open_session_id == started.session_id

    box.stop(started.number, at=LATER, meter=2000)
    assert box.evse().open_session_id is None
    assert box.claims() == []


def test_the_same_start_again_is_the_same_transaction(box, card):
    first, second = box.start(card), box.start(card, at=NOON + MINUTE, charger_at=NOON)

    assert first == second
    assert len(box.sessions()) == 1


def test_the_same_start_after_its_end_is_another_transaction(box, card):
    """A charger without a clock says the same of every charge, and means it."""
    first = box.start(card, charger_at=None, meter=0)
    box.stop(first.number, at=LATER, meter=0, charger_at=None)
    second = box.start(card, charger_at=None, meter=0, at=LATER)

    assert first.number != second.number
    assert len(box.sessions()) == 2


def test_a_number_is_never_given_twice(box, card, database):
    numbers = []
    for hour in range(3):
        at = NOON + hour * HOUR
        started = box.start(card, at=at, meter=hour)
        box.stop(started.number, at=at + MINUTE, meter=hour)
        numbers.append(started.number)

    assert len(set(numbers)) == 3


def test_two_plugs_of_a_charger_never_mix_two_drivers(database, card):
    """The same second, the same meter, the same tag: two EVSEs are two sessions."""
    one = a_box(database, identity="CP-2").connect()
    with database.transaction() as session:
        from evcharge.stations.models import Connector, Evse

        plug = Connector(number=1, kind="ccs2", power_w=60_000)
        evse = Evse(
            charger_id=one.charger_id,
            number=2,
            booking_price_paise=0,
            connectors=[plug],
        )
        session.add(evse)
    first = one.start(card)
    one.number = 2
    second = one.start(card)

    assert first.number != second.number
    assert first.session_id != second.session_id


def test_a_start_that_races_itself_begins_once(box, card):
    with ThreadPoolExecutor(6) as pool:
        answers = set(pool.map(lambda _: box.start(card), range(6)))

    assert len(answers) == 1
    assert len(box.sessions()) == 1


def test_an_unknown_evse_is_refused(box):
    box.number = 9
    with pytest.raises(EvseNotFound):
        box.start("X")


# ── who may ──────────────────────────────────────────────────────────────────────


def test_an_unknown_tag_is_kept_told_no_and_asked_to_stop(box):
    started = box.start("NOBODY")

    assert not started.is_allowed
    assert box.read(started.session_id).flags == [Flag.UNKNOWN_TAG]
    (stop,) = box.commands()
    assert stop.kind == CommandKind.STOP
    assert stop.arguments == {"number": started.number, "ref": None}


def test_a_blocked_card_is_as_good_as_none(box, card, database):
    with database.transaction() as session:
        session.get_one(RfidTag, "04A1B2").is_blocked = True

    assert not box.start(card).is_allowed


def test_a_booking_is_used_by_its_reference(box, desk):
    booking = booked(desk)
    started = box.start(booking.reference.lower())

    charge = box.read(started.session_id)
    assert started.is_allowed
    assert (charge.booking_id, charge.user_id) == (booking.id, booking.user_id)
    assert charge.price_paise_per_hour == 0
    assert desk.read(booking.id).session_started_at == NOON


def test_a_booking_is_used_by_the_card_of_whoever_booked(box, desk, card):
    booking = booked(desk)

    assert box.read(box.start(card).session_id).booking_id == booking.id


def test_when_the_session_of_a_booking_ends_the_booking_is_done(box, desk):
    booking = booked(desk)
    started = box.start(booking.reference)
    box.stop(started.number, at=LATER, meter=9000)

    assert desk.read(booking.id).status == BookingStatus.COMPLETED
    assert box.read(started.session_id).amount_paise == 0
    assert box.claims() == []
    assert desk.audit() == []


def test_somebody_elses_slot_is_refused(box, desk, database):
    booked(desk)
    with database.transaction() as session:
        other = make.a_user(session).id
        session.add(RfidTag(uid="OTHER", user_id=other, created_at=NOON))

    started = box.start("other")

    assert not started.is_allowed
    assert box.read(started.session_id).flags == [Flag.FOREIGN_SLOT]
    assert box.read(started.session_id).booking_id is None
    assert [each.kind for each in box.commands()] == [CommandKind.STOP]


def test_a_reference_is_good_at_its_own_charger_only(database, desk):
    """Else whoever runs a charger could find references of others out by guessing."""
    booking = booked(desk)
    elsewhere = a_box(database).connect()

    started = elsewhere.start(booking.reference)

    assert not started.is_allowed
    assert elsewhere.read(started.session_id).user_id is None
    with database.reading() as session:
        assert not authorize(session, elsewhere.charger_id, booking.reference, now=NOON)


def test_a_booking_that_is_not_paid_opens_nothing(box, desk):
    booking = desk.book(a_slot(**HERE), now=NOON)

    assert not box.start(booking.reference).is_allowed


def test_a_walk_in_claims_this_quarter_hour_and_the_next(box, card):
    started = box.start(card)

    assert box.claims() == [("session", started.session_id)] * 2


# ── what goes wrong on the way ───────────────────────────────────────────────────


def test_a_start_from_an_offline_queue_keeps_the_chargers_time(box, card):
    started = box.start(card, at=NOON, charger_at=NOON - 3 * HOUR)
    box.stop(started.number, at=NOON, charger_at=NOON - 2 * HOUR, meter=5000)

    charge = box.read(started.session_id)
    assert (charge.started_at, charge.ended_at) == (NOON - 3 * HOUR, NOON - 2 * HOUR)
    assert Flag.OFFLINE in charge.flags
    assert charge.energy_wh == 4000


def test_an_offline_charge_of_an_unknown_tag_is_kept_and_not_stopped(box):
    started = box.start("NOBODY", charger_at=NOON - 3 * HOUR)

    assert set(box.read(started.session_id).flags) == {Flag.OFFLINE, Flag.UNKNOWN_TAG}
    assert box.commands() == []


def test_an_old_start_does_not_end_what_goes_on_now(box, card):
    now = box.start(card)
    old = box.start(card, at=NOON + MINUTE, charger_at=NOON - 5 * HOUR, meter=10)
    box.stop(old.number, at=NOON + MINUTE, charger_at=NOON - 4 * HOUR, meter=900)

    assert box.read(now.session_id).status == SessionStatus.ACTIVE
    assert box.evse().open_session_id == now.session_id
    assert box.read(old.session_id).energy_wh == 890


def test_a_stop_whose_answer_was_lost_changes_nothing(box, card):
    started = box.start(card)
    for minutes in (0, 5):
        at = LATER + minutes * MINUTE
        box.stop(started.number, at=at, charger_at=LATER, meter=3000)

    charge = box.read(started.session_id)
    assert (charge.ended_at, charge.energy_wh) == (LATER, 2000)


def test_a_missed_stop_is_healed_by_the_next_start_and_flagged(box, card):
    first = box.start(card)
    box.meter(first.number, 4000, at=NOON + 20 * MINUTE)
    second = box.start("other", at=NOON + 40 * MINUTE, meter=5000)

    charge = box.read(first.session_id)
    assert charge.status == SessionStatus.COMPLETED
    assert Flag.STOP_MISSING in charge.flags
    assert charge.energy_wh == 3000
    assert box.evse().open_session_id == second.session_id


def test_the_true_stop_of_what_was_healed_still_counts(box, card):
    first = box.start(card)
    box.start("other", at=NOON + 40 * MINUTE, meter=5000)
    box.stop(
        first.number, at=NOON + 50 * MINUTE, charger_at=NOON + 39 * MINUTE, meter=4900
    )

    charge = box.read(first.session_id)
    assert charge.energy_wh == 3900
    assert Flag.STOP_MISSING not in charge.flags
    assert Flag.LATE in charge.flags


@pytest.mark.parametrize("number", [-1, 0, 999_999])
def test_a_stop_of_nothing_we_know_is_kept_once_and_answered(box, number):
    for _ in range(2):
        assert box.stop(number, at=LATER, meter=3000)

    assert [each.number for each in box.unmatched()] == [number]


@pytest.mark.parametrize("number", [-1, 0])
def test_a_stop_without_its_number_ends_the_one_it_can_be_of(box, card, number):
    """Its charger never got the answer to its start."""
    started = box.start(card)
    box.stop(number, at=LATER, meter=3000, tag=card)

    assert box.read(started.session_id).energy_wh == 2000


def test_a_number_of_another_charger_ends_nothing(database, box, card):
    other = a_box(database).connect()
    started = box.start(card)
    other.stop(started.number, at=LATER, meter=3000)

    assert box.read(started.session_id).status == SessionStatus.ACTIVE
    assert [each.charger_id for each in other.unmatched()] == [other.charger_id]


def test_a_stop_that_came_before_its_start_is_matched_when_that_comes(box, card):
    box.stop(-1, at=NOON, charger_at=NOON - HOUR, meter=3000, tag=card)
    started = box.start(card, at=NOON, charger_at=NOON - 2 * HOUR)

    charge = box.read(started.session_id)
    assert charge.status == SessionStatus.COMPLETED
    assert charge.energy_wh == 2000
    assert Flag.MATCHED_LATER in charge.flags
    assert box.unmatched()[0].session_id == charge.id


def test_a_stop_without_a_meter_is_flagged(box, card):
    started = box.start(card)
    box.meter(started.number, 1600, at=NOON + MINUTE)
    box.stop(started.number, at=LATER, meter=None)

    charge = box.read(started.session_id)
    assert charge.energy_wh == 600
    assert Flag.METER_MISSING in charge.flags


def test_a_stop_lower_than_its_start_gives_nothing_back(box, card):
    started = box.start(card)
    box.stop(started.number, at=LATER, meter=10)

    charge = box.read(started.session_id)
    assert charge.energy_wh == 0
    assert Flag.METER_DECREASED in charge.flags


def test_a_register_beyond_32_bits_is_only_a_number(box, card):
    started = box.start(card, meter=5_000_000_000)
    box.meter(started.number, 5_000_000_100, at=NOON + MINUTE)
    box.stop(started.number, at=LATER, meter=5_000_000_300)

    assert box.read(started.session_id).energy_wh == 300


# ── meter values ─────────────────────────────────────────────────────────────────


def test_meter_values_move_the_session_and_its_latest_row(box, card):
    started = box.start(card)
    box.meter(started.number, 1500, 2000, at=LATER, power_w=7000, soc_percent=40)
    box.meter(started.number, 2500, at=LATER + MINUTE)

    charge = box.read(started.session_id)
    assert charge.energy_wh == 1500
    assert (charge.latest.power_w, charge.latest.soc_percent) == (7000, 40)
    assert charge.latest.at == LATER + MINUTE


def test_meter_values_of_no_transaction_go_to_what_charges_there(box, card):
    started = box.start(card)
    box.meter(None, 1700, at=LATER)

    assert box.read(started.session_id).energy_wh == 700


def test_meter_values_of_what_nobody_knows_hurt_nobody(box):
    box.meter(4711, 1700, at=LATER)
    box.meter(None, 1700, at=LATER)

    assert box.sessions() == []


def test_the_readings_of_a_stop_are_kept(box, card):
    started = box.start(card)
    readings = (Reading(energy_wh=1500, power_w=50_000), Reading(energy_wh=2900))
    box.stop(started.number, at=LATER, meter=3000, readings=readings)

    assert box.read(started.session_id).latest.power_w == 50_000
