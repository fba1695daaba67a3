"""Where something is on the globe, what part of the map, and how far apart."""

import math
from dataclasses import dataclass

EARTH_RADIUS_M = 6_371_009


@dataclass(frozen=True)
class Point:
    lat: float
    lon: float


@dataclass(frozen=True)
class Box:
    """A part of the map, in degrees, its edges included. It never crosses 180°."""

    west: float
    south: float
    east: float
    north: float

    @property
    def middle(self) -> Point:
        return Point((self.south + self.north) / 2, (self.west + self.east) / 2)

    def holds(self, other: "Box") -> bool:
        return other == self.part_in(other)

    def part_in(self, other: "Box") -> "Box":
        """Return what both cover; upside down, and so empty, when that is nothing."""
        return Box(
            max(self.west, other.west),
            max(self.south, other.south),
            min(self.east, other.east),
            min(self.north, other.north),
        )


def distance_m(one: Point, other: Point) -> float:
    """Return the length of the great circle between two points, by haversines."""
    lat, other_lat = math.radians(one.lat), math.radians(other.lat)
    half_lat = (other_lat - lat) / 2
    half_lon = math.radians(other.lon - one.lon) / 2
    haversine = (
        math.sin(half_lat) ** 2
        + math.cos(lat) * math.cos(other_lat) * math.sin(half_lon) ** 2
    )
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, haversine)))


def around(point: Point, angle: float) -> Box:
    """Return a box that all places lie in which are at most `angle` (radians) away."""
    angle += 1e-9  # Some millimetres, so that nothing is lost to rounding.
    south = point.lat - math.degrees(angle)
    north = point.lat + math.degrees(angle)
    if south <= -90 or north >= 90:  # All the way round a pole.
        return Box(-180, south, 180, north)
    width = math.asin(math.sin(angle) / math.cos(math.radians(point.lat)))
    west, east = (point.lon + sign * math.degrees(width) for sign in (-1, 1))
    if west < -180 or east > 180:  # A box does not cross 180°.
        return Box(-180, south, 180, north)
    return Box(west, south, east, north)
