"""Questions people ask of the network. Nothing here changes anything."""

from evcharge.network.queries.evses import evses_now, is_heard_of
from evcharge.network.queries.search import (
    Site,
    SitePage,
    Totals,
    find_sites,
    site_page,
    sites_by_id,
    totals,
)

__all__ = [
    "Site",
    "SitePage",
    "Totals",
    "evses_now",
    "find_sites",
    "is_heard_of",
    "site_page",
    "sites_by_id",
    "totals",
]
