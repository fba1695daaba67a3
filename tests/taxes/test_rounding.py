"""Tax in whole paise: what is added comes out again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcharge.taxes.rules import Treatment, add_tax, take_tax_out

PAISE = st.integers(0, 10_000_000)
PERCENTS = st.sampled_from([0, 5, 12, 18, 28])


@pytest.mark.parametrize(
    ("net", "cgst", "sgst", "igst"),
    [
        (10_000, 900, 900, 1_800),
        (54_000, 4_860, 4_860, 9_720),
        (1, 0, 0, 0),  # 0.09 each; 0.18.
        (6, 1, 1, 1),  # 0.54 each; 1.08.
        (50, 5, 5, 9),  # 4.5 each, half up; 9.
        (0, 0, 0, 0),
    ],
)
def test_each_tax_is_rounded_by_itself_half_up(
    net: int, cgst: int, sgst: int, igst: int
) -> None:
    within = add_tax(net, Treatment(18, is_within_state=True))
    across = add_tax(net, Treatment(18, is_within_state=False))

    assert (within.cgst_paise, within.sgst_paise, within.igst_paise) == (cgst, sgst, 0)
    assert (across.cgst_paise, across.sgst_paise, across.igst_paise) == (0, 0, igst)


@given(PAISE, PERCENTS, st.booleans())
def test_taxes_add_up_and_both_halves_are_equal(
    net: int, percent: int, is_within: bool
) -> None:
    taxed = add_tax(net, Treatment(percent, is_within_state=is_within))

    taxes = taxed.cgst_paise + taxed.sgst_paise + taxed.igst_paise
    assert taxed.net_paise == net
    assert taxed.total_paise == net + taxes
    assert taxed.cgst_paise == taxed.sgst_paise


@given(PAISE, PERCENTS, st.booleans())
def test_tax_taken_out_leaves_the_whole_as_it_was(
    gross: int, percent: int, is_within: bool
) -> None:
    taxed = take_tax_out(gross, Treatment(percent, is_within_state=is_within))

    taxes = taxed.cgst_paise + taxed.sgst_paise + taxed.igst_paise
    assert taxed.total_paise == gross
    assert taxed.net_paise + taxes + taxed.rounding_paise == gross
    assert abs(taxed.rounding_paise) <= 1
    assert taxed.net_paise >= 0
