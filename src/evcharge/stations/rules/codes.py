"""The short code on a charging point, which people scan or type: `7K3M9`.

It is worked out from the EVSE's id alone. The last character checks the others, so
that a slip of a finger is found instead of leading to somebody else's charger.
"""

from evcharge.kernel.errors import NotFound
from evcharge.kernel.ids import READABLE

SHORTEST = 4  # Without the check: 614,656 EVSEs. Beyond them codes grow by one.
BASE = len(READABLE)
# Neighbours get codes that do not look alike. It shares no factor with 28.
_STRIDE = 362_893
_IGNORED = str.maketrans("", "", " -")


class WrongCode(NotFound):
    code = "wrong_code"
    message = "No charging point has this code. Compare it with the one on the charger."


def evse_code(evse_id: int) -> str:
    length = SHORTEST
    while evse_id >= BASE**length:
        length += 1
    data = _digits(evse_id * _STRIDE % BASE**length, length)
    return data + _check(data)


def evse_of_code(code: str) -> int:
    """Read a code as people type it: small letters, spaces and hyphens are fine.

    Raises: WrongCode.
    """
    written = code.translate(_IGNORED).upper()
    data, check = written[:-1], written[-1:]
    is_possible = SHORTEST <= len(data) <= 12 and set(written) <= set(READABLE)
    if not is_possible or _check(data) != check:
        raise WrongCode
    size: int = BASE ** len(data)
    back = pow(_STRIDE, -1, size)
    evse_id = _number(data) * back % size
    if evse_code(evse_id) != written:  # Longer than it had to be.
        raise WrongCode
    return evse_id


def _digits(number: int, length: int) -> str:
    text = ""
    for _ in range(length):
        number, digit = divmod(number, BASE)
        text = READABLE[digit] + text
    return text


def _number(text: str) -> int:
    number = 0
    for character in text:
        number = number * BASE + READABLE.index(character)
    return number


def _check(data: str) -> str:
    """ISO 7064, the hybrid system of MOD 11,10, here MOD 29,28: 29 is a prime.

    It finds every single wrong character.
    """
    product = BASE
    for character in data:
        total = (product + READABLE.index(character)) % BASE or BASE
        product = total * 2 % (BASE + 1)
    return READABLE[(1 - product) % BASE]
