"""Chargers of the benchmark: what they are answered is counted, and is kept."""

import json
from collections.abc import Callable
from itertools import chain, pairwise

import pytest
from sqlalchemy import func, select

from evcharge.bench.fill import fill
from evcharge.bench.fleet import KEY, Fleet, identity, location_of
from evcharge.bench.talk import status_words
from evcharge.control.models import ChargerKey
from evcharge.control.rules import Protocol
from evcharge.gateway.schemas import check_request
from evcharge.kernel.db import Database
from evcharge.stations.models import Charger, Connector
from evcharge.wiring import metadata
from make import NOON


@pytest.fixture
def filled(new_url: Callable[[], str]):
    url = new_url()
    database = Database(url)
    metadata.create_all(database.engine)
    fill([url], Fleet(NOON, 25))
    yield database
    database.engine.dispose()


def test_every_charger_has_a_plug_and_the_key(filled):
    with filled.reading() as session:
        keys = {each.charger_id: each for each in session.scalars(select(ChargerKey))}
        chargers = session.scalars(select(Charger)).all()

        assert session.scalar(select(func.count(Connector.id))) == 25
        assert {each.identity for each in chargers} == {
            identity(number) for number in range(1, 26)
        }
        assert all(keys[each.id].hash.fits(KEY.encode()) for each in chargers)
        assert not keys[1].hash.fits(b"another-0123456789-a")
        assert len({each.salt for each in keys.values()}) == 25


def test_the_last_charger_is_at_the_last_location():
    fleet = Fleet(NOON, 25)
    tables = [each.tables for each in fleet.batches()]
    locations = list(chain.from_iterable(each["locations"] for each in tables))

    assert (len(locations), location_of(fleet, 25)) == (3, 3)


def test_no_two_statuses_in_a_row_are_the_same_and_all_are_by_the_book():
    said = [json.loads(status_words(turn)) for turn in range(8)]

    for each in said:
        check_request(Protocol.OCPP16, "StatusNotification", each)
    assert len({each["info"] for each in said}) == 8
    assert all(a["status"] != b["status"] for a, b in pairwise(said))
