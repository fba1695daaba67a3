"""Finding chargers, for programs: the search, a map, a location, when one is free."""

from evcharge.network.api import availability, locations, map
from evcharge.network.api.blueprint import api

__all__ = ["api", "availability", "locations", "map"]
