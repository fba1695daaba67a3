"""GSTINs: two published ones hold, every single typing mistake in them does not."""

import pytest

from evcharge.taxes.rules.gstin import GstinInvalid, check_digit, read_gstin, state_of

GOOD = ["27AAPFU0939F1ZV", "29AAGCB7383J1Z4"]


@pytest.mark.parametrize("gstin", GOOD)
def test_a_good_one_is_read_however_it_is_typed(gstin):
    spaced = f" {gstin[:2]} {gstin[2:12].lower()} {gstin[12:]} "

    assert read_gstin(spaced) == gstin


@pytest.mark.parametrize("place", range(15))
def test_one_wrong_character_is_noticed(place):
    gstin = GOOD[0]
    other = {"0": "1", "A": "B"}
    wrong = other.get(gstin[place], "0" if gstin[place].isdigit() else "A")

    with pytest.raises(GstinInvalid):
        read_gstin(gstin[:place] + wrong + gstin[place + 1 :])


@pytest.mark.parametrize("place", range(14))
def test_two_that_changed_places_are_noticed(place):
    gstin = GOOD[0]
    swapped = gstin[:place] + gstin[place + 1] + gstin[place] + gstin[place + 2 :]
    if swapped == gstin:
        return  # The same sign twice.

    with pytest.raises(GstinInvalid):
        read_gstin(swapped)


@pytest.mark.parametrize(
    "typed", ["", "27", "27AAPFU0939F1ZVX", "２７AAPFU0939F1ZV", "27AAPFU0939F1Zß"]
)
def test_what_has_another_shape_is_refused(typed):
    with pytest.raises(GstinInvalid):
        read_gstin(typed)


def test_a_state_that_does_not_exist_is_named():
    first = "99AAPFU0939F1Z"

    with pytest.raises(GstinInvalid, match="99"):
        read_gstin(first + check_digit(first))


def test_its_first_digits_are_its_state():
    assert [state_of(gstin) for gstin in GOOD] == ["Maharashtra", "Karnataka"]
