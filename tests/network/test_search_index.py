"""Whole worlds searched page by page, against the same done by hand."""

import random
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert

import make
from evcharge.accounts.models import Operator
from evcharge.bookings.models import MaintenanceBlock, SlotClaim
from evcharge.bookings.rules import Slot
from evcharge.kernel.geo import EARTH_RADIUS_M, Box, Point, distance_m
from evcharge.kernel.ids import new_id
from evcharge.network.queries import find_sites, search_found
from evcharge.network.rules import (
    BadPosition,
    Order,
    Position,
    Search,
)
from evcharge.stations.models import Charger, Connector, Evse, Location
from evcharge.stations.rules import (
    Access,
    ClaimedBy,
    ConnectorKind,
    Lifecycle,
    ReportedStatus,
)
from evcharge.stations.rules.finding import on_globe
from evcharge.stations.service import refresh_search_rows
from make import HOUR, NOON

LATER = Slot(NOON + 2 * HOUR, NOON + 3 * HOUR)  # 19:30 in India.
KINDS = [ConnectorKind.CCS2, ConnectorKind.TYPE2, ConnectorKind.GBT_DC]
COMFORTS = ["cafe", "restrooms", "tyre_air"]
OPERATORS = (41, 42)
NO_PRICE = 2**31 - 1
WIDE = Box(-180, -90, 180, 90)
CITY = Point(12.97, 77.6)
# Some stand at one place, some at a pole and at the edge of the map.
PLACES = {
    "city": [Point(12.97, 77.6), Point(12.97, 77.61), Point(13.1, 77.6)],
    "globe": [
        Point(90, 0),
        Point(90, 120),
        Point(-90, 0),
        Point(89.9, -170),
        Point(0, 180),
        Point(0, -180),
        Point(0.1, -179.9),
        Point(51.5, -0.1),
    ],
}


@dataclass(frozen=True)
class AnEvse:
    lifecycle: Lifecycle
    plugs: tuple[tuple[ConnectorKind, int], ...]
    is_in_use: bool
    is_taken_later: bool
    paise_per_kwh: int | None = 1_500

    def suits(self, search):
        if search.is_working and (self.lifecycle != Lifecycle.ACTIVE or not self.plugs):
            return False
        wants_free = search.is_free_now or search.slot is not None
        if self.lifecycle == Lifecycle.REMOVED:
            return False
        if wants_free and self.lifecycle != Lifecycle.ACTIVE:
            return False
        if search.is_free_now and (self.is_in_use or not self.plugs):
            return False
        if search.slot is not None and self.is_taken_later:
            return False
        if search.most_paise_per_kwh is not None and (
            self.paise_per_kwh is None or self.paise_per_kwh > search.most_paise_per_kwh
        ):
            return False
        wants_plug = search.kinds or search.min_power_w
        return not wants_plug or any(search.suits(*plug) for plug in self.plugs)


@dataclass
class ASite:
    name: str
    place: Point
    is_active: bool
    closes_early: bool
    evses: list[AnEvse]
    id: int = field(default=0)
    operator: int = 0  # The first or the second of two.
    access: Access = Access.PUBLIC
    amenities: frozenset[str] = frozenset()
    reliability_permille: int | None = None

    def suits(self, search):
        if not (self.is_active and any(each.suits(search) for each in self.evses)):
            return False
        if search.slot is not None and self.closes_early:
            return False
        if search.operator_id not in (None, OPERATORS[self.operator]):
            return False
        if search.access not in (None, self.access):
            return False
        if not search.amenities <= self.amenities:
            return False
        text = f"{self.name} | pune | goa | 403001 | lane 4".casefold()
        return self.is_in(search) and all(word in text for word in search.words)

    def is_in(self, search):
        box = search.box or WIDE
        if not (box.south <= self.place.lat <= box.north):
            return False
        if not (box.west <= self.place.lon <= box.east):
            return False
        if search.near is None or search.radius_m is None:
            return True
        return distance_m(search.near, self.place) <= search.radius_m

    def key(self, search):
        if search.order != Order.DISTANCE:
            here = search.outward_from
            return self.worth(search), self.away(here) if here else 0, self.id
        if search.outward_from is not None:
            return self.away(search.outward_from), self.id
        phrase = " ".join(search.words)
        rank = 0 if self.name.casefold().startswith(phrase) else 2
        return (1 if rank and phrase == "pune" else rank), self.name, self.id

    def worth(self, search):
        """What comes first has least; of plugs that they asked for."""
        if search.order == Order.RELIABILITY:
            known = self.reliability_permille
            return 1 if known is None else -known
        offers = [
            offer
            for offer in self.offers(search)
            if offer[0] >= search.min_power_w
            and offer[1]
            <= (
                NO_PRICE
                if search.most_paise_per_kwh is None
                else search.most_paise_per_kwh
            )
        ]
        if search.order == Order.POWER:
            return -max(power_w for power_w, _ in offers)
        return min(paise for _, paise in offers)

    def offers(self, search):
        """Yield the most power and the least price of each kind they asked for."""
        evses = [each for each in self.evses if each.lifecycle != Lifecycle.REMOVED]
        for kind in search.kinds or [None]:
            suiting = [
                (power_w, each.paise_per_kwh)
                for each in evses
                for found, power_w in each.plugs or [(None, 0)]
                if kind in (None, found)
            ]
            if suiting:
                prices = [NO_PRICE if paise is None else paise for _, paise in suiting]
                yield max(power_w for power_w, _ in suiting), min(prices)

    def away(self, here):
        pairs = zip(
            on_globe(self.place.lat, self.place.lon),
            on_globe(here.lat, here.lon),
            strict=True,
        )
        x, y, z = (ours - theirs for ours, theirs in pairs)
        return x * x + y * y + z * z


def seeded(seed):
    return random.Random(seed)  # noqa: S311 - the same world every time.


def a_world(rng, kind, count):
    return [
        ASite(
            name=rng.choice(["Lake", "Pune gate", "Hill"]) + f" {rng.randrange(5)}",
            place=a_place(rng, kind),
            is_active=rng.random() < 0.9,
            closes_early=rng.random() < 0.2,
            evses=[an_evse(rng) for _ in range(rng.choice([0, 1, 1, 2, 3]))],
            operator=rng.randrange(2),
            access=rng.choice([Access.PUBLIC, Access.PUBLIC, Access.RESTRICTED]),
            amenities=frozenset(rng.sample(COMFORTS, rng.randrange(4))),
            reliability_permille=rng.choice([None, 900, 990, 1000]),
        )
        for _ in range(count)
    ]


def a_place(rng, kind):
    if kind in PLACES and rng.random() < 0.5:
        return rng.choice(PLACES[kind])
    if kind == "city":
        return Point(12.97 + rng.gauss(0, 0.05), 77.6 + rng.gauss(0, 0.05))
    if kind == "india":
        return Point(rng.uniform(8, 35), rng.uniform(69, 95))
    return Point(rng.uniform(-90, 90), rng.uniform(-180, 180))


def an_evse(rng):
    kinds = rng.sample(KINDS, rng.choice([0, 1, 1, 1, 2]))
    return AnEvse(
        lifecycle=rng.choice([Lifecycle.ACTIVE] * 6 + list(Lifecycle)),
        plugs=tuple((each, rng.choice([7_400, 30_000, 60_000])) for each in kinds),
        is_in_use=rng.random() < 0.5,
        is_taken_later=rng.random() < 0.5,
        paise_per_kwh=rng.choice([None, 0, 1_200, 1_500, 2_000]),
    )


def a_search(rng, kind):
    here = a_place(rng, rng.choice([kind, kind, kind, "globe"]))
    where = rng.choice(["near", "near", "radius", "box", "both", "", "tiny"])
    half = rng.choice([0.02, 0.5, 10, 60])
    box = Box(
        max(-180, here.lon - half),
        max(-90, here.lat - half),
        min(180, here.lon + half),
        min(90, here.lat + half),
    )
    tiny = Box(here.lon, here.lat, here.lon, here.lat)
    return Search(
        words=rng.choice([()] * 4 + [("pune",), ("lake",), ("hill", "3"), ("xyz",)]),
        near=here if where in ("near", "radius", "both") else None,
        box={"box": box, "both": box, "tiny": tiny}.get(where),
        radius_m=rng.choice([0, 3_000, 50_000, 3_000_000, 30_000_000])
        if where == "radius"
        else None,
        kinds=frozenset(rng.sample(KINDS, rng.choice([0, 0, 1, 1, 2, 3]))),
        min_power_w=rng.choice([0, 0, 7_401, 60_000, 60_001]),
        is_working=rng.random() < 0.1,
        is_free_now=rng.random() < 0.25,
        slot=LATER if rng.random() < 0.25 else None,
        amenities=frozenset(rng.sample(COMFORTS, rng.choice([0] * 8 + [1, 2]))),
        access=rng.choice([None] * 8 + list(Access)),
        operator_id=rng.choice([None] * 9 + [*OPERATORS, 99]),
        most_paise_per_kwh=rng.choice([None] * 9 + [0, 1_499, 1_500]),
        order=rng.choice([Order.DISTANCE] * 3 + list(Order)),
    )


def build(session, sites):
    user = make.a_user(session)
    for id_ in OPERATORS:
        name = f"Operator {id_}"
        session.merge(Operator(id=id_, name=name, name_key=name, created_at=NOON))
    locations = [_location(site) for site in sites]
    session.add_all(locations)
    session.flush()
    for site, location in zip(sites, locations, strict=True):
        site.id = location.id
        chargers = zip(site.evses, location.chargers, strict=True)
        taken = [charger for each, charger in chargers if each.is_taken_later]
        for charger in taken:
            _block(session, charger.evses[0].id, user.id)
    refresh_search_rows(session, [site.id for site in sites])
    _take_stock(session)


def _take_stock(session):
    """As autovacuum does of what is committed. Of rows of this transaction it knows
    nothing, and PostgreSQL would plan by what the tables held in tests before."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().exec_driver_sql("ANALYZE locations, location_connectors")


def _location(site):
    return Location(
        operator_id=OPERATORS[site.operator],
        access=site.access,
        amenities=sorted(site.amenities),
        reliability_permille=site.reliability_permille,
        name=site.name,
        address="Lane 4",
        city="Pune",
        state="Goa",
        pincode="403001",
        lat=site.place.lat,
        lon=site.place.lon,
        opening_hours="06:00-19:00" if site.closes_early else "24/7",
        is_active=site.is_active,
        created_at=NOON,
        chargers=[_charger(evse) for evse in site.evses],
    )


def _charger(evse):
    reported = ReportedStatus.CHARGING if evse.is_in_use else ReportedStatus.AVAILABLE
    plugs = [
        Connector(number=number, kind=kind, power_w=power_w, reported_status=reported)
        for number, (kind, power_w) in enumerate(evse.plugs, start=1)
    ]
    point = Evse(
        number=1,
        lifecycle=evse.lifecycle,
        booking_price_paise=1,
        paise_per_kwh=evse.paise_per_kwh,
        connectors=plugs,
    )
    identity = f"CP-{new_id()}"
    return Charger(identity=identity, last_seen_at=NOON, created_at=NOON, evses=[point])


def _block(session, evse_id, user_id):
    block_id = new_id()
    session.execute(
        insert(MaintenanceBlock).values(
            id=block_id,
            evse_id=evse_id,
            starts_at=LATER.starts_at,
            ends_at=LATER.ends_at,
            reason="",
            created_by=user_id,
            created_at=NOON,
        )
    )
    session.execute(
        insert(SlotClaim).values(
            evse_id=evse_id,
            slot_no=LATER.quarters.start + 1,
            kind=ClaimedBy.BLOCK,
            block_id=block_id,
        )
    )


def all_pages(session, search, limit):
    """Turn pages until none follows. Return the ids in the order shown."""
    found, after = [], None
    while True:
        sites, after = find_sites(session, search, now=NOON, limit=limit, after=after)
        assert len(sites) <= limit
        found += [site.id for site in sites]
        if after is None:
            return found
        assert len(sites) == limit


@pytest.mark.parametrize("kind", ["city", "india", "globe"])
@pytest.mark.parametrize("seed", range(2))
def test_paging_shows_every_match_once_and_in_order(database, monkeypatch, kind, seed):
    # Small, so that a small world takes every path.
    monkeypatch.setattr(search_found, "BATCHES", (2, 5))
    rng = seeded(f"{kind} {seed}")
    sites = a_world(rng, kind, 70)
    matches = 0

    with database.reading() as session:
        build(session, sites)
        for _ in range(80):
            search = a_search(rng, kind)
            suiting = [site for site in sites if site.suits(search)]
            wanted = [
                site.id for site in sorted(suiting, key=lambda each: each.key(search))
            ]
            assert all_pages(session, search, rng.choice([2, 7, 30])) == wanted, search
            matches += len(wanted)

    assert matches > 100, "these worlds have too little to find"


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    seed=st.integers(0, 2**32),
    kind=st.sampled_from(["city", "india", "globe"]),
    size=st.integers(0, 12),
)
def test_any_world_is_searched_as_by_hand(database, seed, kind, size):
    rng = seeded(seed)
    sites = a_world(rng, kind, size)

    with database.reading() as session:
        build(session, sites)
        for _ in range(6):
            search = a_search(rng, kind)
            suiting = [site for site in sites if site.suits(search)]
            wanted = sorted(suiting, key=lambda each: each.key(search))
            found = all_pages(session, search, rng.choice([1, 3, 30]))
            assert found == [site.id for site in wanted], search


@pytest.mark.parametrize("kind", ["india", "globe"])
def test_what_comes_first_is_nearest_all_over_the_globe(database, kind):
    rng = seeded(kind)
    sites = a_world(rng, kind, 60)

    with database.reading() as session:
        build(session, sites)
        for _ in range(20):
            here = a_place(rng, kind)
            found, _ = find_sites(session, Search(near=here), now=NOON, limit=100)
            distances = [site.distance_m for site in found]
            assert distances == pytest.approx(sorted(distances), abs=0.1)


def test_a_page_by_number_is_the_page_that_follows(session):
    sites = a_world(seeded(1), "city", 40)
    build(session, sites)
    search = Search(near=CITY, is_free_now=True)

    _, after = find_sites(session, search, now=NOON, limit=3)
    second = find_sites(session, search, now=NOON, limit=3, after=after)

    assert after is not None
    by_number = replace(search, page=2)
    assert find_sites(session, by_number, now=NOON, limit=3) == second


def test_who_is_far_from_everything_is_shown_the_nearest(session):
    build(session, a_world(seeded(2), "india", 60))
    elsewhere = Point(-50.0, -120.0)

    found, after = find_sites(session, Search(near=elsewhere), now=NOON, limit=5)

    assert len(found) == 5
    assert after is not None
    assert found[0].distance_m > EARTH_RADIUS_M


def test_a_box_upside_down_holds_nothing(session):
    build(session, a_world(seeded(3), "city", 30))

    box = Box(west=78, south=13, east=77, north=12)

    assert find_sites(session, Search(box=box), now=NOON) == ([], None)


@pytest.mark.parametrize(
    ("search", "after"),
    [
        (Search(near=CITY), Position(1, name="Lake")),
        (Search(), Position(1, away=0.5)),
        (Search(near=CITY), Position(1, away=0.5, worth=1)),
        (Search(order=Order.PRICE), Position(1, away=0.5)),
        (Search(order=Order.PRICE), Position(1)),
    ],
)
def test_a_page_of_another_order_is_refused(session, search, after):
    with pytest.raises(BadPosition):
        find_sites(session, search, now=NOON, after=after)


@pytest.mark.parametrize(
    "values",
    [
        {"location_id": -1},
        {"location_id": 2**63},
        {"location_id": 1, "away": float("nan")},
        {"location_id": 1, "away": float("inf")},
        {"location_id": 1, "rank": 3},
        {"location_id": 1, "worth": 2**31},
        {"location_id": 1, "name": "a\0b"},
    ],
)
def test_a_position_where_no_page_ended_is_none(values):
    with pytest.raises(ValueError, match="no such"):
        Position(**values)


# ── what it costs ────────────────────────────────────────────────────────────────


def many(session, count):
    """Bring so many sites into a square of 20 by 20 degrees."""
    rng = seeded(count)
    evse = AnEvse(Lifecycle.ACTIVE, ((ConnectorKind.CCS2, 60_000),), False, False)
    places = (Point(rng.uniform(10, 30), rng.uniform(70, 90)) for _ in range(count))
    build(session, [ASite("Lake", each, True, False, [evse]) for each in places])


SEARCHES = {
    "kind and power": Search(
        near=CITY, kinds=frozenset({ConnectorKind.CCS2}), min_power_w=50_000
    ),
    "free now": Search(near=CITY, is_free_now=True),
    "box": Search(box=Box(75, 15, 80, 20)),
    "name": Search(),
    "price": Search(near=CITY, radius_m=2_000_000, order=Order.PRICE),
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_a_search_takes_few_statements(session, statements, search):
    many(session, 400)
    statements.clear()

    found, after = find_sites(session, search, now=NOON)

    assert len(found) == 20
    assert after is not None
    assert len(statements) <= 4


def test_the_nearest_are_read_from_the_index_alone(session):
    many(session, 400)
    connection = session.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    if not is_sqlite:  # Of so few rows it would rather read the table.
        connection.exec_driver_sql("ANALYZE locations, location_connectors")
        for other in ("seqscan", "bitmapscan"):
            connection.exec_driver_sql(f"SET LOCAL enable_{other} = off")
    sent = []
    note = lambda _, cursor, statement, values, *__: sent.append((statement, values))  # noqa: E731
    event.listen(connection, "before_cursor_execute", note)
    find_sites(session, SEARCHES["kind and power"], now=NOON)
    event.remove(connection, "before_cursor_execute", note)

    explain = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    statement, values = sent[-1]
    plan = str(connection.exec_driver_sql(explain + statement, values).all())

    way = "USING COVERING INDEX" if is_sqlite else "Index Only Scan using"
    assert f"{way} ix_location_connectors_search" in plan


def test_a_free_point_is_found_beyond_many_that_are_not(session):
    """More than a batch is in use: the rest is sieved by the database."""
    busy = AnEvse(Lifecycle.ACTIVE, ((ConnectorKind.CCS2, 60_000),), True, False)
    rng = seeded(5)
    sites = [
        ASite("Lake", Point(12.97 + rng.gauss(0, 0.1), 77.6), True, False, [busy])
        for _ in range(sum(search_found.BATCHES) + 50)
    ]
    sites[7].evses = [replace(busy, is_in_use=False)]
    sites[7].place = Point(14.5, 77.6)
    build(session, sites)

    for search in (Search(near=CITY, is_free_now=True), Search(is_free_now=True)):
        found, after = find_sites(session, search, now=NOON)
        assert [site.id for site in found] == [sites[7].id]
        assert after is None


def test_opening_hours_are_judged_after_the_batch(session):
    """A page is full even where half of what is near is closed by then."""
    evse = AnEvse(Lifecycle.ACTIVE, ((ConnectorKind.CCS2, 60_000),), False, False)
    sites = [
        ASite("Lake", Point(12 + number / 1000, 77.6), True, number % 2 == 0, [evse])
        for number in range(100)
    ]
    build(session, sites)

    found = all_pages(session, Search(near=Point(12, 77.6), slot=LATER), limit=7)

    assert found == [site.id for site in sites if not site.closes_early]
    assert LATER.starts_at - NOON == timedelta(hours=2)
