"""Straight lines through the globe: what is nearer along one is nearer on it too."""

import math

from sqlalchemy import ColumnElement, Float, bindparam

from evcharge.kernel.geo import Point
from evcharge.stations.models import LocationConnector
from evcharge.stations.rules.finding import on_globe


def away_from_here() -> ColumnElement[float]:
    """The square of the straight line from `here` through the globe."""
    each = LocationConnector
    x, y, z = (
        column - bindparam(f"here_{column.key}", type_=Float)
        for column in (each.x, each.y, each.z)
    )
    return x * x + y * y + z * z


def here_as_asked(here: Point) -> dict[str, object]:
    """Return the values of `away_from_here`."""
    x, y, z = on_globe(here.lat, here.lon)
    return {"here_x": x, "here_y": y, "here_z": z}


def squared_chord(angle: float) -> float:
    """Return the square of the straight line between places so far apart."""
    return (2 * math.sin(angle / 2)) ** 2


def angle_of(squared_chord: float | None) -> float:
    return 2 * math.asin(min(1.0, math.sqrt(max(0.0, squared_chord or 0.0)) / 2))
