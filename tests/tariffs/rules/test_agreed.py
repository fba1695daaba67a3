from datetime import UTC, datetime, timedelta

import pytest

from evcharge.tariffs.rules import Terms
from evcharge.tariffs.rules.agreed import Agreed
from evcharge.taxes.rules import Treatment

GST = Treatment(18, is_within_state=True)
START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)  # 15:30 in India.
HOUR = timedelta(hours=1)


def agreed(*elements: object, power_w: int = 60_000, **more: object) -> Agreed:
    terms = Terms.from_json({"elements": list(elements), **more})
    return Agreed(1, "Fast", terms, "Asia/Kolkata", power_w, GST)


def energy(paise: int, part: str = "charging", **restrictions: object) -> object:
    component = {"type": "ENERGY", "price_paise": paise, "part": part}
    return {"components": [component], "restrictions": restrictions}


def test_an_estimate_is_for_the_energy_to_expect_and_has_tax() -> None:
    # 60 kW x 60 % x 1 h = 36 kWh x ₹18 = ₹648; + 18 % = ₹764.64.
    quote = agreed(energy(1800)).quote(START, START + HOUR)

    assert quote.energy_wh == 36_000
    assert quote.net_paise == 64_800
    assert quote.taxed.total_paise == 76_464
    assert not quote.is_deposit


def test_a_deposit_replaces_the_estimate() -> None:
    quote = agreed(energy(1800), deposit_paise=20_000).quote(START, START + HOUR)

    assert quote.is_deposit
    assert quote.taxed.total_paise == 23_600
    assert quote.energy_wh == 36_000


def test_a_plug_of_unknown_power_is_taken_for_a_slow_one() -> None:
    # 7.4 kW x 60 % x 1 h.
    quote = agreed(energy(1000), power_w=0).quote(START, START + HOUR)
    assert quote.energy_wh == 4_440


def test_the_copy_kept_reads_as_what_was_agreed_to() -> None:
    made = agreed(energy(1800, start_time="09:00"), min_price_paise=100)
    assert Agreed.from_json(made.as_json()) == made


@pytest.mark.parametrize(
    ("elements", "words"),
    [
        ([energy(1800)], "₹18 per kWh + GST"),
        ([energy(1400, end_time="16:00"), energy(1850)], "₹14–18.50 per kWh + GST"),
        # From a date on; within an hour; tiers: none of them is missed.
        ([energy(1800, start_date="2031-01-01")], "₹18 per kWh + GST"),
        (
            [energy(900, start_time="10:10", end_time="10:20"), energy(1800)],
            "₹9–18 per kWh + GST",
        ),
        ([energy(1000, max_wh=5_000), energy(2000)], "₹10–20 per kWh + GST"),
        ([energy(1000, min_w=50_000), energy(2000)], "₹10–20 per kWh + GST"),
        # Never asked: the first decides always.
        ([energy(1000), energy(9900)], "₹10 per kWh + GST"),
        # Parts are added up.
        (
            [
                energy(600, "electricity"),
                energy(300, "service", start_time="09:00", end_time="16:00"),
                energy(400, "service"),
            ],
            "₹9–10 per kWh + GST",
        ),
        (
            [
                energy(600, "electricity", end_time="12:00"),
                energy(700, "electricity", start_time="12:00"),
                energy(300, "service", end_time="09:00"),
                energy(400, "service", start_time="09:00"),
            ],
            "₹9–11 per kWh + GST",
        ),
        (
            [
                {
                    "components": [
                        {"type": "ENERGY", "price_paise": 1000},
                        {"type": "TIME", "price_paise": 6000},
                        {"type": "FLAT", "price_paise": 500},
                    ]
                }
            ],
            "₹10 per kWh + ₹60 per hour + ₹5 a charge + GST",
        ),
        (
            [{"components": [{"type": "PARKING_TIME", "price_paise": 12000}]}],
            "₹120 per hour after charging + GST",
        ),
        ([energy(0)], "Nothing to pay"),
    ],
)
def test_a_price_is_said_in_a_line(elements: list[object], words: str) -> None:
    assert agreed(*elements).price_words() == words
