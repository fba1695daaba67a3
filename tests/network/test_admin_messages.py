"""What a charger said, told of itself and let us know, as its operator reads it."""

import csv
import io
import json
from datetime import timedelta

import pytest

import make
from console import a_world
from evcharge.control.rules import Direction, LoggedMessage, NoticeKind
from evcharge.control.service import (
    record_messages,
    record_notice,
    record_variables,
)
from evcharge.kernel.clock import utc_now
from evcharge.stations.models import Evse
from evcharge.stations.rules.codes import evse_code


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def staff(database, sign_in, world):
    with database.transaction() as session:
        operator = make.an_operator(session)
    return sign_in("operator", operator=operator)


@pytest.fixture
def stranger(database, sign_in, world):
    with database.transaction() as session:
        operator = make.an_operator(session, "Somebody else")
    return sign_in("operator", operator=operator)


@pytest.fixture
def page(world):
    return f"/admin/chargers/{world.charger_id}"


@pytest.fixture
def log(database, world):
    def keep(body, *, action="Heartbeat", way=Direction.IN, ago=timedelta(), by=None):
        text = body if isinstance(body, str) else json.dumps(body)
        charger_id = by or world.charger_id
        said = LoggedMessage(charger_id, utc_now() - ago, way, action, text)
        with database.transaction() as session:
            record_messages(session, [said])

    return keep


# ── messages ─────────────────────────────────────────────────────────────────────


def test_messages_stand_the_latest_first_and_spread_out(staff, page, log):
    log([2, "1", "Heartbeat", {}])
    log(
        [2, "2", "StatusNotification", {"errorCode": "<b>"}],
        action="StatusNotification",
    )

    text = staff.get(f"{page}/messages").text

    assert text.index("StatusNotification") < text.index(">Heartbeat<")
    assert "&#34;errorCode&#34;: &#34;&lt;b&gt;&#34;" in text


def test_messages_are_found_by_text_action_direction_and_time(staff, page, log):
    log([2, "a", "Heartbeat", {}], ago=timedelta(days=2))
    log([2, "b", "MeterValues", {"x": "50%"}], action="MeterValues")
    log([3, "b", {"answer": 1}], action="MeterValues", way=Direction.OUT)
    yesterday = (utc_now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")

    def found(query):
        text = staff.get(f"{page}/messages.csv?{query}").text
        return [
            json.loads(row["message"])[1] for row in csv.DictReader(io.StringIO(text))
        ]

    assert found("") == ["b", "b", "a"]
    assert found("q=50%25") == ["b"]
    assert found("q=ANSWER") == ["b"]
    assert found("q=_") == []
    assert found("action=Heartbeat") == ["a"]
    assert found("direction=out") == ["b"]
    assert found("direction=sideways") == ["b", "b", "a"]
    assert found(f"since={yesterday}") == ["b", "b"]
    assert found("since=whenever") == ["b", "b", "a"]


def test_older_messages_are_a_page_further(staff, page, log):
    for number in range(52):
        log([2, str(number), "Heartbeat", {"n": f"no-{number:02}"}])

    first = staff.get(f"{page}/messages").text
    link = first.split('rel="next"')[1].split('href="')[1].split('"')[0]
    second = staff.get(link.replace("&amp;", "&")).text

    assert "no-51" in first
    assert "no-02" in first
    assert "no-01" not in first
    assert "no-01" in second
    assert "no-00" in second
    assert "no-02" not in second
    assert 'rel="next"' not in second


@pytest.mark.parametrize("body", ["no json", "[" * 50_000, "{}", '"x"', "[2]", "7"])
def test_what_is_no_frame_is_shown_as_it_came(staff, page, log, body):
    log(body, action="")

    answer = staff.get(f"{page}/messages")

    assert answer.status_code == 200
    assert "not readable" in answer.text


def test_a_file_of_messages_has_one_on_each_line(staff, page, log):
    log([2, "1", "Heartbeat", {}])
    log([3, "1", {"currentTime": "x"}], way=Direction.OUT)

    answer = staff.get(f"{page}/messages.jsonl?direction=out")

    [line] = answer.text.splitlines()
    told = json.loads(line)
    assert json.loads(told["message"]) == [3, "1", {"currentTime": "x"}]
    assert told["direction"] == "out"


def test_messages_of_other_chargers_are_not_among_them(database, staff, page, log):
    with database.transaction() as session:
        other = make.an_evse(session).charger_id
    log([2, "other", "Heartbeat", {}], by=other)

    assert "No messages yet." in staff.get(f"{page}/messages").text
    assert "No message fits." in staff.get(f"{page}/messages?q=x").text


# ── settings and notices ─────────────────────────────────────────────────────────


def test_settings_are_shown_and_found(database, staff, page, world):
    assert "It has not told its settings yet." in staff.get(f"{page}/variables").text
    told = {
        "HeartbeatInterval": ("300", False),
        "Serial": ("SN-1", True),
        "Key": (None, False),
    }
    with database.transaction() as session:
        record_variables(session, world.charger_id, told, at=utc_now())

    everything = staff.get(f"{page}/variables").text
    found = staff.get(f"{page}/variables?q=heart").text

    assert "SN-1" in everything
    assert "read only" in everything
    assert "not told" in everything
    assert "HeartbeatInterval" in found
    assert "SN-1" not in found
    assert "No setting fits." in staff.get(f"{page}/variables?q=zzz").text


def test_notices_are_shown_the_latest_first(database, staff, page, world):
    assert "No notices." in staff.get(f"{page}/notices").text
    with database.transaction() as session:
        for kind in NoticeKind:
            record_notice(
                session, world.charger_id, kind, f"T-{kind}", {"a": 1}, at=utc_now()
            )

    text = staff.get(f"{page}/notices?fragment=1").text

    assert text.index("T-other") < text.index("T-security")
    assert "<html" not in text


# ── codes ────────────────────────────────────────────────────────────────────────


def test_every_point_has_a_code_to_print(staff, page, world):
    text = staff.get(f"{page}/codes").text

    code = evse_code(world.evse_id)
    assert f"QR code of http://localhost/c/{code}" in text
    assert "<svg" in text


def test_one_sheet_has_the_codes_of_a_whole_site(staff, stranger, world, database):
    with database.reading() as session:
        location_id = session.get_one(Evse, world.evse_id).charger.location_id

    sheet = staff.get(f"/admin/locations/{location_id}/codes")

    assert f"QR code of http://localhost/c/{evse_code(world.evse_id)}" in sheet.text
    assert "no account needed" in sheet.text
    assert stranger.get(f"/admin/locations/{location_id}/codes").status_code == 404


PARTS = (
    "/messages",
    "/messages.csv",
    "/messages.jsonl",
    "/variables",
    "/notices",
    "/codes",
)


@pytest.mark.parametrize("part", PARTS)
def test_what_another_operators_charger_said_is_not_found(stranger, page, part):
    assert stranger.get(f"{page}{part}").status_code == 404
