"""The search index is what the stations are, whatever is done to them."""

import random
from itertools import count
from threading import Thread

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import delete, select, update

import make
from evcharge.app import create_app
from evcharge.kernel.errors import DomainError
from evcharge.stations import service
from evcharge.stations.models import (
    Charger,
    Connector,
    Evse,
    Location,
    LocationCell,
    LocationConnector,
    MapCell,
)
from evcharge.stations.rules import Access, ConnectorKind, Lifecycle
from evcharge.stations.rules.entries import (
    ChargerDetails,
    ConnectorDetails,
    EvseDetails,
    LocationDetails,
)
from evcharge.stations.rules.finding import (
    ANY_KIND,
    LEVELS,
    UNKNOWN_PRICE,
    Ground,
    Offer,
    search_rows,
)
from evcharge.stations.service import rebuild_search_rows, refresh_search_rows
from make import HOUR, NOON


def index(session):
    """Return all there is in the index."""
    rows = session.execute(select(*LocationConnector.__table__.columns))
    cells = session.execute(select(*LocationCell.__table__.columns))
    drawn = session.execute(select(*MapCell.__table__.columns))
    return set(map(tuple, rows)), set(map(tuple, cells)), set(map(tuple, drawn))


def found(session, location_id):
    """Return the most power of each kind at a location."""
    mine = LocationConnector.location_id == location_id
    rows = session.execute(
        select(LocationConnector.kind, LocationConnector.max_power_w).where(mine)
    )
    return dict(map(tuple, rows))


# ── whatever operators do ────────────────────────────────────────────────────────


class Operator:
    """Does something at random: a method for each action of the service."""

    def __init__(self, session, rng):
        self.session, self.rng = session, rng
        self.operator_id = make.an_operator(session).id
        self.numbers = count(1)

    def act(self, action):
        getattr(self, action)(getattr(service, action))

    def any(self, table):
        rows = self.session.execute(select(table.id, table.version)).all()
        return self.rng.choice(rows)

    def a_place_with_points(self):
        has_points = select(Charger.location_id).join(Charger.evses)
        places = select(Location.id, Location.version).where(
            Location.id.in_(has_points)
        )
        return self.rng.choice(self.session.execute(places).all())

    def place(self):
        lat, lon = self.rng.choice([(18.5, 73.9), (18.51, 73.91), (-90.0, 180.0)])
        return LocationDetails(
            name=f"Lane {next(self.numbers)}",
            address="Lane 4",
            city="Pune",
            state="Maharashtra",
            pincode="411001",
            lat=lat,
            lon=lon,
            access=self.rng.choice(list(Access)),
            amenities=tuple(self.rng.sample(["cafe", "wifi", "tyre_air"], 2)),
        )

    def plug(self):
        kind = self.rng.choice([ConnectorKind.CCS2, ConnectorKind.TYPE2])
        power_w = self.rng.choice([7_400, 60_000])
        return ConnectorDetails(next(self.numbers), kind, power_w)

    def a_plug_of(self, evse_id):
        mine = Connector.evse_id == evse_id
        return self.rng.choice(
            self.session.scalars(select(Connector.id).where(mine)).all()
        )

    def create_location(self, create):
        create(
            self.session,
            operator_id=self.operator_id,
            details=self.place(),
            now=NOON,
        )

    def edit_location(self, edit):
        location_id, version = self.a_place_with_points()
        edit(
            self.session,
            location_id=location_id,
            details=self.place(),
            version=version,
        )

    def set_location_active(self, set_active):
        location_id, version = self.a_place_with_points()
        set_active(
            self.session,
            location_id=location_id,
            is_active=self.rng.random() < 0.6,
            version=version,
        )

    def create_charger(self, create):
        location_id, _ = self.any(Location)
        details = ChargerDetails(f"CP-{next(self.numbers)}")
        create(self.session, location_id=location_id, details=details, now=NOON)

    def edit_charger(self, edit):
        charger_id, version = self.any(Charger)
        details = ChargerDetails(f"CP-{next(self.numbers)}")
        edit(self.session, charger_id=charger_id, details=details, version=version)

    def add_evse(self, add):
        charger_id, _ = self.any(Charger)
        add(
            self.session,
            charger_id=charger_id,
            details=EvseDetails(next(self.numbers), 100),
            connectors=[self.plug()],
        )

    def edit_evse(self, edit):
        evse_id, version = self.any(Evse)
        details = EvseDetails(next(self.numbers), 200)
        edit(self.session, evse_id=evse_id, details=details, version=version)

    def set_lifecycle(self, set_lifecycle):
        evse_id, _ = self.any(Evse)
        lifecycle = self.rng.choice([*[Lifecycle.ACTIVE] * 4, *Lifecycle])
        set_lifecycle(self.session, evse_id=evse_id, lifecycle=lifecycle)

    def add_connector(self, add):
        evse_id, version = self.any(Evse)
        add(self.session, evse_id=evse_id, details=self.plug(), version=version)

    def edit_connector(self, edit):
        evse_id, version = self.any(Evse)
        edit(
            self.session,
            evse_id=evse_id,
            connector_id=self.a_plug_of(evse_id),
            details=self.plug(),
            version=version,
        )

    def remove_connector(self, remove):
        evse_id, version = self.any(Evse)
        remove(
            self.session,
            evse_id=evse_id,
            connector_id=self.a_plug_of(evse_id),
            version=version,
        )

    def record_prices(self, record):
        evse_id, _ = self.any(Evse)
        record(self.session, {evse_id: self.rng.choice([None, 1200, 1800])})

    def record_reliability(self, record):
        ids = self.session.scalars(select(Location.id)).all()
        record(self.session, ids, now=NOON + self.rng.choice([1, 960]) * HOUR)


# These change nothing that a search finds, or are the index itself.
NOT_FOUND = {
    "record_connector_status",
    "record_connector_statuses",
    "record_seen",
    "rebuild_search_rows",
    "refresh_search_rows",
}
ACTIONS = sorted(set(service.__all__) - NOT_FOUND)
FIRST = ["create_location", "create_charger", "add_evse"]


@pytest.mark.parametrize("seed", range(4))
def test_after_whatever_is_done_the_index_is_what_a_new_one_would_be(session, seed):
    rng = random.Random(seed)  # noqa: S311 - the same every time.
    operator = Operator(session, rng)
    changed = set()

    for action in [*FIRST, *FIRST, *rng.choices(ACTIONS, k=100)]:
        before = index(session)
        savepoint = session.begin_nested()
        try:
            operator.act(action)
        except DomainError:  # The only plug is not taken away.
            savepoint.rollback()
        kept = index(session)
        rebuild_search_rows(session)
        assert kept == index(session), action
        if kept != before:
            changed.add(action)

    assert len(changed) >= 4


def test_every_action_is_among_those_tried():
    """A new action is written here too, or is named as one that no search sees."""
    assert [each for each in ACTIONS if not hasattr(Operator, each)] == []


# ── what is in it ────────────────────────────────────────────────────────────────


def test_a_row_for_each_kind_has_the_most_power_of_that_kind(session):
    location = make.a_location(session)
    make.an_evse(session, location=location, power_w=60_000)
    make.an_evse(session, location=location, power_w=120_000)
    make.an_evse(
        session, location=location, kinds=(ConnectorKind.TYPE2,), power_w=7_400
    )

    assert found(session, location.id) == {
        "ccs2": 120_000,
        "type2": 7_400,
        ANY_KIND: 120_000,
    }


def test_a_point_without_a_plug_can_be_found_as_any(session):
    evse = make.an_evse(session, kinds=())

    assert found(session, evse.charger.location_id) == {ANY_KIND: 0}


@pytest.mark.parametrize("lifecycle", Lifecycle)
def test_only_removed_points_are_not_in_it(session, lifecycle):
    evse = make.an_evse(session, lifecycle=lifecycle)

    is_found = found(session, evse.charger.location_id) != {}

    assert is_found == (lifecycle != Lifecycle.REMOVED)


def test_a_location_that_is_closed_is_not_in_it(session):
    location = make.a_location(session, is_active=False)
    make.an_evse(session, location=location)

    assert index(session) == (set(), set(), set())


def test_cells_count_locations_by_kind(session):
    for lat, lon in [(12.9, 77.6), (12.8, 77.51), (13.1, 77.6)]:
        make.an_evse(session, location=make.a_location(session, lat=lat, lon=lon))

    cells = index(session)[1]

    assert cells == {
        (kind, north, 1030, number)
        for kind in ("ccs2", ANY_KIND)
        for north, number in [(411, 2), (412, 1)]
    }


def test_cells_of_the_map_know_how_many_there_are_and_where(session):
    for lat, lon in [(12.9, 77.6), (12.8, 77.51), (-13.1, -77.6)]:
        make.an_evse(session, location=make.a_location(session, lat=lat, lon=lon))

    coarse = {
        tuple(row)
        for row in session.execute(
            select(
                MapCell.locations, MapCell.sum_lat_e6, MapCell.sum_lon_e6, MapCell.kind
            ).where(MapCell.level == LEVELS[0])
        )
    }

    assert coarse == {
        (number, lat, lon, kind)
        for kind in ("ccs2", ANY_KIND)
        for number, lat, lon in [
            (2, 25_700_000, 155_110_000),
            (1, -13_100_000, -77_600_000),
        ]
    }


def test_an_emptied_cell_of_the_map_is_gone(session):
    location = make.a_location(session)
    make.an_evse(session, location=location)

    service.set_location_active(
        session, location_id=location.id, is_active=False, version=1
    )

    assert index(session) == (set(), set(), set())


def test_a_row_has_the_price_of_the_cheapest_point_with_that_plug(session):
    location = make.a_location(session)
    cheap, dear, other = (
        make.an_evse(session, location=location, kinds=(kind,)).id
        for kind in (ConnectorKind.CCS2, ConnectorKind.CCS2, ConnectorKind.TYPE2)
    )

    service.record_prices(session, {cheap: 1200, dear: 1800, other: None})

    prices = session.execute(
        select(LocationConnector.kind, LocationConnector.paise_per_kwh)
    )
    assert dict(map(tuple, prices)) == {
        "ccs2": 1200,
        "type2": UNKNOWN_PRICE,
        ANY_KIND: 1200,
    }


def test_what_was_edited_has_no_price_until_it_is_worked_out_anew(session):
    evse = make.an_evse(session)
    service.record_prices(session, {evse.id: 1200})

    service.edit_evse(
        session, evse_id=evse.id, details=EvseDetails(1, 900), version=evse.version
    )

    assert set(session.scalars(select(LocationConnector.paise_per_kwh))) == {
        UNKNOWN_PRICE
    }


def test_a_refresh_mends_rows_that_were_wrong(session):
    location_id = make.an_evse(session).charger.location_id
    right = index(session)
    session.execute(update(LocationConnector).values(max_power_w=1))

    refresh_search_rows(session, [location_id])

    assert index(session) == right


def test_a_rebuild_needs_nothing_that_was_there(session):
    make.an_evse(session)
    right = index(session)
    session.execute(delete(LocationConnector))
    session.execute(update(LocationCell).values(locations=9))

    rebuild_search_rows(session)

    assert index(session) == right


def test_of_two_places_the_nearer_is_nearer_through_the_globe_too():
    (here,), (near,), (far,) = (
        search_rows(Ground(1, lat, lon, 1, 0), {None: Offer(0)})
        for lat, lon in [(12.9, 77.6), (12.9, 77.7), (12.9, -102.4)]
    )

    def away(row):
        return (row.x - here.x) ** 2 + (row.y - here.y) ** 2 + (row.z - here.z) ** 2

    assert 0 < away(near) < away(far) < 4


# ── together with others ─────────────────────────────────────────────────────────


def test_two_who_add_plugs_at_one_location_lose_neither(database):
    with database.transaction() as session:
        location = make.a_location(session)
        one = make.an_evse(session, location=location).id
        other = make.an_evse(session, location=location).id

    def add(session, evse_id, kind):
        details = ConnectorDetails(2, kind, 7_400)
        service.add_connector(session, evse_id=evse_id, details=details, version=1)

    meanwhile = Thread(
        target=database.perform,
        args=[lambda session: add(session, other, ConnectorKind.CHADEMO)],
    )
    with database.transaction() as session:
        add(session, one, ConnectorKind.TYPE2)
        meanwhile.start()
        meanwhile.join(timeout=0.3)
        assert meanwhile.is_alive(), "it did not wait"
    meanwhile.join(timeout=10)

    with database.reading() as session:
        assert set(found(session, location.id)) == {"ccs2", "type2", "chademo", ""}


# ── what was there before ────────────────────────────────────────────────────────


def test_the_migration_writes_the_index_of_what_is_there(empty, new_settings):
    url = empty.engine.url.render_as_string(hide_password=False)
    with create_app(new_settings(database_url=url), empty).app_context():
        upgrade()
        with empty.transaction() as session:
            _some_stations(session)
        downgrade(revision="2026_11_23_tokens")
        upgrade()

    with empty.transaction() as session:
        migrated = index(session)
        rebuild_search_rows(session)
        assert migrated == index(session)
        assert len(migrated[0]) == 5


def _some_stations(session):
    location = make.a_location(session)
    make.an_evse(session, location=location, kinds=())
    make.an_evse(session, location=location)
    make.an_evse(session, location=location, power_w=7_400)
    south = make.a_location(session, lat=-33.9, lon=-70.1)
    make.an_evse(session, location=south, kinds=tuple(ConnectorKind)[:2])
    make.an_evse(session, lifecycle=Lifecycle.REMOVED)
    make.an_evse(session, location=make.a_location(session, is_active=False))
