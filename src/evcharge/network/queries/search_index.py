"""What the search index itself can say of a search: conditions of constant text."""

from sqlalchemy import ColumnElement, bindparam

from evcharge.kernel.geo import Box
from evcharge.network.rules import Search
from evcharge.stations.models import LocationConnector
from evcharge.stations.rules.finding import ANY_KIND, UNKNOWN_PRICE, traits_of

HIGHEST_ID = 2**31 - 1

_INDEX = LocationConnector

# The same for every search, so that a statement is put together and planned once; what
# was not asked for is a bound that everything is within.
CONDITIONS: tuple[ColumnElement[bool], ...] = (
    _INDEX.kind.in_(bindparam("kinds", expanding=True)),
    _INDEX.max_power_w >= bindparam("min_power_w"),
    _INDEX.traits.bitwise_and(bindparam("traits")) == bindparam("traits"),
    _INDEX.operator_id.between(bindparam("operator"), bindparam("last_operator")),
    _INDEX.paise_per_kwh <= bindparam("most_paise"),
)
WITHIN: tuple[ColumnElement[bool], ...] = (
    _INDEX.lat.between(bindparam("south"), bindparam("north")),
    _INDEX.lon.between(bindparam("west"), bindparam("east")),
)


def kinds_of(search: Search) -> list[str]:
    return sorted(search.kinds) or [ANY_KIND]


def asked_of_index(search: Search) -> dict[str, object]:
    """Return the values of CONDITIONS."""
    operator, price = search.operator_id, search.most_paise_per_kwh
    return {
        "kinds": kinds_of(search),
        "min_power_w": search.min_power_w,
        "traits": traits_of(search.access, search.amenities),
        "operator": 0 if operator is None else operator,
        "last_operator": HIGHEST_ID if operator is None else operator,
        "most_paise": UNKNOWN_PRICE if price is None else price,
    }


def asked_place(box: Box) -> dict[str, object]:
    """Return the values of WITHIN."""
    return {
        "south": box.south,
        "north": box.north,
        "west": box.west,
        "east": box.east,
    }
