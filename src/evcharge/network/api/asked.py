"""What programs may ask the search for, and what is not clear about it."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from evcharge.bookings.asking import limits
from evcharge.bookings.rules import Slot, check_slot
from evcharge.kernel.errors import InvalidInput
from evcharge.kernel.geo import Box, Point
from evcharge.network.forms import LONGEST_TEXT, MOST_KW, Unclear, words_from_text
from evcharge.network.rules import USUAL_RADIUS_M, Order, Search
from evcharge.stations.rules import Access, ConnectorKind
from evcharge.stations.rules.entries import AMENITIES
from evcharge.stations.rules.vehicles import VehicleKind, plugs_for
from evcharge.web.api import Instant, PageQuery, Query, Text

_FRACTION = r"(?:\.[0-9]{1,12})?"
_LAT = rf"-?(?:90(?:\.0{{1,12}})?|[1-8]?[0-9]{_FRACTION})"
_LON = rf"-?(?:180(?:\.0{{1,12}})?|(?:1[0-7][0-9]|[1-9]?[0-9]){_FRACTION})"
_POINT = rf"^{_LAT},{_LON}$"
BOX = rf"^{_LON},{_LAT},{_LON},{_LAT}$"


_AMENITIES = {"enum": list(AMENITIES)}
MOST_PAISE_PER_KWH = 1_000_000


class BadSearch(InvalidInput):
    code = "bad_search"
    message = "These conditions do not go together."


class BadBox(InvalidInput):
    code = "bad_box"
    message = "A box is west,south,east,north, with west < east and south < north."


class Conditions(Query):
    """What may be asked of a location, in a list and on a map alike."""

    q: Text | None = Field(
        default=None,
        max_length=LONGEST_TEXT,
        description="Words of a name, an address, a city or a pincode",
    )
    connector: list[ConnectorKind] = Field(
        default=[], description="One or more; any of them will do"
    )
    vehicle: VehicleKind | None = Field(
        default=None, description="Only plugs that such vehicles charge with"
    )
    min_kw: float = Field(default=0, ge=0, le=MOST_KW, description="Of one plug")
    amenity: list[Annotated[Text, Field(json_schema_extra=_AMENITIES)]] = Field(
        default=[], description="One or more; all of them must be there"
    )
    access: Access | None = Field(
        default=None, description="Who may drive up; both, unless you say"
    )
    operator: int | None = Field(
        default=None, ge=1, lt=2**31, description="The id of an operator"
    )
    max_paise_per_kwh: int | None = Field(
        default=None,
        ge=0,
        le=MOST_PAISE_PER_KWH,
        description="What a kWh comes to in a charge of an hour, tax included, by the"
        " dearest hour of the week. Where nobody knows, it is not found",
    )
    working: bool = Field(
        default=False, description="An EVSE is heard of, and a plug of it works"
    )
    free_now: bool = Field(default=False, description="An EVSE can be used at once")
    free_from: Instant | None = Field(
        default=None, description="With free_to: an EVSE can be booked for this slot"
    )
    free_to: Instant | None = None


class LocationQuery(Conditions, PageQuery):
    near: str | None = Field(
        default=None,
        pattern=_POINT,
        description="lat,lon in degrees: the nearest come first",
        examples=["12.9756,77.6066"],
    )
    radius_km: float | None = Field(
        default=None, gt=0, le=1000, description="Only with near: no farther than this"
    )
    bbox: str | None = Field(
        default=None,
        pattern=BOX,
        description="west,south,east,north in degrees: only what lies within",
        examples=["77.4,12.8,77.8,13.1"],
    )
    include: list[Literal["evses"]] = Field(
        default=[], description="`evses`: each location with how its EVSEs are now"
    )
    sort: Order = Field(
        default=Order.DISTANCE,
        description="What comes first; by anything but distance, with near and without"
        " radius_km, it looks 50 km far",
    )


def search_of(query: LocationQuery, now: datetime) -> Search:
    """Raises: BadSearch, BadBox, SlotNotBookable."""
    if query.radius_km is not None and query.near is None:
        raise BadSearch("radius_km means nothing without near.")
    near, radius_m = _point(query.near), None
    if query.radius_km is not None:
        radius_m = round(query.radius_km * 1000)
    elif query.sort != Order.DISTANCE and near is not None:
        radius_m = USUAL_RADIUS_M
    return replace(
        conditions_of(query, now),
        near=near,
        radius_m=radius_m,
        box=box_of(query.bbox) if query.bbox else None,
        order=query.sort,
    )


def conditions_of(query: Conditions, now: datetime) -> Search:
    """Raises: BadSearch, SlotNotBookable."""
    kinds = plugs_for(query.vehicle, frozenset(query.connector))
    if kinds is None:
        raise BadSearch("No such vehicle charges with these plugs.")
    if not set(query.amenity) <= AMENITIES.keys():
        raise BadSearch("We have no word for one of these amenities.")
    try:
        words = words_from_text(query.q or "")
    except Unclear as unclear:
        raise BadSearch(str(unclear)) from unclear
    return Search(
        words=words,
        kinds=kinds,
        min_power_w=round(query.min_kw * 1000),
        amenities=frozenset(query.amenity),
        access=query.access,
        operator_id=query.operator,
        most_paise_per_kwh=query.max_paise_per_kwh,
        is_working=query.working,
        is_free_now=query.free_now,
        slot=_slot(query, now),
    )


def _point(near: str | None) -> Point | None:
    return Point(*map(float, near.split(","))) if near else None


def box_of(bbox: str) -> Box:
    """Raises: BadBox."""
    box = Box(*map(float, bbox.split(",")))
    if not (box.west < box.east and box.south < box.north):
        raise BadBox
    return box


def _slot(query: Conditions, now: datetime) -> Slot | None:
    if query.free_from is None and query.free_to is None:
        return None
    if query.free_from is None or query.free_to is None:
        raise BadSearch("Send free_from and free_to together.")
    slot = Slot(query.free_from, query.free_to)
    check_slot(slot, limits=limits(), now=now)
    return slot
