"""The search, which the database does, against the same search done by hand."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

import make
from evcharge.bookings.models import Booking, MaintenanceBlock, SlotClaim
from evcharge.bookings.rules import Slot, slot_no
from evcharge.kernel.geo import Point, distance_m
from evcharge.kernel.ids import new_id, new_reference
from evcharge.network.queries import evses_now, find_sites, sites_by_id
from evcharge.network.rules import PER_PAGE, Search
from evcharge.stations.models import Connector, Evse
from evcharge.stations.rules import (
    ClaimedBy,
    ConnectorKind,
    EvseStatus,
    Facts,
    Lifecycle,
    ReportedStatus,
    status_of,
)
from evcharge.stations.rules.entries import folded
from evcharge.stations.service import refresh_search_rows
from make import HOUR, MINUTE, NOON

LATER = Slot(NOON + 2 * HOUR, NOON + 3 * HOUR)
CURRENT = slot_no(NOON)


@dataclass(frozen=True)
class APlug:
    kind: ConnectorKind
    power_w: int
    reported: ReportedStatus | None


@dataclass(frozen=True)
class AClaim:
    """`hold`: None for a paid booking, else minutes until the hold ends."""

    quarter: int
    is_block: bool
    hold: int | None

    @property
    def counts(self):
        return self.is_block or self.hold is None or self.hold > 0


@dataclass(frozen=True)
class AnEvse:
    lifecycle: Lifecycle
    plugs: tuple[APlug, ...]
    silent_seconds: int | None
    claims: tuple[AClaim, ...]

    def has_claim(self, quarters):
        return any(each.counts and each.quarter in quarters for each in self.claims)

    @property
    def status(self):
        mine = [each for each in self.claims if each.counts and each.quarter == CURRENT]
        claimed_by = None
        if mine:
            claimed_by = ClaimedBy.BLOCK if mine[0].is_block else ClaimedBy.BOOKING
        seen_at = (
            None
            if self.silent_seconds is None
            else NOON - timedelta(seconds=self.silent_seconds)
        )
        facts = Facts(
            self.lifecycle,
            tuple(plug.reported for plug in self.plugs),
            seen_at,
            timedelta(seconds=300),
            claimed_by,
        )
        return status_of(facts, now=NOON)


@dataclass(frozen=True)
class ASite:
    name: str
    city: str
    is_active: bool
    evses: tuple[AnEvse, ...]


# Mostly what is free: what makes it taken, silent or broken then stands alone.
USUALLY_AVAILABLE = st.sampled_from(
    [ReportedStatus.AVAILABLE] * 30 + [None, *ReportedStatus]
)
PLUGS = st.builds(
    APlug,
    kind=st.sampled_from([ConnectorKind.CCS2, ConnectorKind.TYPE2]),
    power_w=st.sampled_from([7_400, 22_000, 60_000]),
    reported=USUALLY_AVAILABLE,
)
CLAIMS = st.builds(
    AClaim,
    quarter=st.sampled_from(
        [
            CURRENT - 1,
            *[CURRENT] * 3,
            CURRENT + 1,
            CURRENT + 8,
            CURRENT + 11,
            CURRENT + 12,
        ]
    ),
    is_block=st.booleans(),
    hold=st.sampled_from([None, None, 0, 5]),
)
USUALLY_ACTIVE = st.sampled_from([Lifecycle.ACTIVE] * 12 + list(Lifecycle))
EVSES = st.builds(
    AnEvse,
    lifecycle=USUALLY_ACTIVE,
    plugs=st.lists(PLUGS, max_size=2).map(tuple),
    silent_seconds=st.sampled_from([0, 0, 660, 660, 661, None]),
    claims=st.lists(CLAIMS, max_size=2, unique_by=lambda each: each.quarter).map(tuple),
)
# Letters whose case SQLite does not fold, and what LIKE treats as special.
NAMES = st.sampled_from(["MG Road", "ÖDE Straße", "पुणे Hub", "100% Green_Park", "a\\b"])
CITIES = st.sampled_from(["Pune", "PANAJI", "Ölberg"])
SITES = st.builds(
    ASite,
    name=NAMES,
    city=CITIES,
    is_active=st.sampled_from([True, True, True, False]),
    evses=st.lists(EVSES, max_size=2).map(tuple),
)
SITES_OF_ONE = st.builds(
    ASite,
    name=st.just("MG Road"),
    city=st.just("Pune"),
    is_active=st.just(True),
    evses=st.tuples(EVSES),
)
FREE = AnEvse(
    Lifecycle.ACTIVE,
    (APlug(ConnectorKind.CCS2, 60_000, ReportedStatus.AVAILABLE),),
    silent_seconds=0,
    claims=(),
)
NAMED_SITES = st.builds(
    ASite, name=NAMES, city=CITIES, is_active=st.just(True), evses=st.just((FREE,))
)
WORDS = st.lists(
    st.sampled_from(
        ["road", "MG", "p", "pu", "öde", "STRASSE", "ölB", "पुणे", "%", "_", "\\", "k"]
    ),
    min_size=1,
    max_size=2,
).map(lambda words: tuple(folded(word) for word in words))
CONDITIONS = {
    "near": st.sampled_from([None, Point(12.9, 77.6)]),
    "kinds": st.sampled_from(
        [frozenset(), frozenset({ConnectorKind.CCS2}), frozenset(ConnectorKind)]
    ),
    "min_power_w": st.sampled_from([0, 0, 22_001]),
    "is_free_now": st.booleans(),
    "slot": st.sampled_from([None, LATER]),
}


def matches(site, search):
    text = folded(f"{site.name} | {site.city} | Goa | 403001 | Lane 4")
    return (
        site.is_active
        and all(word in text for word in search.words)
        and any(suits(evse, search) for evse in site.evses)
    )


def suits(evse, search):
    if evse.lifecycle == Lifecycle.REMOVED:
        return False
    plugs = [plug for plug in evse.plugs if search.suits(plug.kind, plug.power_w)]
    if (search.kinds or search.min_power_w) and not plugs:
        return False
    if search.is_free_now:
        works = any(plug.reported == ReportedStatus.AVAILABLE for plug in plugs)
        if evse.status != EvseStatus.AVAILABLE or not works:
            return False
    if search.slot is None:
        return True
    is_active = evse.lifecycle == Lifecycle.ACTIVE
    return is_active and not evse.has_claim(search.slot.quarters)


def build(session, sites):
    """Make the sites. Return their ids."""
    user = make.a_user(session)
    return [_build_site(session, site, user.id) for site in sites]


def _build_site(session, site, user_id):
    location = make.a_location(
        session,
        name=site.name,
        city=site.city,
        state="Goa",
        pincode="403001",
        address="Lane 4",
        is_active=site.is_active,
    )
    for evse in site.evses:
        seen_at = (
            None
            if evse.silent_seconds is None
            else NOON - timedelta(seconds=evse.silent_seconds)
        )
        made = make.an_evse(
            session,
            location=location,
            kinds=(),
            lifecycle=evse.lifecycle,
            seen_at=seen_at,
        )
        session.add_all(
            Connector(
                evse_id=made.id,
                number=number,
                kind=plug.kind,
                power_w=plug.power_w,
                reported_status=plug.reported,
            )
            for number, plug in enumerate(evse.plugs, start=1)
        )
        for claim in evse.claims:
            _build_claim(session, claim, made.id, user_id)
    session.flush()
    refresh_search_rows(session, [location.id])
    return location.id


def _build_claim(session, claim, evse_id, user_id):
    owner = new_id()
    stretch = {"evse_id": evse_id, "starts_at": NOON, "ends_at": NOON + HOUR}
    if claim.is_block:
        session.execute(
            insert(MaintenanceBlock).values(
                id=owner, reason="", created_by=user_id, created_at=NOON, **stretch
            )
        )
    else:
        deadline = None if claim.hold is None else NOON + claim.hold * MINUTE
        session.execute(
            insert(Booking).values(
                id=owner,
                reference=new_reference(),
                user_id=user_id,
                amount_paise=1,
                price_paise_per_hour=1,
                free_until_minutes=60,
                late_percent=50,
                hold_expires_at=deadline,
                request_hash="",
                created_at=NOON,
                **stretch,
            )
        )
    kind = ClaimedBy.BLOCK if claim.is_block else ClaimedBy.BOOKING
    session.execute(
        insert(SlotClaim).values(
            evse_id=evse_id,
            slot_no=claim.quarter,
            kind=kind,
            **{f"{kind}_id": owner},
        )
    )


RANDOM = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def check(database, sites, search):
    with database.reading() as session:
        ids = build(session, sites)

        found, goes_on_at = find_sites(session, search, now=NOON)

    pairs = zip(ids, sites, strict=True)
    wanted = sorted(each for each, site in pairs if matches(site, search))
    assert sorted(site.id for site in found) == wanted
    assert goes_on_at is None


@RANDOM
@given(
    sites=st.lists(NAMED_SITES, min_size=1, max_size=4),
    search=st.builds(Search, words=WORDS),
)
def test_words_are_found_whatever_the_alphabet_and_the_case(database, sites, search):
    check(database, sites, search)


@RANDOM
@given(
    sites=st.lists(SITES_OF_ONE, min_size=1, max_size=4),
    search=st.builds(Search, **CONDITIONS),
)
def test_what_is_asked_of_an_evse_is_what_the_rules_say(database, sites, search):
    check(database, sites, search)


@RANDOM
@given(
    sites=st.lists(SITES, max_size=4),
    search=st.builds(Search, words=st.just(()) | WORDS, **CONDITIONS),
)
def test_one_evse_must_be_all_that_is_asked_for(database, sites, search):
    check(database, sites, search)


@RANDOM
@given(site=SITES)
def test_every_evse_is_told_as_the_rules_say(database, site):
    with database.reading() as session:
        (location_id,) = build(session, [site])

        evses = evses_now(session, [location_id], now=NOON, slot=LATER)[location_id]

    shown = [evse for evse in site.evses if evse.lifecycle != Lifecycle.REMOVED]
    by_id = sorted(evses, key=lambda each: each.evse_id)
    assert [each.status for each in by_id] == [each.status for each in shown]
    assert [each.is_free_for_slot for each in by_id] == [
        each.lifecycle == Lifecycle.ACTIVE and not each.has_claim(LATER.quarters)
        for each in shown
    ]


PLACES = st.lists(
    st.tuples(st.floats(6.8, 37.0), st.floats(68.2, 97.3)), min_size=2, max_size=12
)


@RANDOM
@given(places=PLACES, here=st.tuples(st.floats(6.8, 37.0), st.floats(68.2, 97.3)))
def test_the_nearest_come_first(database, places, here):
    with database.reading() as session:
        for lat, lon in places:
            location = make.a_location(session, lat=lat, lon=lon)
            make.an_evse(session, location=location)

        found, _ = find_sites(session, Search(near=Point(*here)), now=NOON)

    distances = [site.distance_m for site in found]
    # The order is by a formula that every database can compute: 0.5 % is its error.
    for nearer, farther in pairwise(distances):
        assert nearer <= farther * 1.005 + 1
    assert distances[0] == pytest.approx(
        min(distance_m(Point(*here), Point(*each)) for each in places), rel=0.005, abs=1
    )


def test_free_now_is_about_the_plug_that_was_asked_for(session):
    kinds = (ConnectorKind.CCS2, ConnectorKind.CHADEMO)
    evse = make.an_evse(session, kinds=kinds)
    evse.connectors[0].reported_status = ReportedStatus.FAULTED
    session.flush()

    def found(kind):
        search = Search(kinds=frozenset({kind}), is_free_now=True)
        return len(find_sites(session, search, now=NOON)[0])

    assert (found(ConnectorKind.CCS2), found(ConnectorKind.CHADEMO)) == (0, 1)


# ── order and pages ──────────────────────────────────────────────────────────────


def names(session, search):
    return [site.name for site in find_sites(session, search, now=NOON)[0]]


def a_site(session, name, **columns):
    location = make.a_location(session, name=name, **columns)
    make.an_evse(session, location=location)
    return location.id


def test_a_name_that_begins_so_comes_before_a_town_and_a_mention(session):
    a_site(session, "Airport gate", address="Old Pune road")
    a_site(session, "Lane 4", city="Pune")
    a_site(session, "Pune station", city="Pune")
    a_site(session, "Lane 1", city="Pune")

    assert names(session, Search(words=("pune",))) == [
        "Pune station",
        "Lane 1",
        "Lane 4",
        "Airport gate",
    ]


def test_every_word_must_be_somewhere(session):
    a_site(session, "Airport gate", city="Pune", pincode="411032")
    a_site(session, "Airport gate two", city="Panaji", pincode="403001")

    assert names(session, Search(words=("airport", "411032"))) == ["Airport gate"]


def test_pages_follow_one_another_without_gap_or_repeat(session):
    for number in range(PER_PAGE + 3):
        a_site(session, f"Site {number:02}")

    first, more_after_first = find_sites(session, Search(), now=NOON)
    second, more_after_second = find_sites(session, Search(page=2), now=NOON)

    assert (more_after_first is None, more_after_second is None) == (False, True)
    shown = [site.name for site in [*first, *second]]
    assert shown == [f"Site {number:02}" for number in range(PER_PAGE + 3)]


def test_a_full_last_page_has_none_after_it(session):
    for number in range(PER_PAGE):
        a_site(session, f"Site {number:02}")

    assert find_sites(session, Search(), now=NOON)[1] is None


def test_sites_come_in_the_order_they_were_asked_for(session):
    one, two = a_site(session, "A"), a_site(session, "B")
    hidden = a_site(session, "C", is_active=False)

    sites = sites_by_id(session, [two, hidden, 999, one, two], near=None)

    assert [site.id for site in sites] == [two, one]


# ── what an EVSE tells ───────────────────────────────────────────────────────────


def evse_row(session, location_id):
    (evse,) = evses_now(session, [location_id], now=NOON)[location_id]
    return evse


def test_an_evse_tells_all_a_page_needs(session):
    made = make.an_evse(
        session,
        identity="CP-1",
        kinds=(ConnectorKind.CCS2, ConnectorKind.CHADEMO),
        reported=ReportedStatus.CHARGING,
    )

    evse = evse_row(session, made.charger.location_id)

    assert (evse.charger, evse.number) == ("CP-1", 1)
    assert [plug.kind for plug in evse.plugs] == ["ccs2", "chademo"]
    assert (evse.status, evse.status_at) == (EvseStatus.CHARGING, NOON)
    assert evse.price_paise == make.PRICE_PAISE
    assert evse.next_free_at == NOON + 15 * MINUTE


def test_evses_stand_in_the_order_of_their_charger_and_number(session):
    location = make.a_location(session)
    second = make.an_evse(session, location=location, identity="CP-2")
    first = make.an_evse(session, location=location, identity="CP-1")
    third = Evse(number=2, charger=second.charger, booking_price_paise=1)
    session.add(third)
    session.flush()

    evses = evses_now(session, [location.id], now=NOON)[location.id]

    assert [each.evse_id for each in evses] == [first.id, second.id, third.id]


def test_a_location_without_evses_has_none(session):
    location = make.a_location(session)

    assert evses_now(session, [location.id], now=NOON) == {location.id: []}
    assert evses_now(session, [], now=NOON) == {}


def test_a_stretch_of_the_past_is_told_too(session):
    made = make.an_evse(session)
    user = make.a_user(session)
    claim = AClaim(CURRENT - 8, is_block=False, hold=None)
    _build_claim(session, claim, made.id, user.id)
    today = Slot(NOON - 6 * HOUR, NOON + 6 * HOUR)

    places = [made.charger.location_id]
    (evse,) = evses_now(session, places, now=NOON, stretch=today)[places[0]]

    assert list(evse.claims) == [CURRENT - 8]
    assert evse.claims[CURRENT - 8].user_id == user.id


def test_a_site_that_is_closed_then_is_not_found_for_that_time(session):
    for name, hours in [("Late", "06:00-22:00"), ("Early", "06:00-18:00")]:
        a_site(session, name, opening_hours=hours)
    evening = make.a_slot(after_hours=1)  # 18:30 in India.

    assert names(session, Search(slot=evening)) == ["Late"]
