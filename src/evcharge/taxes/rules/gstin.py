"""The number of somebody who pays GST: its parts, and the digit that catches typing
mistakes."""

import re

from evcharge.kernel.errors import InvalidInput
from evcharge.taxes.rules.states import state_of_code

_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# State, PAN, which one of that PAN in that state, Z by custom, check digit.
_SHAPE = re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][0-9A-Z]{3}", re.ASCII)


class GstinInvalid(InvalidInput):
    code = "gstin_invalid"
    message = "Check the GSTIN: 15 letters and digits, such as 27AAPFU0939F1ZV."


def read_gstin(typed: str) -> str:
    """Return a GSTIN without spaces and in capitals.

    Raises: GstinInvalid, which says what is wrong with it.
    """
    gstin = "".join(typed.split()).upper()
    if not _SHAPE.fullmatch(gstin):
        raise GstinInvalid
    if state_of_code(gstin[:2]) is None:
        raise GstinInvalid(f"No state has the code {gstin[:2]}. Check the first two.")
    if check_digit(gstin[:14]) != gstin[14]:
        raise GstinInvalid(
            "The last character does not fit the others. Check for a typing mistake."
        )
    return gstin


def check_digit(first_fourteen: str) -> str:
    """Every second sign counts twice; a product in base 36 adds up its digits."""
    total = 0
    for place, sign in enumerate(first_fourteen):
        product = _SIGNS.index(sign) * (1 + place % 2)
        total += product // 36 + product % 36
    return _SIGNS[-total % 36]


def state_of(gstin: str) -> str:
    """Return the state of a GSTIN that has been checked."""
    state = state_of_code(gstin[:2])
    if state is None:
        raise GstinInvalid
    return state
