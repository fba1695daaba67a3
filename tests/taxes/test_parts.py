"""Parts of something taxed never come to more tax than the whole."""

from hypothesis import given
from hypothesis import strategies as st

from evcharge.taxes.rules import Treatment, add_tax
from evcharge.taxes.rules.parts import part_of


@given(
    net=st.integers(1, 10**7),
    cuts=st.lists(st.integers(1, 10**6), max_size=5),
    within=st.booleans(),
)
def test_parts_add_up_to_no_more_tax_than_there_was(net, cuts, within):
    whole = add_tax(net, Treatment(18, is_within_state=within))
    left, parts = whole.total_paise, []
    for cut in cuts:
        amount = min(cut, left)
        parts.append(part_of(whole, amount))
        left -= amount

    assert sum(part.tax_paise for part in parts) <= whole.tax_paise
    for part in parts:
        assert part.net_paise + part.tax_paise == part.total_paise
        assert part.cgst_paise == part.sgst_paise


def test_all_of_it_is_the_whole():
    whole = add_tax(1_00, Treatment(18))

    assert part_of(whole, whole.total_paise) == whole
