"""What holds for every tariff and every charge."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evcharge.tariffs.rules import Reading, Terms, TermsInvalid, Usage, cost_of
from evcharge.tariffs.rules.terms import DAYS

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ZONES = st.sampled_from(["Asia/Kolkata", "Europe/Berlin", "America/New_York"])
PRICES = st.integers(0, 5_000)
WALL_TIMES = st.times().map(lambda at: at.strftime("%H:%M"))

bands = st.fixed_dictionaries(
    {},
    optional={
        "start_time": WALL_TIMES,
        "end_time": WALL_TIMES,
        "day_of_week": st.lists(st.sampled_from(DAYS), unique=True, max_size=6),
    },
)
tiers = st.fixed_dictionaries(
    {}, optional={"min_wh": st.integers(0, 9_000), "max_wh": st.integers(9_001, 40_000)}
)
others = st.fixed_dictionaries(
    {},
    optional={
        "min_seconds": st.integers(0, 1_800),
        "max_seconds": st.integers(1_801, 9_000),
        "min_w": st.integers(0, 20_000),
        "max_w": st.integers(20_001, 90_000),
        "is_reservation": st.booleans(),
    },
)


def components(*kinds: str, steps: bool = False) -> st.SearchStrategy[Any]:
    made = st.fixed_dictionaries(
        {"type": st.sampled_from(kinds), "price_paise": PRICES},
        optional={"step_size": st.integers(1, 4_000)} if steps else {},
    )
    return st.lists(made, min_size=1, max_size=3, unique_by=lambda each: each["type"])


def elements(
    inside: st.SearchStrategy[Any], restrictions: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    made = st.fixed_dictionaries({"components": inside, "restrictions": restrictions})
    return st.lists(made, min_size=1, max_size=4)


ALL_KINDS = components("ENERGY", "TIME", "PARKING_TIME", "FLAT", steps=True)
ALL_LIMITS = st.tuples(bands, tiers, others).map(lambda got: got[0] | got[1] | got[2])
anything = st.fixed_dictionaries(
    {"elements": elements(ALL_KINDS, ALL_LIMITS)},
    optional={
        "min_price_paise": st.integers(0, 1_000),
        "max_price_paise": st.integers(1_000, 90_000),
        "idle_grace_minutes": st.integers(0, 60),
        "deposit_paise": st.integers(0, 50_000),
    },
).map(Terms.from_json)
by_time = st.fixed_dictionaries(
    {"elements": elements(components("ENERGY", "TIME"), bands)}
).map(Terms.from_json)
by_energy = st.fixed_dictionaries(
    {"elements": elements(components("ENERGY"), tiers)}
).map(Terms.from_json)


@st.composite
def charges(draw: st.DrawFn) -> Usage:
    """Begun at any second of a year, read some times, rising."""
    starts_at = START + timedelta(seconds=draw(st.integers(0, 365 * 86_400)))
    gaps = draw(st.lists(st.integers(1, 7_200), min_size=1, max_size=5))
    at, energy, readings = starts_at, 0, [Reading(starts_at, 0)]
    for gap in gaps:
        at += timedelta(seconds=gap)
        energy += draw(st.integers(0, 20_000))
        readings.append(Reading(at, energy))
    full = starts_at + (at - starts_at) * draw(st.integers(0, 4)) / 4
    reserved = draw(st.none() | st.just((starts_at, at)))
    return Usage(starts_at, at, tuple(readings), full, reserved)


@given(anything, charges(), ZONES)
def test_nothing_costs_less_than_nothing_and_lines_add_up(
    terms: Terms, used: Usage, zone: str
) -> None:
    cost = cost_of(terms, used, zone)

    assert cost.net_paise >= 0
    assert sum(line.amount_paise for line in cost.lines) == cost.net_paise


@given(by_time, charges(), ZONES)
def test_the_parts_of_a_charge_cost_what_the_whole_does(
    terms: Terms, used: Usage, zone: str
) -> None:
    whole = Usage(used.starts_at, used.ends_at, used.readings, used.ends_at)
    parts = [
        Usage(
            had.at,
            has.at,
            (Reading(had.at, 0), Reading(has.at, has.energy_wh - had.energy_wh)),
            has.at,
        )
        for had, has in pairwise(used.readings)
    ]

    together = sum(cost_of(terms, part, zone).exact_paise for part in parts)

    assert together == cost_of(terms, whole, zone).exact_paise


@given(by_time | by_energy, charges(), st.integers(1, 10_000), ZONES)
def test_more_energy_never_costs_less(
    terms: Terms, used: Usage, more: int, zone: str
) -> None:
    last = used.readings[-1]
    readings = (*used.readings[:-1], Reading(last.at, last.energy_wh + more))
    bigger = Usage(used.starts_at, used.ends_at, readings, used.ends_at)
    smaller = Usage(used.starts_at, used.ends_at, used.readings, used.ends_at)

    assert (
        cost_of(terms, bigger, zone).exact_paise
        >= cost_of(terms, smaller, zone).exact_paise
    )


@given(anything)
def test_what_was_written_is_read_again(terms: Terms) -> None:
    assert Terms.from_json(terms.as_json()) == terms


TOP_NAMES = ["elements", "components", "restrictions", "deposit_paise"]
INNER_NAMES = ["type", "price_paise", "part", "step_size", "start_time", "min_wh"]
NAMES = st.sampled_from(TOP_NAMES + INNER_NAMES)
junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["ENERGY", "FLAT", "service", "09:00", "2026-01-01"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=15,
)


@given(junk)
def test_whatever_is_sent_is_read_or_refused(data: object) -> None:
    with suppress(TermsInvalid):
        assert Terms.from_json(data).elements
