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
from evcharge.network.queries.search_map import Cluster, MapView, clusters, map_view
from evcharge.network.queries.totals import Totals, totals

__all__ = [
    "Cluster",
    "MapView",
    "MostPower",
    "Site",
    "SitePage",
    "Totals",
    "clusters",
    "evses_now",
    "find_sites",
    "map_view",
    "most_power_at",
    "site_page",
    "sites_by_id",
    "totals",
]
