"""What the search index says of a location, worked out without a database."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from evcharge.stations.rules import Access, ConnectorKind
from evcharge.stations.rules.entries import AMENITIES

# In place of a kind, in the row that tells of all plugs of a location.
ANY_KIND = ""
# Some 28 km from south to north: coarse, for they only say how far to look at first.
CELLS_PER_DEGREE = 4
# Cells of the map, by how many there are to a degree: 2 to the level.
LEVELS = range(-2, 7)
# What is not known comes last: dearer than anything, and less reliable.
UNKNOWN_PRICE = 2**31 - 1
UNKNOWN_RELIABILITY = -1
MICRO = 1_000_000

# Bits that are stored: what is added comes last, and nothing is taken out.
_ACCESS_BITS = {Access.PUBLIC: 1, Access.RESTRICTED: 2}
_AMENITY_BITS = {each: 4 << number for number, each in enumerate(AMENITIES)}


@dataclass(frozen=True)
class Ground:
    """What is the same for all plugs of a location; `traits` as in `traits_of`."""

    location_id: int
    lat: float
    lon: float
    operator_id: int
    traits: int
    reliability_permille: int = UNKNOWN_RELIABILITY


@dataclass(frozen=True)
class Offer:
    """Of a kind of plug at a location: the most power, and the cheapest point."""

    max_power_w: int
    paise_per_kwh: int = UNKNOWN_PRICE


@dataclass(frozen=True)
class SearchRow:
    """A location where a kind of plug is, and what is offered of it there.

    `x, y, z`: the place on a globe of radius 1. What is nearer in a straight line
    through the globe is nearer along it too, and straight lines need no cosines,
    which not every SQLite knows.
    """

    location_id: int
    kind: str
    lat: float
    lon: float
    max_power_w: int
    x: float
    y: float
    z: float
    operator_id: int
    traits: int
    paise_per_kwh: int
    reliability_permille: int

    @property
    def cell(self) -> tuple[str, int, int]:
        return (self.kind, *cell_at(self.lat, self.lon))

    @property
    def spot(self) -> "Spot":
        return Spot(self.kind, round(self.lat * MICRO), round(self.lon * MICRO))


@dataclass(frozen=True)
class Spot:
    """A plug on the map. In millionths of a degree, so that sums of many are exact."""

    kind: str
    lat_e6: int
    lon_e6: int

    def cell(self, level: int) -> tuple[int, int]:
        return cell_at(self.lat_e6 / MICRO, self.lon_e6 / MICRO, 2.0**level)


def search_rows(
    ground: Ground, offers: Mapping[ConnectorKind | None, Offer]
) -> list[SearchRow]:
    """Return a row for each kind, and one for any; `offers`: of each kind.

    No kind stands for charging points without a plug: they can be found too.
    """
    x, y, z = on_globe(ground.lat, ground.lon)
    known = {str(kind): offer for kind, offer in offers.items() if kind}
    known[ANY_KIND] = Offer(
        max(each.max_power_w for each in offers.values()),
        min(each.paise_per_kwh for each in offers.values()),
    )
    return [
        SearchRow(
            ground.location_id,
            kind,
            ground.lat,
            ground.lon,
            offer.max_power_w,
            x,
            y,
            z,
            ground.operator_id,
            ground.traits,
            offer.paise_per_kwh,
            ground.reliability_permille,
        )
        for kind, offer in known.items()
    ]


def traits_of(access: Access | None, amenities: Collection[str]) -> int:
    """Return what a location is like as bits; of a search, those that must be set.

    An amenity we have no word for has no bit.
    """
    bits = _ACCESS_BITS[access] if access else 0
    for amenity in amenities:
        bits |= _AMENITY_BITS.get(amenity, 0)
    return bits


def cell_at(
    lat: float, lon: float, per_degree: float = CELLS_PER_DEGREE
) -> tuple[int, int]:
    """Return how many cells lie south and west of the place's."""
    return math.floor((lat + 90) * per_degree), math.floor((lon + 180) * per_degree)


def on_globe(lat: float, lon: float) -> tuple[float, float, float]:
    """Return the place as x, y, z on a globe of radius 1."""
    phi, theta = math.radians(lat), math.radians(lon)
    return (
        math.cos(phi) * math.cos(theta),
        math.cos(phi) * math.sin(theta),
        math.sin(phi),
    )
