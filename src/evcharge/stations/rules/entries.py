"""What operators may enter about a station, and how text is compared in a search."""

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from zoneinfo import available_timezones

from evcharge.accounts.rules import printable
from evcharge.stations.rules import Access, BadStation, ConnectorKind, OverrunPolicy

STATES = (
    "Andhra Pradesh",
    "Arunachal Pradesh",
    "Assam",
    "Bihar",
    "Chhattisgarh",
    "Goa",
    "Gujarat",
    "Haryana",
    "Himachal Pradesh",
    "Jharkhand",
    "Karnataka",
    "Kerala",
    "Madhya Pradesh",
    "Maharashtra",
    "Manipur",
    "Meghalaya",
    "Mizoram",
    "Nagaland",
    "Odisha",
    "Punjab",
    "Rajasthan",
    "Sikkim",
    "Tamil Nadu",
    "Telangana",
    "Tripura",
    "Uttar Pradesh",
    "Uttarakhand",
    "West Bengal",
    # Union territories
    "Andaman and Nicobar Islands",
    "Chandigarh",
    "Dadra and Nagar Haveli and Daman and Diu",
    "Delhi",
    "Jammu and Kashmir",
    "Ladakh",
    "Lakshadweep",
    "Puducherry",
)

# The search index keeps them as bits, in this order: new ones come last.
AMENITIES = {
    "restrooms": "Toilets",
    "drinking_water": "Drinking water",
    "food": "Food",
    "cafe": "Tea and coffee",
    "waiting_room": "Waiting room",
    "wifi": "Wi-Fi",
    "shop": "Shops",
    "hotel": "Hotel",
    "parking": "Parking",
    "roof": "Roof over the chargers",
    "lighting": "Well lit at night",
    "security": "Guard on site",
    "wheelchair": "Wheelchair access",
    "tyre_air": "Air for tyres",
}

LONGEST_NAME = 120
LONGEST_ADDRESS = 250
LONGEST_CITY = 80
LONGEST_MAKE = 50
MOST_POWER_W = 1_000_000
HIGHEST_PRICE_PAISE = 1_000_000
HIGHEST_NUMBER = 99
FASTEST_HEARTBEAT_SECONDS = 10
SLOWEST_HEARTBEAT_SECONDS = 86_400

_PINCODE = re.compile(r"[1-9][0-9]{5}")
_OPENING_HOURS = re.compile(
    r"(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)"
)
# OCPP 2.0.1 part 2, section 2.1.1 (identifierString), at most 48 characters. Without
# its colon: part 4 forbids that one in the name a charger logs in with.
_IDENTITY = re.compile(r"[A-Za-z0-9*\-_=+|@.]{1,48}")


@dataclass(frozen=True)
class LocationDetails:
    """What is known of a location; its chargers apart."""

    name: str
    address: str
    city: str
    state: str
    pincode: str
    lat: float
    lon: float
    opening_hours: str = "24/7"
    amenities: tuple[str, ...] = ()
    timezone: str = "Asia/Kolkata"
    overrun: OverrunPolicy = OverrunPolicy.WARN
    access: Access = Access.PUBLIC


@dataclass(frozen=True)
class ChargerDetails:
    identity: str
    vendor: str = ""
    model: str = ""
    heartbeat_seconds: int = 300


@dataclass(frozen=True)
class EvseDetails:
    number: int
    booking_price_paise: int


@dataclass(frozen=True)
class ConnectorDetails:
    number: int
    kind: ConnectorKind
    power_w: int


def check_location(details: LocationDetails) -> None:
    """Raises: BadStation."""
    _refuse(
        name=_text_problem(details.name, LONGEST_NAME),
        address=_text_problem(details.address, LONGEST_ADDRESS),
        city=_text_problem(details.city, LONGEST_CITY),
        state=None
        if details.state in STATES
        else "Choose a state or union territory from the list.",
        pincode=None
        if _PINCODE.fullmatch(details.pincode)
        else "A pincode has six digits and does not start with 0.",
        lat=_range_problem(details.lat, -90, 90, "A latitude"),
        lon=_range_problem(details.lon, -180, 180, "A longitude"),
        opening_hours=_opening_hours_problem(details.opening_hours),
        amenities=None
        if set(details.amenities) <= AMENITIES.keys()
        else "Choose amenities from the list.",
        timezone=None
        if details.timezone in _timezones()
        else "Choose a time zone such as Asia/Kolkata.",
    )


def is_identity(text: str) -> bool:
    """Whether a charger may be called that."""
    return _IDENTITY.fullmatch(text) is not None


def check_charger(details: ChargerDetails) -> None:
    """Raises: BadStation."""
    _refuse(
        identity=None
        if is_identity(details.identity)
        else "Use 1 to 48 letters, digits or any of * - _ = + | @ . and no spaces.",
        vendor=_text_problem(details.vendor, LONGEST_MAKE, required=False),
        model=_text_problem(details.model, LONGEST_MAKE, required=False),
        heartbeat_seconds=_range_problem(
            details.heartbeat_seconds,
            FASTEST_HEARTBEAT_SECONDS,
            SLOWEST_HEARTBEAT_SECONDS,
            "The seconds between heartbeats",
        ),
    )


def check_evse(details: EvseDetails) -> None:
    """Raises: BadStation."""
    _refuse(
        number=_range_problem(details.number, 1, HIGHEST_NUMBER, "A number"),
        booking_price_paise=None
        if 0 <= details.booking_price_paise <= HIGHEST_PRICE_PAISE
        else "A price lies between ₹0 and ₹10,000 an hour.",
    )


def check_connector(details: ConnectorDetails) -> None:
    """Raises: BadStation."""
    _refuse(
        number=_range_problem(details.number, 1, HIGHEST_NUMBER, "A number"),
        power_w=None
        if 1 <= details.power_w <= MOST_POWER_W
        else "Power is more than 0 and at most 1,000 kW.",
    )


def is_outside_india(lat: float, lon: float) -> bool:
    """Worth a question, not a refusal: the box around the mainland and the islands."""
    return not (6.5 <= lat <= 37.2 and 68.0 <= lon <= 97.5)


def folded(text: str) -> str:
    """Return text in the form in which it is compared: case and width do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def search_text(*, name: str, city: str, state: str, pincode: str, address: str) -> str:
    """Return what a search looks at: one folded line for each field."""
    lines = (folded(field) for field in (name, city, state, pincode, address))
    return "\n" + "\n".join(lines) + "\n"


@cache
def _timezones() -> frozenset[str]:
    # That one is another on each machine, and on many not there at all.
    return frozenset(available_timezones() - {"localtime"})


def _refuse(**problems: str | None) -> None:
    found = {field: problem for field, problem in problems.items() if problem}
    if found:
        raise BadStation(found)


def _text_problem(text: str, longest: int, *, required: bool = True) -> str | None:
    if required and not text.strip():
        return "This is needed."
    if len(text) > longest:
        return f"Use at most {longest} characters."
    # No line breaks, no NUL, which PostgreSQL cannot store, and nothing that cannot
    # be seen or turns the text beside it around.
    if text != printable(text):
        return "Use letters, digits and punctuation on one line."
    return None


def _range_problem(value: float, low: int, high: int, what: str) -> str | None:
    if math.isfinite(value) and low <= value <= high:
        return None
    return f"{what} lies between {low} and {high}."


def _opening_hours_problem(hours: str) -> str | None:
    if hours == "24/7":
        return None
    if not _OPENING_HOURS.fullmatch(hours) or hours[:5] == hours[6:]:
        return "Write 24/7, or opening and closing time such as 06:00-22:00."
    return None
