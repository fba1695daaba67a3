"""What a search knows of each location it comes by, in whatever order it goes."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Row, true

from evcharge.network.rules import Order, Position, Search
from evcharge.stations.models import Location

Found = Row[*tuple[Any, ...]]

SITE_COLUMNS = (
    Location.id,
    Location.name,
    Location.address,
    Location.city,
    Location.state,
    Location.pincode,
    Location.lat,
    Location.lon,
    Location.timezone,
    Location.opening_hours,
    Location.access,
    Location.reliability_permille,
)
# Where not all may fit, how many to look at more closely before sieving the rest.
BATCHES = (60, 240)


def position_at(row: Found, search: Search) -> Position:
    if search.order != Order.DISTANCE:
        return Position(row.id, away=row.away, worth=row.worth)
    if search.outward_from is not None:
        return Position(row.id, away=row.away)
    return Position(row.id, rank=row.rank, name=row.name)


def says(text: str) -> ColumnElement[bool]:
    return Location.search_text.contains(text, autoescape=True)


def batches(
    sieve: ColumnElement[bool] | None, at_least: int
) -> Iterator[tuple[int, bool]]:
    """Yield how many to fetch, and whether only those that fit."""
    if sieve is not None:
        yield from ((max(size, at_least), False) for size in BATCHES)
    while True:
        yield at_least, True


def fits(sieve: ColumnElement[bool] | None) -> ColumnElement[bool]:
    return (true() if sieve is None else sieve).label("fits")
