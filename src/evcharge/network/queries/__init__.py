"""Questions people ask of the network. Nothing here changes anything."""

from evcharge.network.queries.evses import evses_now, is_heard_of
from evcharge.network.queries.search import (
    Site,
    SitePage,
    find_sites,
    site_page,
    sites_by_id,
)

__all__ = [
    "Site",
    "SitePage",
    "evses_now",
    "find_sites",
    "is_heard_of",
    "site_page",
    "sites_by_id",
]
