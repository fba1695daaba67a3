"""Stations as JSON: what operators send of them, and what they are told.

In an edit, what is left out or null stays as it is.
"""

from collections.abc import Callable, Collection
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from evcharge.bookings.reasons import LONGEST_REASON
from evcharge.control.rules import Protocol
from evcharge.network.forms import LONGEST_TEXT
from evcharge.stations.rules import (
    Access,
    ConnectorKind,
    EvseStatus,
    Lifecycle,
    OverrunPolicy,
    ReportedStatus,
)
from evcharge.stations.rules.entries import (
    AMENITIES,
    FASTEST_HEARTBEAT_SECONDS,
    HIGHEST_NUMBER,
    HIGHEST_PRICE_PAISE,
    LONGEST_ADDRESS,
    LONGEST_CITY,
    LONGEST_MAKE,
    LONGEST_NAME,
    MOST_POWER_W,
    SLOWEST_HEARTBEAT_SECONDS,
    STATES,
)
from evcharge.web.api import (
    WHOLE,
    Answer,
    Body,
    Instant,
    Money,
    PageQuery,
    Query,
    RowId,
    Text,
    Versioned,
)


def _one_of(words: Collection[str]) -> Callable[[str], str]:
    def check(word: str) -> str:
        if word not in words:
            raise ValueError("Choose one of the list")
        return word

    return check


def _flag(text: object) -> bool:
    # pydantic alone would also take yes, on and 1, which no schema speaks of.
    if text not in ("true", "false"):
        raise ValueError("Say true or false")
    return text == "true"


Name = Annotated[Text, Field(min_length=1, max_length=LONGEST_NAME)]
Address = Annotated[Text, Field(min_length=1, max_length=LONGEST_ADDRESS)]
City = Annotated[Text, Field(min_length=1, max_length=LONGEST_CITY)]
State = Annotated[
    str,
    AfterValidator(_one_of(STATES)),
    Field(
        json_schema_extra={"enum": list(STATES)},
        description="A state or union territory of India",
    ),
]
Pincode = Annotated[str, Field(pattern=r"^[1-9][0-9]{5}$", max_length=6)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
Hours = Annotated[
    str,
    Field(
        pattern=rf"^(?:24/7|{_TIME}-(?:{_TIME}|24:00))$",
        max_length=11,
        description="24/7, or wall times: 06:00-22:00",
    ),
]
Zone = Annotated[
    Text,
    Field(min_length=1, max_length=40, description="A name of the IANA database"),
]
WhoMay = Annotated[
    Access,
    Field(description="Everybody, or guests, residents and staff of the place alone"),
]
Overrun = Annotated[
    OverrunPolicy,
    Field(
        description="What befalls a vehicle that stays into the next booking, where no"
        " equal point beside it is free: its driver is asked to leave, or it is stopped"
    ),
]
Amenity = Annotated[
    str,
    AfterValidator(_one_of(AMENITIES)),
    Field(json_schema_extra={"enum": list(AMENITIES)}),
]
Amenities = Annotated[list[Amenity], Field(max_length=len(AMENITIES))]

Identity = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9*\-_=+|@.]{1,48}$",
        max_length=48,
        description="What the charger calls itself: ws://…/ocpp/<identity>",
    ),
]
Make = Annotated[Text, Field(max_length=LONGEST_MAKE)]
Heartbeat = Annotated[
    int,
    Field(ge=FASTEST_HEARTBEAT_SECONDS, le=SLOWEST_HEARTBEAT_SECONDS),
    WHOLE,
]
Number = Annotated[int, Field(ge=1, le=HIGHEST_NUMBER), WHOLE]
Price = Annotated[
    int,
    Field(
        ge=0,
        le=HIGHEST_PRICE_PAISE,
        description="For each started hour, tax included. Bookings made keep theirs",
    ),
    WHOLE,
]
Power = Annotated[int, Field(ge=1, le=MOST_POWER_W), WHOLE]
Reason = Annotated[Text, Field(max_length=LONGEST_REASON)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Words = Annotated[Text, Field(max_length=LONGEST_TEXT)]


# ── ending promises ──────────────────────────────────────────────────────────────


class Closing(Body):
    cancel_bookings: bool = Field(
        default=False, description="Cancel those in the way, with a full refund"
    )
    reason: Reason | None = Field(
        default=None, description="What the drivers read whose bookings are cancelled"
    )


class Removal(Query):
    cancel_bookings: Flag = Field(
        default=False, description="Cancel those in the way, with a full refund"
    )
    reason: Reason | None = Field(
        default=None, description="What the drivers read whose bookings are cancelled"
    )


# ── locations ────────────────────────────────────────────────────────────────────


class AdminLocationQuery(PageQuery):
    q: Words | None = Field(
        default=None, description="Words of a name, an address, a city or a pincode"
    )
    is_active: Flag | None = Field(
        default=None, description="Only those open to drivers, or only the hidden"
    )


class NewLocation(Body):
    operator_id: RowId | None = Field(
        default=None, description="Needed by whoever may choose between several"
    )
    name: Name
    address: Address
    city: City
    state: State
    pincode: Pincode
    lat: Latitude
    lon: Longitude
    timezone: Zone = "Asia/Kolkata"
    opening_hours: Hours = "24/7"
    amenities: Amenities = Field(default=[])
    overrun: Overrun = OverrunPolicy.WARN
    access: WhoMay = Access.PUBLIC
    is_abroad: bool = Field(
        default=False, description="That it lies outside India is no slip"
    )


class LocationChanges(Closing):
    name: Name | None = None
    address: Address | None = None
    city: City | None = None
    state: State | None = None
    pincode: Pincode | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    timezone: Zone | None = None
    opening_hours: Hours | None = None
    amenities: Amenities | None = None
    overrun: Overrun | None = None
    access: WhoMay | None = None
    is_abroad: bool = Field(
        default=False, description="That the new place lies outside India is no slip"
    )
    is_active: bool | None = Field(
        default=None, description="Open to drivers, or hidden from them"
    )


class AdminLocation(Versioned):
    id: int
    operator_id: int
    operator: str
    name: str
    address: str
    city: str
    state: str
    pincode: str
    lat: float
    lon: float
    timezone: str
    opening_hours: str
    amenities: list[str]
    overrun: OverrunPolicy
    access: Access
    is_active: bool
    created_at: Instant


# ── EVSEs and their connectors ───────────────────────────────────────────────────


class NewConnector(Body):
    number: Number
    kind: ConnectorKind
    power_w: Power


class ConnectorChanges(Body):
    number: Number | None = None
    kind: ConnectorKind | None = None
    power_w: Power | None = None


class NewEvse(Body):
    charger_id: RowId
    number: Number = Field(description="Which of the charger's it is")
    booking_price_paise: Price
    connectors: Annotated[
        list[NewConnector], Field(min_length=1, max_length=HIGHEST_NUMBER)
    ]


class EvseChanges(Closing):
    number: Number | None = None
    booking_price_paise: Price | None = None
    lifecycle: Literal["active", "inoperative"] | None = Field(
        default=None, description="Whether drivers can book it"
    )


class NewBlock(Closing):
    starts_at: Instant
    ends_at: Instant
    reason: Annotated[Reason, Field(min_length=1)] = Field(
        description="The drivers read it whose bookings are cancelled"
    )


class BlockAnswer(Answer):
    """A stretch in which the EVSE is kept out of use."""

    id: UUID
    evse_id: int
    starts_at: Instant
    ends_at: Instant
    reason: str
    created_at: Instant
    lifted_at: Instant | None


class AdminConnector(Answer):
    id: int
    number: int
    kind: ConnectorKind
    power_w: int
    reported_status: ReportedStatus | None = Field(description="By the charger's word")
    reported_at: Instant | None
    error_code: str = Field(description="In the charger's word, empty while it is well")
    vendor_error_code: str
    error_info: str


class AdminEvse(Versioned):
    """Its connectors are part of it: editing one makes a new version of the EVSE."""

    id: int
    charger_id: int
    charger: str
    location_id: int
    number: int
    lifecycle: Lifecycle
    status: EvseStatus
    price_per_hour: Money = Field(description="Per started hour, tax included")
    connectors: list[AdminConnector]
    blocks: list[BlockAnswer] = Field(description="Maintenance now and to come")


# ── chargers ─────────────────────────────────────────────────────────────────────


class AdminChargerQuery(PageQuery):
    q: Words | None = Field(
        default=None, description="A part of the identity, or words of its location"
    )
    location_id: RowId | None = Field(default=None, description="Only those there")
    status: EvseStatus | None = Field(
        default=None, description="At least one of its EVSEs has it"
    )


class NewCharger(Body):
    location_id: RowId
    identity: Identity
    vendor: Make = ""
    model: Make = ""
    heartbeat_seconds: Heartbeat = 300


class ChargerChanges(Body):
    identity: Identity | None = None
    vendor: Make | None = None
    model: Make | None = None
    heartbeat_seconds: Heartbeat | None = None


class AdminConnection(Answer):
    """The latest connection of a charger."""

    protocol: Protocol
    address: str = Field(description="Where it came from")
    opened_at: Instant
    closed_at: Instant | None = Field(description="null: it is open")
    booted_at: Instant | None
    firmware_version: str
    serial_number: str


class AdminCharger(Versioned):
    id: int
    location_id: int
    identity: str
    vendor: str
    model: str
    heartbeat_seconds: int
    last_seen_at: Instant | None
    is_silent: bool = Field(description="Unheard of for two heartbeats and a minute")
    created_at: Instant
    connection: AdminConnection | None = Field(description="null: it never connected")
    evses: list[AdminEvse]
