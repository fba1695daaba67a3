"""Questions people ask of the network. Nothing here changes anything."""

from evcharge.network.queries.evses import evses_now
from evcharge.network.queries.search import (
    Site,
    SitePage,
    find_sites,
    site_page,
    sites_by_id,
)
from evcharge.network.queries.search_found import PlugOffer
from evcharge.network.queries.search_map import Cluster, MapView, clusters, map_view
from evcharge.network.queries.totals import Totals, totals

__all__ = [
    "Cluster",
    "MapView",
    "PlugOffer",
    "Site",
    "SitePage",
    "Totals",
    "clusters",
    "evses_now",
    "find_sites",
    "map_view",
    "site_page",
    "sites_by_id",
    "totals",
]
