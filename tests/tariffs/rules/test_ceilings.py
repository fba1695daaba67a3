import pytest

from evcharge.tariffs.rules import Terms
from evcharge.tariffs.rules.ceilings import Ceiling, warnings

CEILINGS = [
    Ceiling("AC", "solar", 300, "Guidelines 2024"),
    Ceiling("AC", "other", 400, "Guidelines 2024"),
    Ceiling("DC", "solar", 1100, "Guidelines 2024"),
    Ceiling("DC", "other", 1300, "Guidelines 2024"),
]


def service(paise: int, part: str = "service", **restrictions: object) -> object:
    component = {"type": "ENERGY", "price_paise": paise, "part": part}
    return {"components": [component], "restrictions": restrictions}


def periods(current: str, *elements: object) -> list[str]:
    found = warnings(
        Terms.from_json({"elements": list(elements)}),
        current=current,
        ceilings=CEILINGS,
    )
    return ["solar" if "from 09:00" in each else "other" for each in found]


@pytest.mark.parametrize(
    ("current", "elements", "expected"),
    [
        ("AC", [service(300)], []),
        ("AC", [service(301)], ["solar"]),
        ("AC", [service(401)], ["solar", "other"]),
        ("DC", [service(401)], []),
        (
            "AC",
            [service(300, start_time="09:00", end_time="16:00"), service(400)],
            [],
        ),
        # A minute of solar hours at the evening's price, and the other way round.
        (
            "AC",
            [service(300, start_time="09:00", end_time="15:59"), service(400)],
            ["solar"],
        ),
        # Only on Sundays, only for the first kWh: still above.
        ("AC", [service(500, day_of_week=["SUNDAY"]), service(1)], ["solar", "other"]),
        ("AC", [service(500, max_wh=10), service(1)], ["solar", "other"]),
        # Never asked.
        ("AC", [service(1), service(900)], []),
        ("AC", [service(900, is_reservation=True), service(1)], []),
        # Electricity has no ceiling.
        ("AC", [service(900, "electricity")], []),
    ],
)
def test_service_above_a_ceiling_is_told(
    current: str, elements: list[object], expected: list[str]
) -> None:
    assert periods(current, *elements) == expected


def test_a_price_that_is_not_divided_is_told_in_other_words() -> None:
    (said,) = warnings(
        Terms.from_json({"elements": [service(1200, "charging")]}),
        current="DC",
        ceilings=CEILINGS,
    )
    assert "₹12 per kWh as a whole" in said
    assert "give both prices" in said
