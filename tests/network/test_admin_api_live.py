"""Keys, commands, messages and sessions of chargers, for programs."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from api import bearer
from charging_rows import a_session, a_transaction
from console import a_world
from evcharge.charging.rules import SessionStatus
from evcharge.control.models import ChargerCommand
from evcharge.control.queries import credentials
from evcharge.control.rules import CommandKind, Direction, LoggedMessage, Protocol
from evcharge.control.service import open_connection, queue_command, record_messages
from evcharge.kernel.clock import utc_now

API = "/api/v1/admin"


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def ours(database, world):
    return bearer(database, "operator", operator="Test Power")


@pytest.fixture
def theirs(database, world):
    return bearer(database, "operator", operator="Somebody else")


@pytest.fixture
def charger(world):
    return f"{API}/chargers/{world.charger_id}"


def fields(answer):
    return [problem["field"] for problem in answer.json["problems"]]


def pages(client, url, headers, *, limit=2):
    found, cursor = [], ""
    while True:
        sign = "&" if "?" in url else "?"
        here = f"{url}{sign}limit={limit}{cursor}"
        page = client.get(here, headers=headers).json
        found.append(page["items"])
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


# ── keys ─────────────────────────────────────────────────────────────────────────


def test_a_key_is_told_once_and_withdrawn(client, database, ours, charger):
    made = client.post(f"{charger}/key", headers=ours)

    identity = client.get(charger, headers=ours).json["identity"]
    assert made.status_code == 201
    assert made.json["identity"] == identity
    with database.reading() as session:
        kept = credentials(session, identity).key_hash
    assert kept.fits(made.json["key"].encode())

    for _ in range(2):
        assert client.delete(f"{charger}/key", headers=ours).status_code == 204
    with database.reading() as session:
        assert credentials(session, identity).key_hash is None


def test_a_charger_tells_how_it_is_connected(client, database, ours, charger, world):
    assert client.get(charger, headers=ours).json["connection"] is None
    with database.transaction() as session:
        open_connection(
            session,
            charger_id=world.charger_id,
            gateway="g",
            protocol=Protocol.OCPP201,
            address="10.0.0.1",
            at=utc_now(),
        )

    connection = client.get(charger, headers=ours).json["connection"]

    assert connection["protocol"] == "ocpp2.0.1"
    assert connection["address"] == "10.0.0.1"
    assert connection["closed_at"] is None


# ── commands ─────────────────────────────────────────────────────────────────────


def test_a_command_is_queued_and_can_be_looked_at(client, ours, charger):
    asked = {"kind": "availability", "arguments": {"is_operative": False}}

    made = client.post(f"{charger}/commands", json=asked, headers=ours)

    assert made.status_code == 202
    assert made.json["state"] == "queued"
    assert made.json["arguments"] == {"evse": None, "is_operative": False}
    again = client.get(made.headers["Location"], headers=ours)
    assert again.json == made.json


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"kind": "start", "arguments": {"evse": 9}}, ["evse", "tag"]),
        ({"kind": "reset"}, ["kind"]),
        ({"kind": "reset", "arguments": {"kind": "soft", "evse": 1}}, ["evse"]),
        ({"kind": "trigger", "arguments": {"message": "Dance"}}, ["message"]),
        ({"kind": "stop", "arguments": {"number": 7}}, ["number"]),
        ({"kind": "stop"}, ["number"]),
        (
            {"kind": "set_variable", "arguments": {"name": "A", "value": "B\n"}},
            ["value"],
        ),
    ],
)
def test_a_command_that_cannot_be_is_refused(
    client, database, ours, charger, asked, wrong
):
    answer = client.post(f"{charger}/commands", json=asked, headers=ours)

    assert answer.status_code == 422
    assert answer.json["code"] == "bad_command"
    assert fields(answer) == [f"arguments.{name}" for name in wrong]
    with database.reading() as session:
        assert session.scalars(select(ChargerCommand)).all() == []


def test_a_transaction_is_stopped_by_either_of_its_names(
    client, database, ours, charger, world
):
    with database.transaction() as session:
        charge = a_session(session, world.evse_id, world.driver_id)
        number = a_transaction(session, charge, world.charger_id, ref="t-1").number

    for arguments in ({"number": number}, {"ref": "t-1"}):
        asked = {"kind": "stop", "arguments": arguments}
        made = client.post(f"{charger}/commands", json=asked, headers=ours)
        assert made.json["arguments"] == {"number": number, "ref": "t-1"}


def test_a_reservation_ends_at_an_instant(client, ours, charger):
    arguments = {
        "number": 5,
        "evse": 1,
        "tag": "CARD-1",
        "expires_at": "2026-12-01T18:00:00+05:30",
    }
    asked = {"kind": "reserve", "arguments": arguments}

    made = client.post(f"{charger}/commands", json=asked, headers=ours)

    assert made.json["arguments"]["expires_at"] == "2026-12-01T12:30:00Z"


def test_commands_are_listed_the_latest_first(client, database, ours, charger, world):
    now = utc_now()
    with database.transaction() as session:
        for number in range(5):
            queue_command(
                session,
                charger_id=world.charger_id,
                kind=CommandKind.CANCEL_RESERVATION,
                arguments={"number": number},
                by=None,
                now=now,
            )

    found = pages(client, f"{charger}/commands", ours)

    numbers = [[each["arguments"]["number"] for each in page] for page in found]
    assert numbers == [[4, 3], [2, 1], [0]]


# ── messages ─────────────────────────────────────────────────────────────────────


def test_messages_are_listed_and_found(client, database, ours, charger, world):
    now = utc_now()
    said = [
        LoggedMessage(
            world.charger_id,
            now - timedelta(hours=5 - number),
            Direction.IN if number % 2 else Direction.OUT,
            "Heartbeat",
            f"[2,{number}]",
        )
        for number in range(5)
    ]
    with database.transaction() as session:
        record_messages(session, said)

    def bodies(query=""):
        found = pages(client, f"{charger}/messages{query}", ours)
        return [[each["body"] for each in page] for page in found]

    assert bodies() == [["[2,4]", "[2,3]"], ["[2,2]", "[2,1]"], ["[2,0]"]]
    assert bodies("?direction=in") == [["[2,3]", "[2,1]"]]
    assert bodies("?q=,4") == [["[2,4]"]]
    assert bodies("?action=Dance") == [[]]
    since = (now - timedelta(hours=1.5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert bodies(f"?since={since}") == [["[2,4]"]]


# ── sessions ─────────────────────────────────────────────────────────────────────


def test_sessions_are_listed_to_whose_they_are(client, database, ours, theirs, world):
    now = utc_now()
    with database.transaction() as session:
        for number in range(3):
            a_session(
                session,
                world.evse_id,
                world.driver_id if number else None,
                reference=f"CS-{number}",
                status=SessionStatus.COMPLETED,
                created_at=now + timedelta(minutes=number),
                ended_at=now,
                flags=[] if number else ["unknown_tag"],
            )

    def references(query=""):
        found = pages(client, f"{API}/sessions{query}", ours)
        return [[each["reference"] for each in page] for page in found]

    assert references() == [["CS-2", "CS-1"], ["CS-0"]]
    assert references("?flagged=true") == [["CS-0"]]
    assert references("?status=ACTIVE") == [[]]
    assert references(f"?charger_id={world.charger_id}&q=cs-1") == [["CS-1"]]
    assert client.get(f"{API}/sessions", headers=theirs).json["items"] == []
    assert client.get(f"{API}/sessions?flagged=yes", headers=ours).status_code == 400


# ── whose they are ───────────────────────────────────────────────────────────────


def test_nothing_of_another_operators_charger_is_found(client, ours, theirs, charger):
    asked = {"kind": "reset", "arguments": {"kind": "soft"}}
    made = client.post(f"{charger}/commands", json=asked, headers=ours).json

    looked = [
        f"{charger}/commands",
        f"{charger}/messages",
        f"{API}/commands/{made['id']}",
    ]
    for url in looked:
        assert client.get(url, headers=theirs).status_code == 404, url
    assert client.post(f"{charger}/key", headers=theirs).status_code == 404
    assert client.delete(f"{charger}/key", headers=theirs).status_code == 404
    refused = client.post(f"{charger}/commands", json=asked, headers=theirs)
    assert refused.status_code == 404
