"""The code on a charging point: short, typed by hand, and wrong when mistyped."""

from itertools import pairwise

import pytest

from evcharge.kernel.ids import READABLE
from evcharge.stations.rules import codes
from evcharge.stations.rules.codes import (
    BASE,
    SHORTEST,
    WrongCode,
    evse_code,
    evse_of_code,
)

IDS = [1, 2, 3, 614_655, 614_656, 614_657, 17_210_367, 17_210_368, 2**31 - 1]


@pytest.mark.parametrize("evse_id", IDS)
def test_a_code_leads_back_to_its_charging_point(evse_id: int) -> None:
    assert evse_of_code(evse_code(evse_id)) == evse_id


def test_no_two_charging_points_share_a_code() -> None:
    all_codes = [evse_code(each) for each in range(1, 20_000)]

    assert len(set(all_codes)) == len(all_codes)
    assert {len(code) for code in all_codes} == {SHORTEST + 1}


def test_codes_of_neighbours_do_not_look_alike() -> None:
    street = [evse_code(each) for each in range(1, 400)]

    for one, next_one in pairwise(street):
        same = sum(a == b for a, b in zip(one, next_one, strict=True))
        assert same <= 2


@pytest.mark.parametrize("evse_id", [1, 77, 614_656])
def test_every_single_wrong_character_is_found(evse_id: int) -> None:
    code = evse_code(evse_id)

    for place, right in enumerate(code):
        for wrong in set(READABLE) - {right}:
            with pytest.raises(WrongCode):
                evse_of_code(code[:place] + wrong + code[place + 1 :])


def test_small_letters_spaces_and_hyphens_are_fine() -> None:
    code = evse_code(42)

    assert evse_of_code(f" {code[:2].lower()}-{code[2:].lower()} ") == 42


@pytest.mark.parametrize("code", ["", "2", "2222", "O0I1L", "ÄÖÜSS", "2" * 5000])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(WrongCode):
        evse_of_code(code)


def test_a_code_that_is_longer_than_it_had_to_be_is_refused() -> None:
    size = BASE ** (SHORTEST + 1)
    data = codes._digits(5 * codes._STRIDE % size, SHORTEST + 1)

    with pytest.raises(WrongCode):
        evse_of_code(data + codes._check(data))
