"""The sums behind the tables, with numbers that can be checked by hand."""

import pytest

from evcharge.bench.measures import (
    MS,
    Measured,
    Ratio,
    in_turns,
    percentile,
    rates,
    ratio,
    statuses,
    summary,
)
from evcharge.bench.results import WrongAnswers, check, compared


def a_round(*, seconds: float = 2.0, ms: tuple[int, ...] = (1, 2, 3, 10), **facts):
    return Measured(seconds, [each * MS for each in ms], **facts)


@pytest.mark.parametrize(
    ("percent", "found"), [(50, 50), (99, 99), (99.5, 100), (100, 100), (0, 1)]
)
def test_a_percentile_is_the_value_that_so_many_do_not_exceed(percent, found):
    assert percentile(range(100, 0, -1), percent) == found


def test_one_answer_is_every_percentile():
    assert percentile([7], 50) == percentile([7], 99) == 7


def test_a_summary_takes_the_median_of_rates_and_all_latencies():
    found = summary([a_round(seconds=1), a_round(seconds=2), a_round(seconds=4)])

    assert found.per_second == 2.0  # Of 4, 2 and 1.
    assert (found.median_ms, found.p99_ms, found.answers) == (2.5, 10.0, 12)


def test_the_time_of_the_program_is_shared_by_its_answers():
    rounds = [a_round(program_seconds=0.01), a_round(program_seconds=0.03)]

    assert summary(rounds).cpu_ms == pytest.approx(5.0)  # 40 ms, eight answers.


def test_ratios_are_taken_round_by_round():
    """Both were ten times as slow in the second round: the ratio does not see it."""
    ours, reference = [50.0, 5.0, 60.0], [100.0, 10.0, 100.0]

    assert ratio(ours, reference) == Ratio(median=0.5, lowest=0.5, highest=0.6)


def test_rounds_without_a_partner_are_not_compared():
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])


def test_things_are_measured_in_turns():
    order = []

    found = in_turns(
        {"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3
    )

    assert order == ["a", "b", "a", "b", "a", "b"]
    assert {name: len(rounds) for name, rounds in found.items()} == {"a": 3, "b": 3}


def test_a_goal_is_met_by_the_median():
    reference = [a_round(seconds=1)] * 3
    ours = [a_round(seconds=seconds) for seconds in (2, 4, 5)]

    speed = compared("ours", ours, reference, at_least=0.25)

    assert speed.ratio == Ratio(0.25, 0.2, 0.5)
    assert speed.is_met is True
    assert compared("ours", ours, reference, at_least=0.26).is_met is False
    assert compared("ours", ours, reference).is_met is None


def test_answers_are_counted_over_all_rounds():
    rounds = [a_round(statuses={201: 3, 409: 1}), a_round(statuses={201: 4})]

    assert statuses(rounds) == {201: 7, 409: 1}
    assert rates(rounds) == [2.0, 2.0]
    check(rounds, 201, 409)


@pytest.mark.parametrize(
    ("rounds", "words"),
    [
        ([a_round(statuses={201: 3, 500: 1})], "1 × 500"),
        ([a_round(statuses={201: 4}, errors=2)], "lost: 2"),
        ([a_round(ms=(), statuses={})], "none"),
    ],
)
def test_speed_of_wrong_answers_is_not_reported(rounds, words):
    with pytest.raises(WrongAnswers, match=words):
        check(rounds, 201)
