"""What may stand for a number in an address."""

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

HIGHEST_ID = 2**31 - 1  # Of a column of PostgreSQL's type integer.


class RowId(IntegerConverter):
    """Every `<int:…>`. Databases refuse larger numbers, and no row has one."""

    regex = "[0-9]{1,19}"  # Python's own \d also takes the digits of other scripts.

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=HIGHEST_ID)


def install(app: Flask) -> None:
    """Must come before the first route, which is compiled as it is added."""
    app.url_map.converters["int"] = RowId
