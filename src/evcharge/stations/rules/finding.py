"""What the search index says of a location, worked out without a database."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from evcharge.stations.rules import ConnectorKind

# In place of a kind, in the row that tells of all plugs of a location.
ANY_KIND = ""
# Some 28 km from south to north: coarse, for they only say how far to look at first.
CELLS_PER_DEGREE = 4


@dataclass(frozen=True)
class SearchRow:
    """A location where a kind of plug is, and the most power of such a plug there.

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

    @property
    def cell(self) -> tuple[str, int, int]:
        return (self.kind, *cell_at(self.lat, self.lon))


def search_rows(
    location_id: int,
    lat: float,
    lon: float,
    max_powers_w: Mapping[ConnectorKind | None, int],
) -> list[SearchRow]:
    """Return a row for each kind, and one for any; `max_powers_w`: of each kind.

    No kind stands for charging points without a plug: they can be found too.
    """
    x, y, z = on_globe(lat, lon)
    powers = {str(kind): power for kind, power in max_powers_w.items() if kind}
    powers[ANY_KIND] = max(max_powers_w.values())
    return [
        SearchRow(location_id, kind, lat, lon, power_w, x, y, z)
        for kind, power_w in powers.items()
    ]


def cell_at(lat: float, lon: float) -> tuple[int, int]:
    """Return how many cells lie south and west of the place's."""
    return (
        math.floor((lat + 90) * CELLS_PER_DEGREE),
        math.floor((lon + 180) * CELLS_PER_DEGREE),
    )


def on_globe(lat: float, lon: float) -> tuple[float, float, float]:
    """Return the place as x, y, z on a globe of radius 1."""
    phi, theta = math.radians(lat), math.radians(lon)
    return (
        math.cos(phi) * math.cos(theta),
        math.cos(phi) * math.sin(theta),
        math.sin(phi),
    )
