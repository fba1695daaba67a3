"""What a search knows of each location it comes by, in whatever order it goes."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, String, cast, func, select, true
from sqlalchemy.orm import Session, aliased

from evcharge.network.rules import Order, Position, Search
from evcharge.stations.models import Location, LocationConnector
from evcharge.stations.rules import ConnectorKind
from evcharge.stations.rules.finding import ANY_KIND, UNKNOWN_PRICE

Found = Row[*tuple[Any, ...]]

PLACE_COLUMNS = (
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
_plug = aliased(LocationConnector)
# What is offered of each plug there, in one text: a row for each would be a moment at
# which another thread takes the interpreter, and there are sixty for a page.
_OFFERS = (
    select(
        func.aggregate_strings(
            _plug.kind
            + " "
            + cast(_plug.max_power_w, String)
            + " "
            + cast(_plug.paise_per_kwh, String),
            ",",
        )
    )
    .where(_plug.location_id == Location.id, _plug.kind != ANY_KIND)
    .correlate(Location)
    .scalar_subquery()
    .label("offers")
)
SITE_COLUMNS = (*PLACE_COLUMNS, _OFFERS)
# Where not all may fit, how many to look at more closely before sieving the rest.
BATCHES = (60, 240)


class PlugOffer(NamedTuple):
    """What a location offers at most by a kind of plug, and the least it costs."""

    kind: ConnectorKind
    power_w: int
    paise_per_kwh: int | None


@lru_cache(maxsize=2000)  # There are few different ones.
def offers_in(text: str | None) -> tuple[PlugOffer, ...]:
    """Return what `_OFFERS` says, by kind."""
    found = (each.split(" ") for each in (text or "").split(",") if each)
    return tuple(
        PlugOffer(
            ConnectorKind(kind),
            int(power_w),
            None if int(paise) == UNKNOWN_PRICE else int(paise),
        )
        for kind, power_w, paise in sorted(found)
    )


def rows_of(
    session: Session, statement: Select[*tuple[Any, ...]], asked: dict[str, object]
) -> Sequence[Found]:
    """Read rows of columns: they need none of what a session does for objects."""
    return session.connection().execute(statement, asked).all()


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
