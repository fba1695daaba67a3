"""Finding chargers, for programs: the search, a location, when an EVSE is free."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field, TypeAdapter

from evcharge.bookings.asking import limits
from evcharge.bookings.queries import bookable_evse, claims_between
from evcharge.bookings.rules import Slot, SlotNotBookable, check_slot
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import InvalidInput
from evcharge.kernel.geo import Box, Point
from evcharge.network.forms import LONGEST_TEXT, MOST_KW, Unclear, words_from_text
from evcharge.network.queries import (
    MostPower,
    Site,
    SitePage,
    evses_now,
    find_sites,
    most_power_at,
    site_page,
)
from evcharge.network.rules import (
    EvseNow,
    PlugNow,
    Position,
    Search,
    free_stretches,
    taken_stretches,
)
from evcharge.stations.rules import (
    ConnectorKind,
    EvseNotFound,
    EvseStatus,
    LocationNotFound,
    ReportedStatus,
)
from evcharge.web.api import (
    Answer,
    Api,
    Instant,
    Money,
    Page,
    PageQuery,
    Query,
    Text,
    cursor_of,
    position_or_none,
)
from evcharge.web.context import public, reading

api = Api("network")

LONGEST_AVAILABILITY = timedelta(days=15)
USUAL_AVAILABILITY = timedelta(days=1)
FARTHEST_AVAILABILITY = timedelta(days=400)
_POSITION = TypeAdapter(Position)

_FRACTION = r"(?:\.[0-9]{1,12})?"
_LAT = rf"-?(?:90(?:\.0{{1,12}})?|[1-8]?[0-9]{_FRACTION})"
_LON = rf"-?(?:180(?:\.0{{1,12}})?|(?:1[0-7][0-9]|[1-9]?[0-9]){_FRACTION})"
_POINT = rf"^{_LAT},{_LON}$"
_BOX = rf"^{_LON},{_LAT},{_LON},{_LAT}$"


class BadSearch(InvalidInput):
    code = "bad_search"
    message = "These conditions do not go together."


class BadBox(InvalidInput):
    code = "bad_box"
    message = "A box is west,south,east,north, with west < east and south < north."


class BadRange(InvalidInput):
    code = "bad_range"
    message = "Ask from a time to a later one, at most 15 days on."


# ── what goes in and out ─────────────────────────────────────────────────────────


class LocationQuery(PageQuery):
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
        pattern=_BOX,
        description="west,south,east,north in degrees: only what lies within",
        examples=["77.4,12.8,77.8,13.1"],
    )
    q: Text | None = Field(
        default=None,
        max_length=LONGEST_TEXT,
        description="Words of a name, an address, a city or a pincode",
    )
    connector: list[ConnectorKind] = Field(
        default=[], description="One or more; any of them will do"
    )
    min_kw: float = Field(default=0, ge=0, le=MOST_KW, description="Of one plug")
    free_from: Instant | None = Field(
        default=None, description="With free_to: an EVSE can be booked for this slot"
    )
    free_to: Instant | None = None
    include: list[Literal["evses"]] = Field(
        default=[], description="`evses`: each location with how its EVSEs are now"
    )


class AvailabilityQuery(Query):
    since: Instant | None = Field(
        default=None, alias="from", description="Now, unless you say"
    )
    until: Instant | None = Field(
        default=None, alias="to", description="A day later, unless you say"
    )


class PlugAnswer(Answer):
    number: int
    kind: ConnectorKind
    power_w: int
    reported_status: ReportedStatus | None = Field(description="By the charger's word")
    reported_at: Instant | None


class EvseAnswer(Answer):
    """What a vehicle stands at; this is what is booked."""

    id: int
    charger: str
    number: int
    status: EvseStatus
    status_at: Instant | None = Field(description="Since when, if the charger said so")
    last_seen_at: Instant | None = Field(description="How fresh this is")
    next_free_at: Instant | None = Field(description="Within a day; null: not known")
    is_bookable: bool
    price_per_hour: Money = Field(
        description="Per started hour, tax included; where no tariff applies"
    )
    price: str | None = Field(description="In words, where a tariff applies")
    connectors: list[PlugAnswer]


class KindAnswer(Answer):
    kind: ConnectorKind
    max_power_w: int


class LocationAnswer(Answer):
    id: int
    name: str
    address: str
    city: str
    state: str
    pincode: str
    lat: float
    lon: float
    timezone: str
    opening_hours: str = Field(description="24/7, or wall times: 06:00-22:00")


class LocationFound(LocationAnswer):
    distance_m: int | None = Field(description="As the crow flies, with near")
    connectors: list[KindAnswer]
    evses: list[EvseAnswer] | None = Field(description="Only with include=evses")


class OperatorAnswer(Answer):
    name: str
    phone: str | None


class LocationDetails(LocationAnswer):
    operator: OperatorAnswer
    amenities: list[str]
    is_active: bool = Field(description="Open to drivers at all")
    evses: list[EvseAnswer]


class Stretch(Answer):
    starts_at: Instant
    ends_at: Instant


class Availability(Answer):
    """By the same claims that booking looks at: what lies in one `free` can be had."""

    evse_id: int
    since: Instant = Field(serialization_alias="from")
    until: Instant = Field(serialization_alias="to")
    is_bookable: bool
    price_per_hour: Money
    free: list[Stretch]
    taken: list[Stretch]


# ── operations ───────────────────────────────────────────────────────────────────


@api.get("/locations", guard=public, refuses=(BadSearch, BadBox, SlotNotBookable))
def list_locations(query: LocationQuery) -> Page[LocationFound]:
    """Find locations.

    Nearest first with `near`; from the middle of a `bbox` outward; else the best match,
    then by name. All conditions on an EVSE hold for one and the same EVSE.
    """
    now = utc_now()
    search = _search(query, now)
    sites, after = find_sites(
        reading(),
        search,
        now=now,
        limit=query.limit,
        after=position_or_none(query.cursor, _POSITION),
    )
    ids = [site.id for site in sites]
    powers = most_power_at(reading(), ids)
    wants_evses = "evses" in query.include
    evses = evses_now(reading(), ids, now=now, with_prices=True) if wants_evses else {}
    return Page(
        items=[
            _found(site, powers.get(site.id, ()), evses.get(site.id)) for site in sites
        ],
        next_cursor=cursor_of(after) if after else None,
    )


@api.get("/locations/<int:location_id>", guard=public, refuses=(LocationNotFound,))
def get_location(location_id: int) -> LocationDetails:
    """Look at a location and how its EVSEs are now."""
    now = utc_now()
    site = site_page(reading(), location_id)
    evses = evses_now(reading(), [location_id], now=now, with_prices=True)[location_id]
    return LocationDetails(
        **_about(site),
        operator=OperatorAnswer(name=site.operator_name, phone=site.operator_phone),
        amenities=list(site.amenities),
        is_active=site.is_active,
        evses=[_evse(each) for each in evses],
    )


@api.get(
    "/evses/<int:evse_id>/availability",
    guard=public,
    refuses=(EvseNotFound, BadRange),
)
def get_availability(evse_id: int, query: AvailabilityQuery) -> Availability:
    """See when an EVSE is free and when it is taken.

    `free` ends where bookings are not open yet.
    """
    now = utc_now()
    asked = _asked_stretch(query, now)
    evse = bookable_evse(reading(), evse_id)
    quarters = asked.quarters
    claims = claims_between(
        reading(), [evse_id], quarters.start, quarters.stop, now=now
    )
    taken = {claim.slot_no for claim in claims}
    ahead = limits().ahead
    free = free_stretches(asked, taken, hours=evse.hours, ahead=ahead, now=now)
    return Availability(
        evse_id=evse_id,
        since=asked.starts_at,
        until=asked.ends_at,
        is_bookable=evse.is_open,
        price_per_hour=Money.of(evse.price_paise_per_hour),
        free=[_stretch(each) for each in free] if evse.is_open else [],
        taken=[_stretch(each) for each in taken_stretches(asked, taken)],
    )


# ── reading ──────────────────────────────────────────────────────────────────────


def _search(query: LocationQuery, now: datetime) -> Search:
    """Raises: BadSearch, BadBox, SlotNotBookable."""
    if query.radius_km is not None and query.near is None:
        raise BadSearch("radius_km means nothing without near.")
    try:
        words = words_from_text(query.q or "")
    except Unclear as unclear:
        raise BadSearch(str(unclear)) from unclear
    return Search(
        words=words,
        near=_point(query.near),
        radius_m=None if query.radius_km is None else round(query.radius_km * 1000),
        box=_box(query.bbox),
        kinds=frozenset(query.connector),
        min_power_w=round(query.min_kw * 1000),
        slot=_slot(query, now),
    )


def _point(near: str | None) -> Point | None:
    return Point(*map(float, near.split(","))) if near else None


def _box(bbox: str | None) -> Box | None:
    if not bbox:
        return None
    box = Box(*map(float, bbox.split(",")))
    if not (box.west < box.east and box.south < box.north):
        raise BadBox
    return box


def _slot(query: LocationQuery, now: datetime) -> Slot | None:
    if query.free_from is None and query.free_to is None:
        return None
    if query.free_from is None or query.free_to is None:
        raise BadSearch("Send free_from and free_to together.")
    slot = Slot(query.free_from, query.free_to)
    check_slot(slot, limits=limits(), now=now)
    return slot


def _asked_stretch(query: AvailabilityQuery, now: datetime) -> Slot:
    """Raises: BadRange."""
    asked = [at for at in (query.since, query.until) if at is not None]
    if any(abs(at - now) > FARTHEST_AVAILABILITY for at in asked):
        raise BadRange(f"Ask within {FARTHEST_AVAILABILITY.days} days of today.")
    since = query.since or now
    stretch = Slot(since, query.until or since + USUAL_AVAILABILITY)
    if not timedelta() < stretch.length <= LONGEST_AVAILABILITY:
        raise BadRange
    return stretch


# ── answering ────────────────────────────────────────────────────────────────────


def _about(site: Site | SitePage) -> dict[str, Any]:
    return {name: getattr(site, name) for name in LocationAnswer.model_fields}


def _found(
    site: Site, powers: Sequence[MostPower], evses: Sequence[EvseNow] | None
) -> LocationFound:
    return LocationFound(
        **_about(site),
        distance_m=None if site.distance_m is None else round(site.distance_m),
        connectors=[
            KindAnswer(kind=each.kind, max_power_w=each.power_w) for each in powers
        ],
        evses=None if evses is None else [_evse(each) for each in evses],
    )


def _evse(evse: EvseNow) -> EvseAnswer:
    return EvseAnswer(
        id=evse.evse_id,
        charger=evse.charger,
        number=evse.number,
        status=evse.status,
        status_at=evse.status_at,
        last_seen_at=evse.seen_at,
        next_free_at=evse.next_free_at,
        is_bookable=evse.is_open,
        price_per_hour=Money.of(evse.price_paise),
        price=evse.price_words,
        connectors=[_plug(plug) for plug in evse.plugs],
    )


def _plug(plug: PlugNow) -> PlugAnswer:
    return PlugAnswer(
        number=plug.number,
        kind=plug.kind,
        power_w=plug.power_w,
        reported_status=plug.reported,
        reported_at=plug.reported_at,
    )


def _stretch(slot: Slot) -> Stretch:
    return Stretch(starts_at=slot.starts_at, ends_at=slot.ends_at)
