"""Questions people ask of the network. Nothing here changes anything."""

from evcharge.network.queries.evses import (
    MostPower,
    evses_now,
    most_power_at,
)
from evcharge.network.queries.search import (
    Site,
    SitePage,
    find_sites,
    site_page,
    sites_by_id,
)
from evcharge.network.queries.totals import Totals, totals

__all__ = [
    "MostPower",
    "Site",
    "SitePage",
    "Totals",
    "evses_now",
    "find_sites",
    "most_power_at",
    "site_page",
    "sites_by_id",
    "totals",
]
