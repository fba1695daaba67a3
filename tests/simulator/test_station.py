import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evcharge.simulator.news import (
    CardShown,
    Ended,
    Metered,
    Reason,
    ReservationExpired,
    Started,
    State,
    StatusChanged,
)
from evcharge.simulator.variables import Name
from simulator.stand import (
    CCS2,
    CHADEMO,
    HOUR,
    MINUTE,
    NOON,
    a_point,
    balance,
    charging_point,
    live,
    only,
)


def statuses(news):
    return [each.state for each in only(StatusChanged, news)]


def test_pressing_start_brings_a_vehicle_within_seconds():
    point = a_point()

    accepted = point.remote_start("EV-7K3M9Q", 12, NOON)
    news = live(point, until=NOON + 10)
    [started] = only(Started, news)

    assert accepted
    assert statuses(news) == [State.PREPARING, State.CHARGING]
    assert (started.transaction.tag, started.transaction.remote_start_id) == (
        "EV-7K3M9Q",
        12,
    )


def test_a_point_where_somebody_charges_starts_for_nobody_else():
    assert not charging_point().remote_start("OTHER", 8, NOON + MINUTE)


def test_a_card_is_shown_first_and_charges_when_it_is_accepted():
    point = a_point(busy=0.9)
    news = live(point, until=NOON + HOUR)
    while not (shown := only(CardShown, news)):
        news = live(point, until=NOON + 5 * HOUR)
    before = statuses(news)[-1]

    point.answer_card(True, NOON + 5 * HOUR)

    assert shown[0].tag == "CARD1"
    assert before in (State.PREPARING, State.AVAILABLE)


def test_who_may_not_charge_goes_away():
    point = a_point(busy=0.9)
    while point.visit is None or not point.visit.has_shown:
        point.advance(point.due_at)
    now = point.visit.ready_at

    point.answer_card(False, now)
    news = live(point, until=now + 2 * MINUTE, now=now)

    assert only(Started, news) == []
    assert State.AVAILABLE in statuses(news)


def test_the_meter_is_read_every_minute_and_never_falls():
    point = charging_point()

    news = live(point, until=NOON + 10 * MINUTE, now=NOON + 10)

    readings = [each.reading for each in only(Metered, news) if not each.is_change]
    registers = [each.energy_wh for each in readings]
    assert len(readings) == 10
    assert registers == sorted(registers)
    assert registers[-1] > registers[0]
    assert all(each.soc_percent is not None for each in readings)


def test_the_server_may_want_the_meter_read_more_often():
    point = a_point()
    point.variables.put(Name.METER, "10")
    point.remote_start("APP", 7, NOON)

    news = live(point, until=NOON + 70)

    assert len(only(Metered, news)) >= 6


def test_a_full_vehicle_stands_idle_and_is_taken_away():
    point = charging_point()
    point.visit.leaves_at = NOON + 100 * HOUR

    news = live(point, until=NOON + 20 * HOUR, now=NOON + 10)

    assert statuses(news)[:3] == [
        State.SUSPENDED_EV,
        State.FINISHING,
        State.AVAILABLE,
    ]
    assert balance(news) == -1


def test_a_remote_stop_ends_it_with_what_was_charged():
    point = charging_point()
    transaction = point.transaction

    stopped = point.stop(NOON + 10 * MINUTE, Reason.REMOTE)
    [ended] = only(Ended, point.take_news())

    assert stopped
    assert ended.reason == Reason.REMOTE
    assert ended.reading.energy_wh == transaction.meter_wh
    assert transaction.meter_wh - transaction.meter_start_wh > 1_000
    assert not point.stop(NOON + 11 * MINUTE, Reason.REMOTE)


def test_a_reservation_keeps_others_out_and_its_driver_charges_till_near_its_end():
    point = a_point(seed=2)
    ends_at = NOON + HOUR

    assert point.reserve(5, "EV-7K3M9Q", ends_at, NOON, None) is None
    assert not point.remote_start("OTHER", 1, NOON)
    arrived = live(point, until=NOON + 6 * MINUTE)
    [shown] = only(CardShown, arrived)
    point.answer_card(True, NOON + 6 * MINUTE)
    [started] = only(Started, live(point, until=NOON + 7 * MINUTE))
    leaves_at = point.visit.leaves_at

    assert statuses(arrived)[0] == State.RESERVED
    assert shown.tag == "EV-7K3M9Q"
    assert started.transaction.reservation == 5
    assert ends_at - 2 * MINUTE <= leaves_at <= ends_at - 30


def test_a_reservation_nobody_comes_for_expires():
    seeds = (a_point(seed=seed) for seed in range(100))
    for point in seeds:
        point.reserve(5, "EV-7K3M9Q", NOON + 10 * MINUTE, NOON, None)
        if point.reservation.arrives_at > NOON + HOUR:
            break

    news = live(point, until=NOON + 11 * MINUTE)

    assert only(ReservationExpired, news) == [ReservationExpired(5)]
    assert statuses(news) == [State.RESERVED, State.AVAILABLE]


def test_who_has_no_reservation_makes_room_for_one():
    point = charging_point()

    against = point.reserve(5, "EV-7K3M9Q", NOON + HOUR, NOON + MINUTE, None)
    live(point, until=NOON + 6 * MINUTE, now=NOON + MINUTE)

    assert against == State.CHARGING
    assert point.state == State.AVAILABLE


def test_a_cancelled_reservation_frees_the_point():
    point = a_point()
    point.reserve(5, "EV-7K3M9Q", NOON + HOUR, NOON, None)

    assert not point.cancel_reservation(6, NOON)
    assert point.cancel_reservation(5, NOON)
    assert point.state == State.AVAILABLE


def test_out_of_service_waits_for_the_vehicle_to_leave():
    point = charging_point()

    assert not point.set_operative(False, NOON + MINUTE)
    assert point.state == State.CHARGING
    live(point, until=NOON + 3 * HOUR, now=NOON + MINUTE)

    assert point.state == State.UNAVAILABLE
    assert point.set_operative(True, NOON + 3 * HOUR)
    assert point.state == State.AVAILABLE


def test_one_broken_plug_of_two_leaves_the_other_in_use():
    point = a_point(plugs=(CCS2, CHADEMO))

    point.break_down(CHADEMO, NOON)

    assert point.status_of(2) == State.FAULTED
    assert point.status_of(1) == State.AVAILABLE
    assert point.remote_start("APP", 1, NOON)


def test_a_fault_has_codes_and_heals():
    point = a_point()
    point.break_down(CCS2, NOON)
    [told] = point.take_news()

    healed = live(point, until=NOON + HOUR)

    assert told.state == State.FAULTED
    assert told.fault.error
    assert told.fault.vendor_error
    assert statuses(healed) == [State.AVAILABLE]


def test_without_power_it_is_over_and_nothing_is_said_of_plugs():
    point = charging_point()

    point.lose_power(NOON + 5 * MINUTE, Reason.POWER_LOSS)
    news = point.take_news()

    assert [type(each) for each in news] == [Ended]
    assert point.state == State.AVAILABLE


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_nobody_comes_outside_opening_hours(hour: int):
    closed_now = ((hour + 8) * 60 % 1440, (hour + 9) * 60 % 1440)
    point = a_point(busy=0.9, opening=closed_now)

    for _ in range(48):
        point.advance(point.due_at)
        if point.visit is not None:
            assert point.habits.is_open(point.visit.ready_at - 30)
            break


times = st.floats(0.1, 2 * HOUR)
acts = st.sampled_from(
    [
        "wait",
        "start",
        "stop",
        "card",
        "no card",
        "reserve",
        "cancel",
        "out",
        "in",
        "cut",
    ]
)


@settings(max_examples=200)
@given(
    steps=st.lists(st.tuples(acts, times), max_size=40),
    seed=st.integers(0, 1000),
    is_double=st.booleans(),
)
def test_whatever_happens_it_stays_consistent(steps, seed, is_double):
    plugs = (CCS2, CHADEMO) if is_double else (CCS2,)
    point = a_point(plugs=plugs, seed=seed, busy=0.7, trouble=100)
    now, news = NOON, []
    for act, seconds in steps:
        do(point, act, now)
        news += live(point, until=now + seconds, now=now)
        now += seconds

        is_open = point.state in (State.CHARGING, State.SUSPENDED_EV)
        assert (point.transaction is not None) == is_open
        assert point.transaction is None or point.visit is not None
        assert balance(news) == int(is_open)
        assert point.due_at > now
    energies = [each.reading.energy_wh for each in news if hasattr(each, "reading")]
    assert energies == sorted(energies)


def do(point, act, now):
    match act:
        case "start":
            point.remote_start("APP", 1, now)
        case "stop":
            point.stop(now, Reason.REMOTE)
        case "card" | "no card":
            point.answer_card(act == "card", now)
        case "reserve":
            point.reserve(1, "EV-7K3M9Q", now + HOUR, now, None)
        case "cancel":
            point.cancel_reservation(1, now)
        case "out" | "in":
            point.set_operative(act == "in", now)
        case "cut":
            point.lose_power(now, Reason.POWER_LOSS)
