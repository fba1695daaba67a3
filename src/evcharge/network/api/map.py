"""The map: locations with how they are, or how many there are where."""

from pydantic import Field

from evcharge.bookings.rules import SlotNotBookable
from evcharge.kernel.clock import utc_now
from evcharge.network.api.asked import (
    BOX,
    BadBox,
    BadSearch,
    Conditions,
    box_of,
    conditions_of,
)
from evcharge.network.api.blueprint import api
from evcharge.network.queries import Cluster, evses_now, map_view
from evcharge.network.rules.summaries import Mark, mark_of, summary_of
from evcharge.web.api import Answer
from evcharge.web.context import public, reading

INDIA = "68,6,98,37.5"


class MapQuery(Conditions):
    bbox: str = Field(
        default=INDIA,
        pattern=BOX,
        description="west,south,east,north in degrees: the part that is shown",
        examples=["77.4,12.8,77.8,13.1"],
    )
    zoom: int | None = Field(
        default=None, ge=0, le=24, description="As web maps count it; 256 pixels a tile"
    )


class LocationMark(Answer):
    id: int
    name: str
    lat: float
    lon: float
    mark: Mark
    free: int = Field(description="Of its EVSEs that suit: free now, or for the slot")
    total: int


class ClusterMark(Answer):
    """Locations close together: their middle, and the part of the map they are in."""

    lat: float
    lon: float
    locations: int
    bbox: str = Field(description="west,south,east,north: what to look at next")


class MapAnswer(Answer):
    """Locations where they are few, else clusters."""

    locations: list[LocationMark]
    clusters: list[ClusterMark]
    is_whole: bool = Field(
        description="false: only those around the middle are shown; come closer"
    )


@api.get("/map", guard=public, refuses=(BadSearch, BadBox, SlotNotBookable))
def get_map(query: MapQuery) -> MapAnswer:
    """See what is in a part of the map.

    Up to 150 locations come one by one, with a mark: free, busy, broken or unknown.
    More are counted in cells; the edge of the part may cut a cell.
    """
    now = utc_now()
    search = conditions_of(query, now)
    view = map_view(reading(), search, box_of(query.bbox), zoom=query.zoom, now=now)
    ids = [site.id for site in view.sites]
    evses = evses_now(reading(), ids, now=now, slot=search.slot) if ids else {}
    marks = []
    for site in view.sites:
        summary = summary_of(evses[site.id], search)
        marks.append(
            LocationMark(
                id=site.id,
                name=site.name,
                lat=site.lat,
                lon=site.lon,
                mark=mark_of(evses[site.id], search),
                free=summary.free,
                total=summary.total,
            )
        )
    return MapAnswer(
        locations=marks,
        clusters=[_cluster(each) for each in view.clusters],
        is_whole=view.is_whole,
    )


def _cluster(cluster: Cluster) -> ClusterMark:
    cell = cluster.cell
    return ClusterMark(
        lat=round(cluster.lat, 6),
        lon=round(cluster.lon, 6),
        locations=cluster.locations,
        bbox=f"{cell.west:g},{cell.south:g},{cell.east:g},{cell.north:g}",
    )
