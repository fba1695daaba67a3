"""What the map shows, against the same counted by hand."""

import math
import random
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, event

import make
from evcharge.kernel.geo import Box, Point
from evcharge.network.queries import clusters, map_view
from evcharge.network.queries.search_map import MOST_SITES, level_for
from evcharge.network.rules import Order, Search
from evcharge.stations.models import MapCell
from evcharge.stations.rules import Access, ConnectorKind
from evcharge.stations.rules.finding import LEVELS
from evcharge.stations.service import set_location_active
from make import NOON

INDIA = Box(68, 6, 98, 37)
WORLD = Box(-180, -90, 180, 90)
KINDS = (ConnectorKind.CCS2, ConnectorKind.TYPE2)
PLACES = st.tuples(
    st.floats(-90, 90) | st.floats(8, 36) | st.just(12.5),
    st.floats(-180, 180) | st.floats(69, 96) | st.just(77.5),
)
SITES = st.lists(
    st.tuples(PLACES, st.sets(st.sampled_from(KINDS), min_size=1)), max_size=12
)
BOXES = st.sampled_from([INDIA, WORLD, Box(77, 12, 78, 13), Box(77.5, 12.5, 80, 20)])


def bring(session, sites):
    for (lat, lon), kinds in sites:
        location = make.a_location(session, lat=lat, lon=lon)
        make.an_evse(session, location=location, kinds=tuple(kinds))


def counted(sites, kinds, level, *, within=None):
    """Return how many there are in each cell, and what their middle is."""
    cells = defaultdict(list)
    for (lat, lon), offered in sites:
        if kinds and not kinds & offered:
            continue
        if within and not (
            within.south <= lat <= within.north and within.west <= lon <= within.east
        ):
            continue
        # As the index keeps it, in millionths: on an edge, that decides.
        north, east = (
            math.floor((round(each * 1e6) / 1e6 + edge) * 2.0**level)
            for each, edge in ((lat, 90), (lon, 180))
        )
        cells[north, east].append((lat, lon))
    return cells


def as_cells(found, level):
    """Return how many and what middle, by cell."""
    return {
        (
            round((each.cell.south + 90) * 2.0**level),
            round((each.cell.west + 180) * 2.0**level),
        ): (each.locations, Point(each.lat, each.lon))
        for each in found
    }


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sites=SITES, box=BOXES, zoom=st.integers(0, 20), kind=st.sampled_from(KINDS))
def test_counts_kept_on_every_write_are_what_counting_gives(
    database, sites, box, zoom, kind
):
    level = level_for(box, zoom)
    with database.reading() as session:
        bring(session, sites)
        for kinds in (frozenset(), frozenset({kind})):
            found = clusters(session, Search(kinds=kinds), box, zoom=zoom)

            wanted = {
                cell: places
                for cell, places in counted(sites, kinds, level).items()
                if touches(box, cell, level)
            }
            got = as_cells(found, level)
            assert {cell: n for cell, (n, _) in got.items()} == {
                cell: len(places) for cell, places in wanted.items()
            }
            for cell, places in wanted.items():
                middle = [sum(each) / len(places) for each in zip(*places, strict=True)]
                assert [got[cell][1].lat, got[cell][1].lon] == pytest.approx(
                    middle, abs=2e-6
                )


def touches(box, cell, level):
    north, east = cell
    low = [
        math.floor((each + edge) * 2.0**level)
        for each, edge in ((box.south, 90), (box.west, 180))
    ]
    high = [
        math.floor((each + edge) * 2.0**level)
        for each, edge in ((box.north, 90), (box.east, 180))
    ]
    return low[0] <= north <= high[0] and low[1] <= east <= high[1]


@pytest.mark.parametrize("zoom", [4, 8, 12])
def test_what_is_counted_then_and_there_agrees(session, zoom):
    rng = random.Random(zoom)  # noqa: S311 - the same places every time.
    sites = [
        (
            (rng.uniform(8, 36), rng.uniform(69, 96)),
            set(rng.sample(KINDS, rng.choice([1, 2]))),
        )
        for _ in range(60)
    ]
    bring(session, sites)
    search = Search(kinds=frozenset(KINDS), access=Access.PUBLIC)

    found = clusters(session, search, INDIA, zoom=zoom)

    level = level_for(INDIA, zoom)
    wanted = counted(sites, frozenset(KINDS), level, within=INDIA)
    assert {cell: n for cell, (n, _) in as_cells(found, level).items()} == {
        cell: len(places) for cell, places in wanted.items()
    }
    assert sum(each.locations for each in found) == 60


def test_what_is_closed_is_counted_no_longer(session):
    evse = make.an_evse(session)
    location = evse.charger.location

    set_location_active(session, location_id=location.id, is_active=False, version=1)

    assert clusters(session, Search(), WORLD, zoom=3) == []


def test_few_are_shown_one_by_one_and_many_are_counted(session):
    location = make.a_location(session)
    make.an_evse(session, location=location)
    few = map_view(session, Search(), INDIA, zoom=5, now=NOON)
    for number in range(MOST_SITES):
        far = make.a_location(session, lat=10 + number / 10)
        make.an_evse(session, location=far)

    many = map_view(session, Search(), INDIA, zoom=5, now=NOON)

    assert [site.id for site in few.sites] == [location.id]
    assert (few.clusters, few.is_whole) == ((), True)
    assert (many.sites, many.is_whole) == ((), True)
    assert sum(each.locations for each in many.clusters) == MOST_SITES + 1


def test_what_the_index_cannot_count_is_shown_around_the_middle(session):
    for number in range(MOST_SITES + 1):
        place = make.a_location(session, lat=10 + number / 10)
        make.an_evse(session, location=place)

    view = map_view(session, Search(is_free_now=True), INDIA, zoom=5, now=NOON)

    assert len(view.sites) == MOST_SITES
    assert not view.is_whole
    assert view.sites[0].lat == pytest.approx(INDIA.middle.lat, abs=1)


def test_an_order_does_not_matter_to_a_map(session):
    make.an_evse(session)
    session.execute(delete(MapCell))

    # Read from the cells, of which there are none now.
    assert clusters(session, Search(order=Order.PRICE), INDIA, zoom=5) == []


def test_no_part_of_the_map_has_too_many_cells():
    for zoom in (None, 0, 7, 30):
        for box in (WORLD, INDIA, Box(0, 0, 1e-6, 1e-6), Box(-180, 0, 180, 0.001)):
            level = level_for(box, zoom)
            assert level in LEVELS
            rows = (box.north - box.south) * 2.0**level
            assert rows <= 24 or level == LEVELS[0]


def test_the_map_is_always_asked_for_in_the_same_words(session):
    sent = set()
    connection = session.connection()

    def note(_, cursor, statement, *__):
        sent.add(statement)

    event.listen(connection, "before_cursor_execute", note)
    for box in (WORLD, INDIA, Box(77, 12, 77.1, 12.1)):
        clusters(session, Search(), box, zoom=9)
    event.remove(connection, "before_cursor_execute", note)

    assert len(sent) == 1
