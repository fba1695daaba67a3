"""A part of something taxed: what goes back of an invoice or of an advance."""

from evcharge.taxes.rules import Taxed


def part_of(whole: Taxed, amount_paise: int) -> Taxed:
    """Return that much of it, its taxes in proportion and rounded down: parts taken
    one after the other never come to more tax than there was."""
    if amount_paise == whole.total_paise:
        return whole
    cgst, sgst, igst = (
        amount_paise * tax // whole.total_paise
        for tax in (whole.cgst_paise, whole.sgst_paise, whole.igst_paise)
    )
    net = amount_paise - cgst - sgst - igst
    return Taxed(net, cgst, sgst, igst, 0, amount_paise)
