from datetime import timedelta

import pytest

import make
from evcharge.kernel.live import announced
from evcharge.stations.models import Charger, Connector
from evcharge.stations.rules import (
    ConnectorKind,
    ConnectorNotFound,
    Plug,
    ReportedStatus,
)
from evcharge.stations.service import record_connector_status, record_seen
from make import MINUTE, NOON

AVAILABLE, CHARGING = ReportedStatus.AVAILABLE, ReportedStatus.CHARGING
LATER = NOON + MINUTE


@pytest.fixture
def evse(database):
    with database.transaction() as session:
        return make.an_evse(session, identity="CP-1")


PLUG = Plug("CP-1", 1, 1)


def report(database, status, *, at, plug=PLUG):
    """Return the topics that viewers are told to look at again."""
    with database.transaction() as session:
        record_connector_status(session, plug=plug, status=status, at=at)
        return announced(session)


def connector(database):
    with database.reading() as session:
        return session.query(Connector).one()


def seen_at(database, charger_id):
    with database.reading() as session:
        return session.get_one(Charger, charger_id).last_seen_at


def test_a_report_is_remembered_with_its_time_and_shows_the_charger_is_alive(
    database, evse
):
    topics = report(database, CHARGING, at=LATER)

    assert connector(database).reported_status == CHARGING
    assert connector(database).reported_at == LATER
    assert seen_at(database, evse.charger_id) == LATER
    location_id = evse.charger.location_id
    assert topics == [f"location:{location_id}", f"evse:{evse.id}"]


def test_the_same_word_again_changes_nothing_but_when_the_charger_was_seen(
    database, evse
):
    topics = report(database, AVAILABLE, at=LATER)

    assert topics == []
    assert connector(database).reported_at == NOON
    assert seen_at(database, evse.charger_id) == LATER


def test_the_same_word_after_a_silence_is_news(database, evse):
    topics = report(database, AVAILABLE, at=NOON + 60 * MINUTE)

    assert f"evse:{evse.id}" in topics


def test_the_last_report_to_arrive_wins_but_a_charger_is_never_seen_earlier(
    database, evse
):
    report(database, CHARGING, at=LATER)

    report(database, AVAILABLE, at=NOON)

    assert connector(database).reported_status == AVAILABLE
    assert seen_at(database, evse.charger_id) == LATER


def test_a_report_changes_its_own_connector_only(database):
    with database.transaction() as session:
        kinds = (ConnectorKind.CCS2, ConnectorKind.CHADEMO)
        make.an_evse(session, identity="CP-2", kinds=kinds)
        make.an_evse(session, identity="CP-3", kinds=kinds)

    report(database, CHARGING, at=LATER, plug=Plug("CP-3", 1, 2))

    with database.reading() as session:
        changed = session.query(Connector).filter_by(reported_status=CHARGING).one()
        assert changed.number == 2
        assert changed.evse.charger.identity == "CP-3"


@pytest.mark.parametrize(
    "plug", [Plug("CP-9", 1, 1), Plug("CP-1", 2, 1), Plug("CP-1", 1, 2)]
)
def test_a_report_of_an_unknown_plug_is_refused(database, evse, plug):
    with pytest.raises(ConnectorNotFound):
        report(database, CHARGING, at=LATER, plug=plug)


def test_many_chargers_are_seen_in_one_go(database):
    with database.transaction() as session:
        evses = [
            make.an_evse(session, seen_at=seen)
            for seen in (None, NOON, NOON + 9 * MINUTE, NOON - timedelta(hours=3))
        ]
        places = [evse.charger.location_id for evse in evses]
    ids = [evse.charger_id for evse in evses]

    with database.transaction() as session:
        record_seen(session, [*ids, 999_999], at=LATER)
        topics = announced(session)

    times = [seen_at(database, charger_id) for charger_id in ids]
    assert times == [LATER, LATER, NOON + 9 * MINUTE, LATER]
    assert set(topics) == {
        *(f"location:{places[each]}" for each in (0, 3)),
        *(f"evse:{evses[each].id}" for each in (0, 3)),
    }


def test_seeing_nobody_is_no_news(database):
    with database.transaction() as session:
        record_seen(session, [], at=NOON)

        assert announced(session) == []
