"""Pages on which drivers find a charger: the search, and a location."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

from flask import Blueprint, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from evcharge.bookings.asking import limits as booking_limits
from evcharge.bookings.rules import QUARTER, Limits, Slot
from evcharge.charging.queries import last_successful_charge
from evcharge.kernel.clock import utc_now
from evcharge.network.forms import SearchForm, location_ids, search_from_args
from evcharge.network.queries import (
    Site,
    SitePage,
    Totals,
    evses_now,
    find_sites,
    site_page,
    sites_by_id,
    totals,
)
from evcharge.network.rules import (
    LOOK_AHEAD,
    PER_PAGE,
    EvseNow,
    Order,
    Search,
    day_cells,
)
from evcharge.network.rules.summaries import Summary, summary_of
from evcharge.network.tally import Tally
from evcharge.places.queries import find_places
from evcharge.places.rules import Place
from evcharge.stations.rules import Access, ConnectorKind
from evcharge.stations.rules.codes import evse_code
from evcharge.stations.rules.entries import AMENITIES
from evcharge.stations.rules.opening import OpeningHours
from evcharge.stations.rules.vehicles import VehicleKind
from evcharge.web.context import current_user_or_none, public, reading
from evcharge.web.formats import INDIA, calendar_day, instant

pages = Blueprint("network", __name__, template_folder="templates")

# The ones most vehicles on Indian roads have come first.
KINDS = (
    ConnectorKind.CCS2,
    ConnectorKind.TYPE2,
    ConnectorKind.CHADEMO,
    ConnectorKind.BHARAT_DC_001,
    ConnectorKind.BHARAT_AC_001,
    ConnectorKind.LEV_AC,
    ConnectorKind.LEV_DC,
    ConnectorKind.LEV_COMBO,
    ConnectorKind.SOCKET_16A,
    ConnectorKind.GBT_DC,
    ConnectorKind.GBT_AC,
    ConnectorKind.TYPE1,
)
WORDS = {
    "vehicle": {
        VehicleKind.TWO_WHEELER: "Two-wheeler",
        VehicleKind.THREE_WHEELER: "Three-wheeler",
        VehicleKind.FOUR_WHEELER: "Car",
        VehicleKind.BUS_TRUCK: "Bus or truck",
    },
    "access": {Access.PUBLIC: "Everybody", Access.RESTRICTED: "Guests and residents"},
    "amenity": AMENITIES,
    "working": {"yes": "Known to work"},
    "sort": {
        Order.DISTANCE: "Nearest",
        Order.PRICE: "Cheapest",
        Order.POWER: "Strongest",
        Order.RELIABILITY: "Most reliable",
    },
}
POWERS_KW = ("7", "22", "50", "100", "150")
PLACES_OFFERED = 3
LENGTHS_MINUTES = (30, 45, 60, 90, 120, 180, 240, 360, 480)


@dataclass(frozen=True)
class Card:
    site: Site
    summary: Summary
    book_url: str


@dataclass(frozen=True)
class Filter:
    """A condition that is set, and the parameters of the search without it."""

    name: str
    value: str
    without: dict[str, object]


@pages.get("/")
@public
def home() -> ResponseReturnValue:
    now = utc_now()
    limits = booking_limits()
    form = search_from_args(request.args, limits=limits, now=now)
    sites, goes_on_at = find_sites(reading(), form.search, now=now)
    filters = _filters(form)
    page = render_template(
        "network/home.html",
        form=form,
        cards=cards_of(sites, form.search, now=now),
        filters=filters,
        places=_places(form),
        totals=None if filters or form.near else _totals(now),
        has_more=goes_on_at is not None,
        kinds=KINDS,
        powers=POWERS_KW,
        words=WORDS,
        days=_days(now, limits),
        lengths=[each for each in LENGTHS_MINUTES if _fits(each, limits)],
        now=now,
    )
    return page, 422 if form.problems else 200


@pages.get("/locations/cards")
@public
def cards() -> ResponseReturnValue:
    """The same cards again, as they are now: none joins, leaves or changes places."""
    now = utc_now()
    form = search_from_args(request.args, limits=booking_limits(), now=now)
    asked = location_ids(request.args, most=PER_PAGE)
    sites = sites_by_id(reading(), asked, near=form.search.near)
    return render_template(
        "network/_cards.html",
        form=form,
        cards=cards_of(sites, form.search, now=now),
        now=now,
    )


@pages.get("/locations/<int:location_id>")
@public
def location(location_id: int) -> ResponseReturnValue:
    now = utc_now()
    site = site_page(reading(), location_id)
    zone = ZoneInfo(site.timezone)
    shown = _next_day(now, zone)
    # What is under way began before the picture does, and is to say when.
    asked = Slot(shown.starts_at - booking_limits().longest, shown.ends_at)
    evses = evses_now(
        reading(), [location_id], now=now, stretch=asked, with_prices=True
    )[location_id]
    charged_at = last_successful_charge(reading(), [each.evse_id for each in evses])
    part = "_evses.html" if "fragment" in request.args else "location.html"
    return render_template(
        f"network/{part}",
        site=site,
        evses=evses,
        strips=_strips(evses, shown, site.hours, now=now),
        strip_starts_at=shown.starts_at,
        now_index=(now - shown.starts_at) / QUARTER,
        charged_at=charged_at,
        shows_faults=_runs(site),
        codes={each.evse_id: evse_code(each.evse_id) for each in evses},
        summary=summary_of(evses, Search()),
        amenities=[AMENITIES[each] for each in site.amenities if each in AMENITIES],
        is_open_now=site.hours.is_open(now),
        now=now,
    )


def _places(form: SearchForm) -> list[Place]:
    """Return where they may have meant, for who types a place where we have no site."""
    if form.near or not form.search.words:
        return []
    return find_places(form.text, limit=PLACES_OFFERED)


def _runs(site: SitePage) -> bool:
    """Whether whoever asks works for its operator: only they can do with its codes."""
    user = current_user_or_none()
    if user is None or not user.sees_console:
        return False
    return user.scope is None or site.operator_id in user.scope


def _totals(now: datetime) -> Totals:
    tally = current_app.extensions.setdefault("evcharge.tally", Tally())
    return cast(Tally, tally).totals(lambda: totals(reading(), now=now), now=now)


def cards_of(sites: list[Site], search: Search, *, now: datetime) -> list[Card]:
    """Return what the cards of these places say now, of what suits a search."""
    ids = [site.id for site in sites]
    evses = evses_now(reading(), ids, now=now, slot=search.slot, with_prices=True)
    summaries = [summary_of(evses[site.id], search) for site in sites]
    return [
        Card(site, summary, _book_url(site, summary, search))
        for site, summary in zip(sites, summaries, strict=True)
    ]


def _book_url(site: Site, summary: Summary, search: Search) -> str:
    """Lead straight to the times of an EVSE when it is plain which one they want."""
    evse_id, slot = summary.first_free_evse_id, search.slot
    if evse_id is None or not (slot or search.kinds or search.min_power_w):
        return url_for("network.location", location_id=site.id)
    return url_for(
        "bookings.choose_time",
        evse_id=evse_id,
        starts_at=instant(slot.starts_at) if slot else None,
        minutes=slot.length // timedelta(minutes=1) if slot else None,
    )


def _filters(form: SearchForm) -> list[Filter]:
    """Return what narrows the list, for people to take away again."""
    found = [("q", form.text)] if form.search.words else []
    found += [("min_kw", form.min_kw)] if form.search.min_power_w else []
    found += [("when", form.when)] if form.when else []
    more = ("vehicle", "access", "max_price", "operator", "bbox", "working", "sort")
    found += [(name, getattr(form, name)) for name in more if getattr(form, name)]
    filters = [Filter(name, value, form.query(**{name: ""})) for name, value in found]
    for kind in form.kinds:
        others = [each for each in form.kinds if each != kind]
        filters.append(Filter("connector", kind, form.query(connector=others)))
    for amenity in form.amenities:
        others = [each for each in form.amenities if each != amenity]
        filters.append(Filter("amenity", amenity, form.query(amenity=others)))
    return filters


def _days(now: datetime, limits: Limits) -> list[tuple[str, str]]:
    today = now.astimezone(INDIA).date()
    days = (today + timedelta(days=each) for each in range(limits.ahead.days + 1))
    return [(each.isoformat(), calendar_day(each, today)) for each in days]


def _fits(minutes: int, limits: Limits) -> bool:
    return limits.shortest <= timedelta(minutes=minutes) <= limits.longest


def _next_day(now: datetime, zone: ZoneInfo) -> Slot:
    """Return the 24 hours from the hour it is at the charger: late in the evening
    little of the day itself is left to see."""
    hour = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    begin = hour.astimezone(UTC)
    return Slot(hour, (begin + LOOK_AHEAD).astimezone(zone))


def _strips(
    evses: list[EvseNow], shown: Slot, hours: OpeningHours, *, now: datetime
) -> dict[int, list[str]]:
    user = current_user_or_none()
    return {
        evse.evse_id: day_cells(
            evse.claims,
            shown.quarters,
            hours=hours,
            now=now,
            user_id=None if user is None else user.id,
        )
        for evse in evses
    }
