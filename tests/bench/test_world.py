"""The made-up network: the same every time, sound, and with its search index."""

from collections.abc import Callable
from itertools import chain

import pytest
from sqlalchemy import func, select, text

from evcharge.accounts.models import Login
from evcharge.accounts.rules.tokens import token_hash
from evcharge.bench.fill import fill
from evcharge.bench.world import COLUMNS, LARGE, World, token
from evcharge.bookings.audit import discrepancies
from evcharge.kernel.db import Database
from evcharge.stations.models import (
    Charger,
    Evse,
    Location,
    LocationCell,
    LocationConnector,
)
from evcharge.stations.service.search_rows import rebuild_search_rows
from evcharge.wiring import metadata
from make import NOON


def rows_of(world: World) -> dict[str, list[tuple[object, ...]]]:
    batches = list(world.batches())
    return {
        name: list(chain.from_iterable(batch.tables[name] for batch in batches))
        for name in COLUMNS
    }


def test_the_same_seed_makes_the_same_world():
    assert rows_of(World(NOON, 300, 20)) == rows_of(World(NOON, 300, 20))


def test_a_large_world_begins_with_the_small_one():
    small, large = rows_of(World(NOON, 200, 20)), rows_of(World(NOON, 400, 20))

    assert len(large["locations"]) == 2 * len(small["locations"])
    for table in ("locations", "chargers", "evses", "connectors", "slot_claims"):
        assert small[table] == large[table][: len(small[table])]


def test_it_counts_its_evses():
    world = World(NOON, 200, 20)

    assert len(rows_of(world)["evses"]) == world.evses


@pytest.fixture
def filled(new_url: Callable[[], str]):
    url = new_url()
    database = Database(url)
    metadata.create_all(database.engine)
    fill([url], World(NOON, 150, 20))
    yield database
    database.engine.dispose()


def test_the_filled_database_is_sound(filled):
    with filled.reading() as session:
        assert session.scalar(select(func.count(Location.id))) == 150
        large = select(func.count(Evse.id)).join(Charger)
        assert session.scalar(large.where(Charger.location_id == LARGE)) == 6
        assert discrepancies(session) == []
        assert session.scalar(text("SELECT count(*) FROM slot_claims")) > 0
        assert session.get_one(Location, 7).created_at == NOON


def test_its_drivers_hold_tokens(filled):
    with filled.reading() as session:
        holder = select(Login.user_id).where(Login.token_hash == token_hash(token(20)))

        assert session.scalar(holder) == 20


def test_its_search_index_is_the_one_that_would_be_built(filled):
    def index(session):
        rows = select(LocationConnector.__table__)
        cells = select(LocationCell.__table__)
        return [set(session.execute(each)) for each in (rows, cells)]

    with filled.transaction() as session:
        before = index(session)
        rebuild_search_rows(session)
        session.flush()

        assert all(before)
        assert index(session) == before
