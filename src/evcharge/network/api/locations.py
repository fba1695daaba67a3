"""Finding locations, and looking at one."""

from pydantic import TypeAdapter

from evcharge.bookings.rules import SlotNotBookable
from evcharge.kernel.clock import utc_now
from evcharge.network.api.asked import BadBox, BadSearch, LocationQuery, search_of
from evcharge.network.api.blueprint import api
from evcharge.network.api.shapes import (
    LocationDetails,
    LocationFound,
    OperatorAnswer,
    about,
    evse_answer,
    found,
)
from evcharge.network.queries import evses_now, find_sites, site_page
from evcharge.network.rules import Position
from evcharge.stations.rules import LocationNotFound
from evcharge.web.api import Page, cursor_of, position_or_none
from evcharge.web.context import public, reading

_POSITION = TypeAdapter(Position)


@api.get("/locations", guard=public, refuses=(BadSearch, BadBox, SlotNotBookable))
def list_locations(query: LocationQuery) -> Page[LocationFound]:
    """Find locations.

    Nearest first with `near`; from the middle of a `bbox` outward; else the best match,
    then by name. All conditions on an EVSE hold for one and the same EVSE.
    """
    now = utc_now()
    search = search_of(query, now)
    sites, after = find_sites(
        reading(),
        search,
        now=now,
        limit=query.limit,
        after=position_or_none(query.cursor, _POSITION),
    )
    ids = [site.id for site in sites]
    wants_evses = "evses" in query.include
    evses = evses_now(reading(), ids, now=now, with_prices=True) if wants_evses else {}
    return Page(
        items=[found(site, evses.get(site.id)) for site in sites],
        next_cursor=cursor_of(after) if after else None,
    )


@api.get("/locations/<int:location_id>", guard=public, refuses=(LocationNotFound,))
def get_location(location_id: int) -> LocationDetails:
    """Look at a location and how its EVSEs are now."""
    now = utc_now()
    site = site_page(reading(), location_id)
    evses = evses_now(reading(), [location_id], now=now, with_prices=True)[location_id]
    return LocationDetails(
        **about(site),
        operator=OperatorAnswer(name=site.operator_name, phone=site.operator_phone),
        amenities=list(site.amenities),
        is_active=site.is_active,
        evses=[evse_answer(each) for each in evses],
    )
