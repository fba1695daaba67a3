"""What a browser asks the search for, and how it is told what was unclear."""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from evcharge.bookings.rules import Limits, Slot, SlotNotBookable, check_slot
from evcharge.kernel.geo import Box, Point
from evcharge.network.rules import LAST_PAGE, USUAL_RADIUS_M, Order, Search
from evcharge.stations.rules import Access, ConnectorKind
from evcharge.stations.rules.entries import AMENITIES, folded
from evcharge.stations.rules.vehicles import VehicleKind, plugs_for

T = TypeVar("T")
W = TypeVar("W", bound=StrEnum)
Args = MultiDict[str, str]

# People who look for a time mean the clock on the wall, all over India the same.
INDIA = ZoneInfo("Asia/Kolkata")
LONGEST_TEXT = 100
MOST_WORDS = 8
MOST_KW = 1000
MINUTE = timedelta(minutes=1)
USUAL_MINUTES = 60

_NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,3})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}")


class Unclear(ValueError):
    """Something in the address that we cannot follow; the text is for people."""


@dataclass(frozen=True)
class SearchForm:
    """A search as it was asked for. What is in `problems` is left out of `search`."""

    text: str
    near: str
    place: str
    kinds: tuple[str, ...]
    min_kw: str
    when: str
    on: str
    at: str
    minutes: str
    bbox: str
    vehicle: str
    amenities: tuple[str, ...]
    access: str
    operator: str
    max_price: str
    working: str
    sort: str
    search: Search
    problems: dict[str, str] = field(default_factory=dict)

    def query(self, **changes: Any) -> dict[str, Any]:
        """Return the parameters that lead here, changed: `form.query(near="")`."""
        asked = {
            "q": self.text,
            "near": self.near,
            "place": self.place if self.near else "",
            "connector": list(self.kinds),
            "min_kw": self.min_kw,
            "when": self.when,
            "on": self.on if self.when == "at" else "",
            "at": self.at if self.when == "at" else "",
            "minutes": self.minutes if self.when == "at" else "",
            "bbox": self.bbox,
            "vehicle": self.vehicle,
            "amenity": list(self.amenities),
            "access": self.access,
            "operator": self.operator,
            "max_price": self.max_price,
            "working": self.working,
            "sort": self.sort,
        }
        return {name: value for name, value in (asked | changes).items() if value}


def search_from_args(args: Args, *, limits: Limits, now: datetime) -> SearchForm:
    problems: dict[str, str] = {}

    def read(name: str, parse: Callable[[], T], otherwise: T) -> T:
        try:
            return parse()
        except (Unclear, SlotNotBookable) as unclear:
            problems[name] = str(unclear)
            return otherwise

    text = " ".join(args.get("q", "").replace("\0", " ").split())
    kinds = tuple(dict.fromkeys(filter(None, args.getlist("connector"))))
    min_kw = args.get("min_kw", "").strip()
    near = args.get("near", "").strip()
    when = read("when", lambda: _when(args.get("when", "")), "")
    on, at, minutes = _asked_time(args, now=now)
    bbox, operator, max_price = (
        args.get(name, "").strip() for name in ("bbox", "operator", "max_price")
    )
    amenities = tuple(dict.fromkeys(filter(None, args.getlist("amenity"))))
    none: frozenset[ConnectorKind] = frozenset()
    plugs = read("connector", lambda: _kinds(kinds), none)
    vehicle = read("vehicle", lambda: _one_of(VehicleKind, args, "vehicle"), None)
    order = read("sort", lambda: _one_of(Order, args, "sort"), None) or Order.DISTANCE
    here = read("near", lambda: _point(near), None)
    search = Search(
        words=read("q", lambda: words_from_text(text), ()),
        near=here,
        box=read("bbox", lambda: _box(bbox), None),
        radius_m=USUAL_RADIUS_M if here and order != Order.DISTANCE else None,
        kinds=read("vehicle", lambda: _plugs(vehicle, plugs), plugs),
        min_power_w=read("min_kw", lambda: _watts(min_kw), 0),
        amenities=read("amenity", lambda: _amenities(amenities), frozenset()),
        access=read("access", lambda: _one_of(Access, args, "access"), None),
        operator_id=read("operator", lambda: _operator(operator), None),
        most_paise_per_kwh=read("max_price", lambda: _paise(max_price), None),
        is_working="working" in args,
        is_free_now=when == "now",
        slot=read("at", lambda: _slot(on, at, minutes, limits=limits, now=now), None)
        if when == "at"
        else None,
        order=order,
        page=read("page", lambda: _page(args.get("page", "")), 1),
    )
    return SearchForm(
        text=text[:LONGEST_TEXT],
        near="" if "near" in problems else near,
        place=_place(args) if here else "",
        kinds=tuple(sorted(plugs)),
        min_kw="" if "min_kw" in problems else min_kw,
        when=when,
        on=on,
        at=at,
        minutes=minutes,
        bbox=bbox if search.box else "",
        vehicle="" if vehicle is None or "vehicle" in problems else vehicle,
        amenities=tuple(sorted(search.amenities)),
        access=search.access or "",
        operator=operator if search.operator_id else "",
        max_price="" if search.most_paise_per_kwh is None else max_price,
        working="yes" if search.is_working else "",
        sort="" if order == Order.DISTANCE else order,
        search=search,
        problems=problems,
    )


def _place(args: Args) -> str:
    """Return what `near` is called. It is only shown: the point says where."""
    return " ".join(args.get("place", "").replace("\0", " ").split())[:LONGEST_TEXT]


def location_ids(args: Args, *, most: int) -> list[int]:
    """Return the ids a list of cards asks for; what is no id is let pass."""
    asked: Iterable[str] = args.getlist("id")[:most]
    return [int(each) for each in asked if re.fullmatch(r"[0-9]{1,9}", each)]


def words_from_text(text: str) -> tuple[str, ...]:
    """Return what is to be searched for. Raises: Unclear."""
    # Its length first: folding a long text may take very long.
    words = folded(text[:LONGEST_TEXT]).split()
    if len(text) > LONGEST_TEXT or len(words) > MOST_WORDS:
        raise Unclear(f"Search with up to {MOST_WORDS} words.")
    return tuple(words)


def _point(near: str) -> Point | None:
    if not near:
        return None
    unclear = Unclear("We could not tell where you are. Search for a place instead.")
    try:
        lat, lon = (float(part) for part in near[:60].split(","))
    except ValueError:
        raise unclear from None
    if not (math.isfinite(lat) and abs(lat) <= 90):
        raise unclear
    if not (math.isfinite(lon) and abs(lon) <= 180):
        raise unclear
    return Point(lat, lon)


def _kinds(asked: tuple[str, ...]) -> frozenset[ConnectorKind]:
    if not set(asked) <= set(ConnectorKind):
        raise Unclear("We do not know that plug. Choose from the list.")
    return frozenset(ConnectorKind(each) for each in asked)


def _box(bbox: str) -> Box | None:
    if not bbox:
        return None
    try:
        west, south, east, north = (float(part) for part in bbox[:120].split(","))
    except ValueError:
        west = south = east = north = math.nan
    is_part = -180 <= west < east <= 180 and -90 <= south < north <= 90
    if not is_part:  # Neither is what is not a number.
        raise Unclear("We could not tell which part of the map that is.")
    return Box(west, south, east, north)


def _one_of(words: type[W], args: Args, name: str) -> W | None:
    asked = args.get(name, "").strip()
    if asked and asked not in set(words):
        raise Unclear("Choose from the list.")
    return words(asked) if asked else None


def _plugs(
    vehicle: VehicleKind | None, wanted: frozenset[ConnectorKind]
) -> frozenset[ConnectorKind]:
    found = plugs_for(vehicle, wanted)
    if found is None:
        raise Unclear("No such vehicle charges with these plugs.")
    return found


def _amenities(asked: tuple[str, ...]) -> frozenset[str]:
    if not set(asked) <= AMENITIES.keys():
        raise Unclear("Choose from the list.")
    return frozenset(asked)


def _operator(asked: str) -> int | None:
    if asked and not re.fullmatch(r"[1-9][0-9]{0,8}", asked):
        raise Unclear("We do not know that operator.")
    return int(asked) if asked else None


def _paise(max_price: str) -> int | None:
    if not max_price:
        return None
    if not _NUMBER.fullmatch(max_price):
        raise Unclear("A price is a number of rupees, such as 18 or 18.50.")
    return round(Decimal(max_price) * 100)


def _watts(min_kw: str) -> int:
    if not min_kw:
        return 0
    if not _NUMBER.fullmatch(min_kw) or float(min_kw) > MOST_KW:
        raise Unclear(f"Power is a number of kW, up to {MOST_KW:,}.")
    return round(float(min_kw) * 1000)


def _when(asked: str) -> str:
    if asked not in ("", "now", "at"):
        raise Unclear("Choose free now or free at a time.")
    return asked


def _asked_time(args: Args, *, now: datetime) -> tuple[str, str, str]:
    """Return day, time and length; the next full hour where they did not say."""
    local = now.astimezone(INDIA)
    next_hour = local.replace(minute=0, second=0) + timedelta(hours=1)
    return (
        args.get("on", "").strip() or f"{next_hour:%Y-%m-%d}",
        args.get("at", "").strip() or f"{next_hour:%H:%M}",
        args.get("minutes", "").strip() or str(USUAL_MINUTES),
    )


def _slot(on: str, at: str, minutes: str, *, limits: Limits, now: datetime) -> Slot:
    """Raises: Unclear, SlotNotBookable."""
    if not (_DAY.fullmatch(on) and _TIME.fullmatch(at)):
        raise Unclear("Choose a day and a time.")
    if not re.fullmatch(r"[0-9]{1,4}", minutes):
        raise Unclear("Choose how long you want to charge.")
    try:
        wall = datetime.combine(date.fromisoformat(on), time.fromisoformat(at))
        starts_at = wall.replace(tzinfo=INDIA).astimezone(UTC)
        slot = Slot(starts_at, starts_at + int(minutes) * MINUTE)
    except (ValueError, OverflowError):
        raise Unclear("There is no such day or time. Choose another one.") from None
    check_slot(slot, limits=limits, now=now)
    return slot


def _page(asked: str) -> int:
    if not asked:
        return 1
    if not re.fullmatch(r"[0-9]{1,6}", asked) or not 1 <= int(asked) <= LAST_PAGE:
        raise Unclear("There is no such page, so here is the first one.")
    return int(asked)
