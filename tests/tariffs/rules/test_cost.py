"""What charges come to. Every expected amount is worked out by hand beside it."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from evcharge.tariffs.rules import Reading, Terms, Usage, cost_of

ZONE = "Asia/Kolkata"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
# Sunday 22 November 2026, 15:30 in India.
SUNDAY = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def terms(*elements: dict[str, object], **more: object) -> Terms:
    return Terms.from_json({"elements": list(elements), **more})


def energy(paise: int, **more: object) -> dict[str, object]:
    return {"type": "ENERGY", "price_paise": paise, **more}


def element(*components: object, **restrictions: object) -> dict[str, object]:
    made: dict[str, object] = {"components": list(components)}
    return made | ({"restrictions": restrictions} if restrictions else {})


def charge(minutes: float, wh: int, *, at: datetime = SUNDAY, idle: float = 0) -> Usage:
    """Even power for so many minutes, then so many minutes of standing."""
    full = at + minutes * MINUTE
    readings = (Reading(at, 0), Reading(full, wh))
    return Usage(at, full + idle * MINUTE, readings, full)


def lines(made: Terms, used: Usage, zone: str = ZONE) -> list[tuple[str, str, int]]:
    cost = cost_of(made, used, zone)
    assert sum(each.amount_paise for each in cost.lines) == cost.net_paise
    return [(each.text, each.quantity, each.amount_paise) for each in cost.lines]


def net(made: Terms, used: Usage, zone: str = ZONE) -> int:
    return cost_of(made, used, zone).net_paise


BANDS = terms(
    element(energy(1400), start_time="09:00", end_time="16:00"),
    element(energy(1800)),
)


def test_energy_is_priced_by_kwh() -> None:
    # 30 kWh x ₹18 = ₹540.
    assert lines(terms(element(energy(1800))), charge(60, 30_000)) == [
        ("Energy", "30", 54_000)
    ]


def test_a_band_that_ends_within_a_charge_cuts_it() -> None:
    # 15:30-16:30, 30 kWh evenly: 15 kWh x ₹14 = 210, 15 kWh x ₹18 = 270.
    assert lines(BANDS, charge(60, 30_000)) == [
        ("Energy, 09:00–16:00", "15", 21_000),
        ("Energy", "15", 27_000),
    ]


def test_a_boundary_is_kept_to_the_second() -> None:
    # From 15:59:59, one Wh a second: 1 Wh x 1.4 + 3599 Wh x 1.8 = 1.4 + 6478.2
    # = 6479.6 paise -> 6480.
    used = charge(60, 3_600, at=SUNDAY + 29 * MINUTE + timedelta(seconds=59))
    assert net(BANDS, used) == 6_480


def test_energy_between_two_readings_flowed_evenly() -> None:
    # 15:30 0, 15:50 10 kWh, 16:10 12 kWh: until 16:00 10 + 1 = 11 kWh x ₹14 = 154,
    # after it 1 kWh x ₹18 = 18.
    end = SUNDAY + 40 * MINUTE
    readings = (
        Reading(end, 12_000),
        Reading(SUNDAY, 0),
        Reading(SUNDAY + 20 * MINUTE, 10_000),
    )
    assert net(BANDS, Usage(SUNDAY, end, readings, end)) == 17_200


def test_a_band_over_midnight_holds_on_both_sides_of_it() -> None:
    # 23:30-00:30 in a night band of 22:00-06:00: 10 kWh x ₹9 = ₹90.
    night = terms(
        element(energy(900), start_time="22:00", end_time="06:00"),
        element(energy(1800)),
    )
    assert net(night, charge(60, 10_000, at=SUNDAY + 8 * HOUR)) == 9_000


def test_a_day_ends_at_midnight_of_the_location() -> None:
    # Sunday 23:30 to Monday 00:30: 5 kWh x ₹10 + 5 kWh x ₹20 = ₹150.
    sundays = terms(
        element(energy(1000), day_of_week=["SUNDAY"]), element(energy(2000))
    )
    assert lines(sundays, charge(60, 10_000, at=SUNDAY + 8 * HOUR)) == [
        ("Energy, Sun", "5", 5_000),
        ("Energy", "5", 10_000),
    ]


def test_until_midnight_may_be_said_without_a_beginning() -> None:
    assert net(terms(element(energy(1000), end_time="00:00")), charge(60, 1_000)) == (
        1_000
    )


def test_the_last_date_no_longer_belongs_to_it() -> None:
    # Valid on Sunday the 22nd only; from 23:30, half of 10 kWh x ₹10 = ₹50.
    only = terms(element(energy(1000), start_date="2026-11-22", end_date="2026-11-23"))
    assert net(only, charge(60, 10_000, at=SUNDAY + 8 * HOUR)) == 5_000


def test_standing_costs_after_the_grace() -> None:
    # Full after 60 min, 25 min more: 10 are free, 15 min x ₹120 an hour = ₹30.
    made = terms(
        element(energy(1000), {"type": "PARKING_TIME", "price_paise": 12_000}),
        idle_grace_minutes=10,
    )
    assert lines(made, charge(60, 10_000, idle=25)) == [
        ("Energy", "10", 10_000),
        ("Standing after charging", "0.25", 3_000),
    ]
    assert net(made, charge(60, 10_000, idle=10)) == 10_000


def test_time_is_priced_while_energy_flows_only() -> None:
    # 30 min x ₹60 an hour = ₹30; the 30 min after it cost nothing.
    made = terms(element({"type": "TIME", "price_paise": 6_000}))
    assert net(made, charge(30, 5_000, idle=30)) == 3_000


def test_who_never_charged_has_the_grace_from_the_start() -> None:
    # Said to be full an hour before: 30 min, 10 free, 20 min x ₹60 an hour = ₹20.
    made = terms(
        element({"type": "PARKING_TIME", "price_paise": 6_000}), idle_grace_minutes=10
    )
    used = Usage(SUNDAY, SUNDAY + 30 * MINUTE, (), SUNDAY - HOUR)
    assert net(made, used) == 2_000


def test_a_reservation_is_priced_beside_the_charge() -> None:
    # Once ₹20 and 2 h x ₹15 = ₹30 for the slot; 1 kWh x ₹10.
    made = terms(
        element(
            {"type": "FLAT", "price_paise": 2_000},
            {"type": "TIME", "price_paise": 1_500},
            is_reservation=True,
        ),
        element(energy(1000)),
    )
    end = SUNDAY + HOUR
    used = Usage(
        SUNDAY,
        end,
        (Reading(end, 1_000),),
        end,
        (SUNDAY - HOUR, end),
    )
    assert lines(made, used) == [
        ("Reservation", "1", 2_000),
        ("Reservation", "2", 3_000),
        ("Energy", "1", 1_000),
    ]


def test_what_starts_a_charge_costs_once() -> None:
    # Over 16:00, so in two stretches: ₹5 once + 1 kWh x ₹10.
    made = terms(
        element({"type": "FLAT", "price_paise": 500}),
        element(energy(1000), end_time="16:00"),
        element(energy(1000)),
    )
    assert net(made, charge(60, 1_000)) == 1_500


def test_a_flat_price_may_begin_to_hold_later() -> None:
    # ₹50 for who stays longer than 30 min.
    long = terms(
        element({"type": "FLAT", "price_paise": 5_000}, min_seconds=1_800),
    )
    assert net(long, charge(60, 1_000)) == 5_000
    assert net(long, charge(30, 1_000)) == 0


def test_tiers_of_energy_are_cut_where_they_are_reached_and_have_names() -> None:
    # 20 kWh x ₹20 = 400, 10 kWh x ₹15 = 150.
    tiers = terms(element(energy(2000), max_wh=20_000), element(energy(1500)))
    assert lines(tiers, charge(60, 30_000)) == [
        ("Energy, first 20 kWh", "20", 40_000),
        ("Energy", "10", 15_000),
    ]


def test_tiers_of_time() -> None:
    # 30 min at ₹60 an hour = 30, 30 min at ₹120 = 60.
    tiers = terms(
        element({"type": "TIME", "price_paise": 6_000}, max_seconds=1_800),
        element({"type": "TIME", "price_paise": 12_000}, min_seconds=1_800),
    )
    assert lines(tiers, charge(60, 0)) == [
        ("Charging time, first 30 min", "0.5", 3_000),
        ("Charging time, from 30 min", "0.5", 6_000),
    ]


def test_power_decides_stretch_by_stretch() -> None:
    # 30 min at 60 kW = 30 kWh x ₹20 = 600, 30 min at 10 kW = 5 kWh x ₹10 = 50.
    made = terms(element(energy(2000), min_w=30_000), element(energy(1000)))
    middle, end = SUNDAY + 30 * MINUTE, SUNDAY + HOUR
    readings = (Reading(middle, 30_000), Reading(end, 35_000))
    assert net(made, Usage(SUNDAY, end, readings, end)) == 65_000


def test_electricity_and_service_are_priced_each_by_itself() -> None:
    # 10 kWh: 10 x ₹6.50 = 65; service 5 x ₹11 until 16:00 = 55, 5 x ₹13 = 65.
    made = terms(
        element(energy(650, part="electricity")),
        element(energy(1100, part="service"), start_time="09:00", end_time="16:00"),
        element(energy(1300, part="service")),
    )
    assert lines(made, charge(60, 10_000)) == [
        ("Electricity", "10", 6_500),
        ("Service, 09:00–16:00", "5", 5_500),
        ("Service", "5", 6_500),
    ]


@pytest.mark.parametrize(
    ("wh", "paise"),
    [
        (1, 1_000),  # 1 Wh is a step of 500 Wh: 0.5 kWh x ₹20.
        (500, 1_000),
        (501, 2_000),
    ],
)
def test_energy_is_billed_in_whole_steps(wh: int, paise: int) -> None:
    assert net(terms(element(energy(2000, step_size=500))), charge(60, wh)) == paise


def test_the_step_used_last_fills_the_total() -> None:
    # 15:30-16:30, 1.1 kWh: 0.55 x ₹14 = 7.70; then 0.55 x ₹18, filled from 1.1 kWh
    # to 1.5 kWh: 0.95 x ₹18 = 17.10. Together ₹24.80.
    made = terms(
        element(energy(1400, step_size=10), end_time="16:00"),
        element(energy(1800, step_size=500)),
    )
    assert net(made, charge(60, 1_100)) == 2_480


def test_of_charging_and_standing_only_standing_is_filled_up() -> None:
    # 20 min x ₹60 an hour = 20, not filled to an hour; 20 min of standing are filled
    # to 30: 30 min x ₹120 an hour = 60.
    made = terms(
        element(
            {"type": "TIME", "price_paise": 6_000, "step_size": 3_600},
            {"type": "PARKING_TIME", "price_paise": 12_000, "step_size": 1_800},
        )
    )
    assert net(made, charge(20, 1_000, idle=20)) == 8_000
    # Without standing an hour is billed.
    assert net(made, charge(20, 1_000)) == 6_000


def test_the_least_and_the_highest_price_have_a_line() -> None:
    bounded = terms(
        element(energy(1000)), min_price_paise=5_000, max_price_paise=30_000
    )
    # 1 kWh is ₹10, ₹40 less than the least; 40 kWh are ₹400, ₹100 above the highest.
    assert lines(bounded, charge(60, 1_000))[-1] == (
        "Up to the least price",
        "",
        4_000,
    )
    assert lines(bounded, charge(60, 40_000))[-1] == (
        "Down to the highest price",
        "",
        -10_000,
    )


def test_the_least_price_is_not_for_nothing() -> None:
    bounded = terms(element(energy(1000)), min_price_paise=5_000)
    assert net(bounded, charge(10, 0)) == 0
    assert net(bounded, Usage(SUNDAY, SUNDAY, (), SUNDAY)) == 0


def test_energy_of_a_charge_without_length_is_billed() -> None:
    used = Usage(SUNDAY, SUNDAY, (Reading(SUNDAY, 2_000),), SUNDAY)
    assert net(terms(element(energy(1000))), used) == 2_000


def test_energy_that_was_there_at_the_first_reading_is_billed() -> None:
    # 1 kWh at the very start, 3 kWh in the end: 3 x ₹10.
    end = SUNDAY + HOUR
    readings = (Reading(SUNDAY, 1_000), Reading(end, 3_000))
    assert net(terms(element(energy(1000))), Usage(SUNDAY, end, readings, end)) == 3_000


def test_clocks_that_disagree_lose_no_energy() -> None:
    # Read before the start and after the end, which is said to be before the start.
    readings = (
        Reading(SUNDAY - HOUR, 500),
        Reading(SUNDAY + HOUR, 2_000),
        Reading(SUNDAY + HOUR, 1_000),  # Never counts back.
    )
    used = Usage(SUNDAY, SUNDAY - MINUTE, readings, SUNDAY)
    assert net(terms(element(energy(1000))), used) == 2_000


BERLIN = "Europe/Berlin"


def test_an_hour_that_comes_twice_is_priced_twice() -> None:
    # Clocks go back from 03:00 to 02:00 at 01:00Z. 00:15Z-01:45Z is 02:15-03:00 and
    # 02:00-02:45: between 02:00 and 02:30 lie 15 + 30 min, x ₹10 an hour = ₹7.50.
    made = terms(
        element(
            {"type": "TIME", "price_paise": 1_000}, start_time="02:00", end_time="02:30"
        )
    )
    used = charge(90, 0, at=datetime(2026, 10, 25, 0, 15, tzinfo=UTC))
    assert net(made, used, BERLIN) == 750


def test_an_hour_that_is_left_out_is_not_priced() -> None:
    # Clocks go from 02:00 to 03:00 at 01:00Z. 00:30Z-01:30Z is 01:30-02:00 and
    # 03:00-03:30: of 02:30-03:15 there are 15 min, x ₹10 an hour = ₹2.50.
    made = terms(
        element(
            {"type": "TIME", "price_paise": 1_000}, start_time="02:30", end_time="03:15"
        )
    )
    used = charge(60, 0, at=datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
    assert net(made, used, BERLIN) == 250


def test_lines_are_rounded_so_that_they_add_up() -> None:
    # 1 Wh of each: 0.65 + 0.65 = 1.3 paise -> 1, which one line has and one has not.
    made = terms(element(energy(650, part="electricity"), energy(650, part="service")))
    assert [paise for _, _, paise in lines(made, charge(60, 1))] == [1, 0]


def test_half_a_paisa_is_rounded_up() -> None:
    assert net(terms(element(energy(500))), charge(60, 1)) == 1


def test_a_charge_read_every_second_for_hours_is_worked_out_at_once() -> None:
    # With every reading sought from the first one on, this took 21 s.
    readings = tuple(
        Reading(SUNDAY + timedelta(seconds=number), number) for number in range(10_001)
    )
    end = readings[-1].at
    began = time.process_time()
    # 1800 s until 16:00: 1.8 kWh x ₹14 = 25.20; 8.2 kWh x ₹18 = 147.60.
    assert net(BANDS, Usage(SUNDAY, end, readings, end)) == 17_280
    assert time.process_time() - began < 5
