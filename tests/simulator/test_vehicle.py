import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcharge.simulator.vehicle import Vehicle

HOUR = 3600.0
vehicles = st.builds(
    lambda battery_wh, most_w, share: Vehicle(battery_wh, most_w, battery_wh * share),
    st.integers(1_000, 300_000),
    st.integers(500, 250_000),
    st.floats(0, 1),
)
plugs = st.integers(1_000, 350_000)


@given(vehicle=vehicles, plug_w=plugs, seconds=st.floats(0, 10 * HOUR))
def test_what_goes_in_is_in_the_battery_and_never_too_much(vehicle, plug_w, seconds):
    before = vehicle.stored_wh

    gained = vehicle.charge(plug_w, seconds)

    assert gained >= 0
    assert vehicle.stored_wh == pytest.approx(before + gained)
    assert vehicle.stored_wh <= vehicle.battery_wh
    assert gained <= min(plug_w, vehicle.most_w) * seconds / HOUR + 1e-6


@given(vehicle=vehicles, plug_w=plugs)
def test_power_is_never_more_than_plug_and_vehicle_can_do(vehicle, plug_w):
    assert 0 <= vehicle.power_w(plug_w) <= min(plug_w, vehicle.most_w)


@given(plug_w=plugs, pieces=st.lists(st.floats(1, 600), min_size=1, max_size=20))
def test_looking_often_hardly_changes_what_is_charged(plug_w, pieces):
    often, once = (Vehicle(60_000, 50_000, 10_000) for _ in range(2))

    for seconds in pieces:
        often.charge(plug_w, seconds)
    once.charge(plug_w, sum(pieces))

    ramp_wh = 50_000 * 30 / HOUR
    assert often.stored_wh == pytest.approx(once.stored_wh, rel=0.02, abs=ramp_wh)


def test_it_ramps_up_holds_and_tapers():
    vehicle = Vehicle(40_000, 50_000, 40_000 * 0.5)

    first = vehicle.power_w(60_000)
    vehicle.charge(60_000, 60)
    held = vehicle.power_w(60_000)
    vehicle.charge(60_000, 1500)
    late = vehicle.power_w(60_000)

    assert first < 5_000
    assert held == 50_000
    assert 4_000 <= late < 40_000
    assert vehicle.soc_percent > 80


def test_every_vehicle_is_full_in_the_end():
    vehicle = Vehicle(30_000, 7_000, 5_000)

    vehicle.charge(7_400, 24 * HOUR)

    assert vehicle.is_full
    assert vehicle.soc_percent == 100
    assert vehicle.power_w(7_400) == 0
