"""Every state a location can be in has a code, however it is spelled."""

import pytest

from evcharge.stations.rules.entries import STATES
from evcharge.taxes.rules.states import (
    is_same_state,
    state_code,
    state_name,
    state_of_code,
    with_code,
)


@pytest.mark.parametrize("state", STATES)
def test_each_state_of_a_location_has_a_code_that_leads_back(state):
    assert state_of_code(state_code(state)) == state


def test_no_two_states_share_a_code():
    codes = [state_code(state) for state in STATES]

    assert len(set(codes)) == len(STATES) == 36


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        ("TAMILNADU", "Tamil Nadu"),
        ("jammu & kashmir", "Jammu and Kashmir"),
        ("Orissa", "Odisha"),
        (" new  delhi ", "Delhi"),
    ],
)
def test_other_spellings_are_understood(spelled, meant):
    assert state_name(spelled) == meant
    assert is_same_state(spelled, meant)


def test_what_nobody_knows_stays_as_it_is():
    assert state_name(" Atlantis ") == "Atlantis"
    assert with_code("Atlantis") == "Atlantis"
    assert with_code("karnataka") == "Karnataka (29)"
