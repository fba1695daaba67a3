import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcharge.charging.rules import CLOCK_IS_OFF, Meter, moment
from make import MINUTE, NOON


def after(*registers, start=1000):
    meter = Meter(start, start)
    for register in registers:
        meter = meter.reads(register)
    return meter


@pytest.mark.parametrize(
    ("registers", "energy_wh"),
    [
        ((), 0),
        ((1500, 2000), 1000),
        ((2000, 2000), 1000),
        ((2000, 5, 2100), 1100),  # It slipped once.
        ((2000, 0, 300, 900), 1900),  # It was reset, and went on.
        ((2000, 40, 20, 120), 1100),  # Lower still, then grows: counted from there.
        ((2000, 1999), 1000),
    ],
)
def test_energy_is_what_the_register_gained(registers, energy_wh):
    assert after(*registers).energy_wh == energy_wh


def test_a_meter_that_never_said_where_it_began_begins_with_its_first_word():
    meter = Meter().reads(7000).reads(7100)

    assert meter.energy_wh == 100


def test_a_decrease_is_remembered():
    assert after(2000, 1500).has_decreased
    assert after(2000, 0, 100).has_decreased
    assert not after(2000, 3000).has_decreased


@given(st.lists(st.integers(0, 50_000), max_size=30))
def test_energy_never_becomes_less(registers):
    meter, energies = Meter(1000, 1000), [0]
    for register in registers:
        meter = meter.reads(register)
        energies.append(meter.energy_wh)

    assert energies == sorted(energies)


@given(st.lists(st.integers(0, 500), max_size=30), st.integers(0, 100))
def test_one_slip_changes_nothing(steps, slip):
    registers = [1000]
    for step in steps:
        registers.append(registers[-1] + step)

    assert after(*registers, slip, registers[-1]).energy_wh == sum(steps)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [(0, (0, False, False)), (-4, (0, False, False)), (4, (0, False, False))],
)
def test_our_clock_rules_what_we_hear_at_once(minutes, expected):
    told = moment(NOON + minutes * MINUTE, heard_at=NOON)

    assert (told.at, told.is_late, told.is_clock_wrong) == (NOON, *expected[1:])


def test_what_was_kept_offline_happened_when_the_charger_says():
    kept = moment(NOON - 60 * MINUTE, heard_at=NOON)

    assert (kept.at, kept.is_late) == (NOON - 60 * MINUTE, True)


@pytest.mark.parametrize(
    "charger_at", [NOON + 2 * CLOCK_IS_OFF, NOON.replace(year=1970)]
)
def test_a_clock_that_cannot_be_right_is_not_believed(charger_at):
    told = moment(charger_at, heard_at=NOON)

    assert (told.at, told.is_clock_wrong) == (NOON, True)
