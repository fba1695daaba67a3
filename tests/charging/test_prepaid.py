"""Charging without an account: the money comes first, and never stays for nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

import make
from box import a_box
from evcharge.bookings.rules import Actor, ActorKind
from evcharge.charging.listing import SessionFilter, count_sessions_matching
from evcharge.charging.queries import under_way
from evcharge.charging.rules import (
    BadAdvance,
    EventType,
    NotYourTime,
    SessionStatus,
    SessionUnderWay,
    StartedBy,
    TooManyPaying,
)
from evcharge.charging.service import ask_to_stop, authorize, prepaid
from evcharge.charging.service.asking import on_answered
from evcharge.charging.service.lost import fail_overdue
from evcharge.charging.service.prepaid import drop_unpaid
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import ChargerNotConnected, CommandKind, CommandState
from evcharge.finance.audit import money
from evcharge.payments.rules import NothingToPay
from evcharge.stations.models import Evse
from evcharge.stations.rules import Lifecycle
from guests import RS_200, Guest
from make import HOUR, MINUTE, NOON, a_slot

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def all_is_well_in_the_end(database):
    yield
    with database.reading() as session:
        assert money(session, now=NOON + timedelta(days=2)) == []


def answer(box, state: CommandState, said: str = "", *, now=NOON) -> None:
    """The charger answers the last thing it was asked."""

    def act(session):
        command = session.get(ChargerCommand, box.commands()[-1].id)
        command.state, command.answer = state, said
        session.flush()
        on_answered(session, command, now)

    box.database.perform(act)


def sweep(box, act, *, now) -> int:
    return box.database.perform(lambda session: act(session, now=now))


# ── before the money ─────────────────────────────────────────────────────────────


def test_choosing_an_amount_holds_nothing_and_asks_no_charger(guest, box):
    charge = guest.choose()

    assert (charge.status, charge.prepaid_paise) == (SessionStatus.UNPAID, RS_200)
    assert box.claims() == []
    assert box.commands() == []


def test_an_unpaid_session_is_no_obstacle_for_others(guest, box, asha):
    guest.choose()

    assert box.ask(asha).status == SessionStatus.PENDING


def test_an_unpaid_session_is_in_nobodys_list(guest, database):
    guest.choose()

    with database.reading() as session:
        assert count_sessions_matching(session, SessionFilter(None)) == 0


def test_the_same_form_twice_is_one_session_with_the_last_amount(guest, box):
    first, second = guest.choose(15_000), guest.choose(50_000)

    assert first.id == second.id
    assert guest.charge.prepaid_paise == 50_000
    assert len(box.sessions()) == 1


@pytest.mark.parametrize("paise", [-100, 0, 1, 11_999, 500_001, 10**9])
def test_an_amount_out_of_range_is_refused(guest, box, paise):
    with pytest.raises(BadAdvance, match=r"₹120\.00 to ₹5,000\.00"):
        guest.choose(paise)
    assert box.sessions() == []


def test_three_may_pay_for_one_point_at_once(box):
    for _ in range(3):
        Guest(box).choose()

    with pytest.raises(TooManyPaying):
        Guest(box).choose()


def test_who_does_not_pay_for_minutes_stands_in_nobodys_way(box):
    for _ in range(3):
        Guest(box).choose()

    assert Guest(box).choose(now=NOON + 5 * MINUTE).status == SessionStatus.UNPAID


def test_a_charger_that_is_offline_asks_for_no_money(database):
    with pytest.raises(ChargerNotConnected):
        Guest(a_box(database)).choose()


def test_where_somebody_charges_nobody_pays(guest, box, asha):
    box.start(box.ask(asha).tag)

    with pytest.raises(SessionUnderWay):
        guest.choose()


@pytest.mark.parametrize("minutes", [-10, 0, 4])
def test_shortly_before_somebodys_booking_nobody_pays(guest, desk, minutes):
    booking = desk.book(a_slot(after_hours=1))
    desk.pay(booking)

    with pytest.raises(NotYourTime):
        guest.choose(now=booking.starts_at - minutes * MINUTE)


def test_ten_minutes_before_a_booking_one_may_still_charge(guest, desk):
    booking = desk.book(a_slot(after_hours=1))
    desk.pay(booking)

    charge = guest.choose(now=booking.starts_at - 10 * MINUTE)

    assert charge.status == SessionStatus.UNPAID


# ── the money ────────────────────────────────────────────────────────────────────


def test_the_money_asks_the_charger_to_start(guest, box):
    charge = guest.pay()

    [command] = box.commands()
    assert charge.status == SessionStatus.PENDING
    assert (command.kind, command.session_id) == (CommandKind.START, charge.id)
    assert command.arguments["tag"] == charge.reference
    assert box.claims() == [("session", charge.id)] * 2


def test_who_paid_charges_and_pays_for_what_they_used(guest, box, at_20_a_kwh):
    charge = guest.pay()
    number = box.start(charge.reference, meter=1_000).number
    box.stop(number, at=NOON + HOUR, meter=6_000)

    bill = guest.settle(now=NOON + HOUR)

    assert (bill.total_paise, bill.guest_id) == (11_800, guest.id)
    assert guest.refunds == [(8_200, "You paid more than you used")]
    assert guest.charge.started_by == StartedBy.APP


def test_without_a_tariff_started_hours_are_paid(guest, box):
    charge = guest.pay()
    number = box.start(charge.reference).number
    box.stop(number, at=NOON + 30 * MINUTE, meter=6_000)

    bill = guest.settle(now=NOON + HOUR)

    assert bill.total_paise == 12_000
    assert guest.refunds == [(8_000, "You paid more than you used")]


def test_of_two_guests_who_pay_for_one_point_the_first_charges(box):
    first, second = Guest(box), Guest(box)
    first.choose(), second.choose()
    paid_first, paid_second = first.go_to_pay(), second.go_to_pay()

    second.capture(paid_second)
    first.capture(paid_first)

    assert second.charge.status == SessionStatus.PENDING
    assert first.charge.status == SessionStatus.INVALID
    assert first.refunds == [(RS_200, SessionUnderWay.message)]
    assert len(box.commands()) == 1


def test_of_guests_who_pay_at_the_same_moment_exactly_one_charges(box):
    guests = [Guest(box) for _ in range(3)]
    refs = [(guest.choose(), guest.go_to_pay())[1] for guest in guests]

    with ThreadPoolExecutor(3) as payers:
        list(
            payers.map(
                lambda pair: pair[0].capture(pair[1]), zip(guests, refs, strict=True)
            )
        )

    statuses = sorted(guest.charge.status for guest in guests)
    assert statuses == ["INVALID", "INVALID", "PENDING"]
    assert sum(len(guest.refunds) for guest in guests) == 2


def test_what_is_paid_twice_goes_back_once(guest):
    guest.choose(12_000)
    first = guest.go_to_pay()
    guest.choose(RS_200)
    second = guest.go_to_pay()

    guest.capture(second)
    guest.capture(first, 12_000)
    guest.capture(first, 12_000)

    assert guest.charge.prepaid_paise == RS_200
    assert guest.refunds == [(12_000, "Paid twice")]


def test_paid_too_late_goes_back(guest, box):
    guest.choose()
    ref = guest.go_to_pay()
    later = NOON + 21 * MINUTE
    assert sweep(box, drop_unpaid, now=later) == 1

    guest.capture(ref, now=later)

    assert guest.charge.status == SessionStatus.INVALID
    assert guest.refunds == [(RS_200, "Paid after the time to pay was over")]


def test_who_may_still_pay_is_not_dropped(guest, box):
    guest.choose()
    guest.go_to_pay(now=NOON + 10 * MINUTE)

    assert sweep(box, drop_unpaid, now=NOON + 21 * MINUTE) == 0
    assert sweep(box, drop_unpaid, now=NOON + 31 * MINUTE) == 1


def test_what_was_given_up_asks_for_no_money(guest, box):
    guest.choose()
    sweep(box, drop_unpaid, now=NOON + 21 * MINUTE)

    with pytest.raises(NothingToPay):
        guest.go_to_pay(now=NOON + 21 * MINUTE)


def test_money_for_a_point_that_was_booked_meanwhile_goes_back(guest, desk):
    guest.choose()
    ref = guest.go_to_pay()
    desk.pay(desk.book(a_slot(after_hours=0)))

    guest.capture(ref)

    assert guest.refunds == [(RS_200, NotYourTime.message)]
    assert guest.charge.status == SessionStatus.INVALID


def test_money_for_a_point_that_was_closed_meanwhile_goes_back(guest, box):
    guest.choose()
    ref = guest.go_to_pay()
    with box.database.transaction() as session:
        session.get_one(Evse, box.evse_id).lifecycle = Lifecycle.INOPERATIVE

    guest.capture(ref)

    assert [paise for paise, _ in guest.refunds] == [RS_200]


def test_if_asking_the_charger_fails_the_money_is_not_in_either(guest, monkeypatch):
    guest.choose()
    ref = guest.go_to_pay()

    with monkeypatch.context() as broken:
        broken.setattr(prepaid, "send_start", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            guest.capture(ref)

    assert guest.charge.status == SessionStatus.UNPAID
    guest.capture(ref)  # The provider says it again, or is asked.
    assert guest.charge.status == SessionStatus.PENDING


# ── it does not begin ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("state", [CommandState.REJECTED, CommandState.TIMED_OUT])
def test_a_charger_that_says_no_costs_nothing(guest, box, state):
    guest.pay()

    answer(box, state, "It is broken.")
    guest.settle()
    guest.settle()

    assert guest.charge.status == SessionStatus.INVALID
    assert guest.refunds == [(RS_200, "It is broken.")]
    assert box.claims() == []


def test_who_pays_has_minutes_to_plug_in(guest, box):
    guest.pay()
    answer(box, CommandState.ACCEPTED)

    sweep(box, fail_overdue, now=NOON + 61 * SECOND)
    sweep(box, fail_overdue, now=NOON + 70 * SECOND)

    assert guest.charge.status == SessionStatus.PENDING
    assert [command.kind for command in box.commands()] == [CommandKind.START] * 2


def test_who_does_not_plug_in_has_their_money_back(guest, box):
    guest.pay()
    answer(box, CommandState.ACCEPTED)

    assert sweep(box, fail_overdue, now=NOON + 5 * MINUTE) == 1
    guest.settle()

    assert [paise for paise, _ in guest.refunds] == [RS_200]


def test_who_changes_their_mind_has_their_money_back(guest, box):
    charge = guest.pay()

    box.database.perform(
        lambda session: ask_to_stop(
            session, session_id=charge.id, actor=Actor(ActorKind.DRIVER), now=NOON
        )
    )
    guest.settle()

    assert [paise for paise, _ in guest.refunds] == [RS_200]
    assert box.claims() == []


def test_a_plug_that_slips_costs_nothing(guest, box, at_20_a_kwh):
    charge = guest.pay()
    number = box.start(charge.reference).number
    box.stop(number, at=NOON + MINUTE, meter=1_050)

    assert guest.settle(now=NOON + MINUTE) is None
    assert guest.refunds == [(RS_200, "Next to no energy was given")]


# ── at the charger ───────────────────────────────────────────────────────────────


def test_who_paid_may_stop_with_the_same_tag(guest, box):
    charge = guest.pay()
    box.start(charge.reference)

    with box.database.reading() as session:
        assert authorize(session, box.charger_id, charge.reference, now=NOON)


def test_a_guests_tag_is_good_at_the_point_they_paid_for_only(guest, box):
    charge = guest.pay()
    with box.database.transaction() as session:
        beside = make.an_evse(session)
        beside.charger_id, beside.number = box.charger_id, 2
    other = type(box)(box.database, beside.id, box.charger_id, number=2)

    assert not other.start(charge.reference).is_allowed
    assert guest.charge.status == SessionStatus.PENDING
    sweep(box, fail_overdue, now=NOON + 6 * MINUTE)
    guest.settle()
    assert [paise for paise, _ in guest.refunds] == [RS_200]


def test_whoever_plugs_in_before_paying_goes_on_with_what_they_paid(
    guest, box, at_20_a_kwh
):
    """OCPP 2.0.1: the plug begins a transaction of nobody."""
    box.event(EventType.STARTED, meter=1_000)
    charge = guest.pay()

    allowed = box.event(
        EventType.UPDATED, tag=charge.reference, meter=1_000, at=NOON + MINUTE
    )
    box.event(EventType.ENDED, meter=6_000, at=NOON + HOUR)

    [plug] = [each for each in box.sessions() if each.id != charge.id]
    assert allowed
    assert plug.status == SessionStatus.INVALID
    assert (guest.charge.status, guest.charge.energy_wh) == ("COMPLETED", 5_000)
    assert guest.charge.started_at == NOON + MINUTE
    assert guest.settle(now=NOON + HOUR).total_paise == 11_800
    assert box.claims() == []
    assert box.evse().open_session_id is None


def test_a_plug_that_is_in_while_a_start_is_refused_gives_all_back(guest, box):
    box.event(EventType.STARTED, meter=1_000)
    guest.pay()

    answer(box, CommandState.REJECTED, "No.")
    guest.settle()

    assert guest.refunds == [(RS_200, "No.")]


def test_a_paid_start_is_an_obstacle_for_others(guest, box, asha):
    guest.pay()

    with pytest.raises(SessionUnderWay):
        box.ask(asha)


def test_a_guest_is_nobody_who_charges_by_an_account(guest, box, asha, database):
    guest.pay()

    with database.reading() as session:
        assert under_way(session, asha) is None
