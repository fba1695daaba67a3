from datetime import timedelta

import pytest

import make
from evcharge.kernel.ids import new_id
from evcharge.kernel.live import announced
from evcharge.stations.models import Charger, Connector, Evse
from evcharge.stations.rules import (
    ConnectorKind,
    ConnectorNotFound,
    ConnectorReport,
    EvseStatus,
    Plug,
    ReportedStatus,
)
from evcharge.stations.service import (
    record_connector_status,
    record_connector_statuses,
    record_seen,
)
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
    places = f"location:{evse.charger.location_id}", f"evse:{evse.id}"
    assert topics == [*places, f"charger:{evse.charger_id}"]


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


# ── many at once ─────────────────────────────────────────────────────────────────


def test_of_many_reports_those_of_unknown_plugs_are_handed_back(database, evse):
    unknown = Plug("CP-1", 9, 1)
    reports = [ConnectorReport(each, CHARGING, LATER) for each in (unknown, PLUG)]

    with database.transaction() as session:
        assert record_connector_statuses(session, reports) == [unknown]

    assert connector(database).reported_status == CHARGING


def test_a_fault_keeps_the_codes_and_another_code_is_not_a_new_fault(database, evse):
    for minutes, code in enumerate(("GroundFailure", "HighTemperature")):
        at = LATER + minutes * MINUTE
        report = ConnectorReport(PLUG, ReportedStatus.FAULTED, at, code, "E12", "hot")
        with database.transaction() as session:
            record_connector_statuses(session, [report])

    found = connector(database)
    said = (found.error_code, found.vendor_error_code, found.error_info)
    assert said == ("HighTemperature", "E12", "hot")
    assert found.reported_at == LATER


@pytest.mark.parametrize(
    ("has_session", "said"), [(True, CHARGING), (False, ReportedStatus.OCCUPIED)]
)
def test_occupied_says_nothing_new_of_a_plug_that_charges(
    database, evse, has_session, said
):
    report(database, CHARGING, at=LATER)
    with database.transaction() as session:
        open_session = new_id() if has_session else None
        session.get_one(Evse, evse.id).open_session_id = open_session

    report(database, ReportedStatus.OCCUPIED, at=LATER)

    assert connector(database).reported_status == said


def test_many_reports_take_as_many_statements_as_one(session, statements):
    for number in range(5):
        make.an_evse(session, identity=f"CP-{number}")
    session.flush()
    counts = []
    for many in (1, 5):
        statements.clear()
        status = [CHARGING, AVAILABLE][many == 5]
        record_connector_statuses(
            session,
            [
                ConnectorReport(Plug(f"CP-{n}", 1, 1), status, LATER)
                for n in range(many)
            ],
        )
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_what_charges_is_charging_whatever_its_plug_says(database, evse):
    """An open session is a fact of its own; every page asks the same question."""
    report(database, ReportedStatus.UNAVAILABLE, at=LATER)
    with database.transaction() as session:
        found = session.get_one(Evse, evse.id)
        found.open_session_id = new_id()

        assert found.status(found.charger, None, now=LATER) == EvseStatus.CHARGING
