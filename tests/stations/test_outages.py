from datetime import timedelta

import pytest

import make
from evcharge.stations.models import Charger, Connector, Outage
from evcharge.stations.queries import uptime
from evcharge.stations.rules import (
    ConnectorKind,
    ConnectorReport,
    OutageKind,
    Plug,
    ReportedStatus,
    covered,
    down_as,
)
from evcharge.stations.service import record_connector_statuses, record_seen
from evcharge.stations.service.outages import note_return, note_silence
from make import HOUR, MINUTE, NOON

CCS2 = ConnectorKind.CCS2
AVAILABLE = ReportedStatus.AVAILABLE
FAULTED = ReportedStatus.FAULTED
UNAVAILABLE = ReportedStatus.UNAVAILABLE


@pytest.fixture
def evse_id(database):
    with database.transaction() as session:
        return make.an_evse(session, identity="BLR-1", kinds=(CCS2, CCS2)).id


def report(database, *statuses, at=NOON):
    """Let plugs 1, 2, … say these."""
    reports = [
        ConnectorReport(Plug("BLR-1", 1, number), status, at)
        for number, status in enumerate(statuses, start=1)
    ]
    database.perform(lambda session: record_connector_statuses(session, reports))


def outages(database):
    with database.reading() as session:
        rows = session.query(Outage).order_by(Outage.began_at, Outage.id)
        return [
            (
                row.kind.value,
                (row.began_at - NOON) // MINUTE,
                row.ended_at and (row.ended_at - NOON) // MINUTE,
            )
            for row in rows
        ]


def test_one_broken_plug_of_two_is_no_outage(database, evse_id):
    report(database, FAULTED, AVAILABLE)

    assert outages(database) == []


def test_an_outage_begins_with_the_last_plug_and_ends_with_the_first(database, evse_id):
    report(database, FAULTED, AVAILABLE)
    report(database, FAULTED, FAULTED, at=NOON + 5 * MINUTE)
    report(database, FAULTED, AVAILABLE, at=NOON + 9 * MINUTE)

    assert outages(database) == [("faulted", 5, 9)]


def test_what_is_broken_and_then_closed_are_two_outages(database, evse_id):
    report(database, FAULTED, FAULTED)
    report(database, FAULTED, UNAVAILABLE, at=NOON + MINUTE)

    assert outages(database) == [("faulted", 0, 1), ("unavailable", 1, None)]


def test_the_same_fault_reported_again_is_the_same_outage(database, evse_id):
    report(database, FAULTED, FAULTED)
    report(database, FAULTED, FAULTED, at=NOON + MINUTE)
    with database.transaction() as session:  # As after a report nobody saw.
        session.query(Connector).update({"reported_status": AVAILABLE})
    report(database, FAULTED, FAULTED, at=NOON + 2 * MINUTE)

    assert outages(database) == [("faulted", 0, None)]


def test_an_ordinary_report_costs_no_statement_more(database, evse_id, statements):
    report(database, ReportedStatus.CHARGING, AVAILABLE)

    assert [each for each in statements if "outages" in each] == []
    assert len(statements) <= 3


def test_silence_is_an_outage_since_the_charger_was_last_heard_of(database, evse_id):
    later = NOON + 12 * MINUTE  # It may be silent for eleven.

    for _ in range(2):
        with database.transaction() as session:
            note_silence(session, now=NOON + 11 * MINUTE)
            note_silence(session, now=later)
            note_return(session, now=later)
    assert outages(database) == [("silent", 0, None)]

    database.perform(lambda session: record_seen(session, [1], at=NOON + 20 * MINUTE))
    with database.transaction() as session:
        assert note_return(session, now=NOON + 20 * MINUTE) == 1
        assert note_return(session, now=NOON + 20 * MINUTE) == 0
    assert outages(database) == [("silent", 0, 20)]


def test_a_charger_that_was_never_heard_of_has_no_outage(database, evse_id):
    with database.transaction() as session:
        session.query(Charger).update({"last_seen_at": None})
        note_silence(session, now=NOON + HOUR)

    assert outages(database) == []


def test_uptime_counts_what_overlaps_once(database, evse_id):
    with database.transaction() as session:
        for kind, begin, end in [
            (OutageKind.FAULTED, 1, 3),
            (OutageKind.SILENT, 2, 4),
            (OutageKind.UNAVAILABLE, 9, None),
        ]:
            session.add(
                Outage(
                    evse_id=evse_id,
                    kind=kind,
                    began_at=NOON + begin * HOUR,
                    ended_at=None if end is None else NOON + end * HOUR,
                )
            )

    with database.reading() as session:
        whole = uptime(session, [evse_id], NOON, NOON + 10 * HOUR)
        part = uptime(session, [evse_id], NOON + 3 * HOUR, NOON + 8 * HOUR)
        young = uptime(session, [evse_id], NOON - 30 * HOUR, NOON + 10 * HOUR)
        new = uptime(session, [evse_id], NOON - HOUR, NOON)

    assert whole == young == {evse_id: pytest.approx(0.6)}
    assert part == {evse_id: pytest.approx(0.8)}
    assert new == {}


@pytest.mark.parametrize(
    ("stretches", "hours"),
    [
        ([], 0),
        ([(-5, -1)], 0),
        ([(-5, 20)], 10),
        ([(0, 4), (1, 2), (3, 6)], 6),
        ([(1, 2), (5, 6)], 2),
        ([(9, 12), (11, 13)], 1),
    ],
)
def test_stretches_are_counted_within_their_window(stretches, hours):
    during = [(NOON + begin * HOUR, NOON + end * HOUR) for begin, end in stretches]

    assert covered(during, NOON, NOON + 10 * HOUR) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("reported", "kind"),
    [
        (set(), None),
        ({None}, None),
        ({FAULTED, None}, None),
        ({FAULTED}, OutageKind.FAULTED),
        ({UNAVAILABLE}, OutageKind.UNAVAILABLE),
        ({FAULTED, UNAVAILABLE}, OutageKind.UNAVAILABLE),
        ({FAULTED, AVAILABLE}, None),
    ],
)
def test_an_evse_is_down_when_all_its_plugs_are(reported, kind):
    assert down_as(reported) == kind
