"""What may stand for a number in an address."""

from flask import Flask
from werkzeug.routing import IntegerConverter

HIGHEST_ID = 2**31 - 1  # Of a column of PostgreSQL's type integer.


def _up_to(highest: int) -> str:
    r"""Return a pattern of the numbers from 0 to this one.

    Python's own \d would also take the digits of other scripts.
    """
    digits = str(highest)
    smaller = [
        f"{digits[:place]}[0-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}"
        for place, digit in enumerate(digits)
        if digit != "0"
    ]
    return "|".join([f"[0-9]{{1,{len(digits) - 1}}}", *smaller, digits])


class RowId(IntegerConverter):
    """Every `<int:…>`. Databases refuse larger numbers, and no row has one.

    The pattern says so, not `max`: werkzeug 3.1 answers 405 for a number that only a
    converter refuses, where the address takes several methods.
    """

    regex = f"(?:{_up_to(HIGHEST_ID)})"


def install(app: Flask) -> None:
    """Must come before the first route, which is compiled as it is added."""
    app.url_map.converters["int"] = RowId
