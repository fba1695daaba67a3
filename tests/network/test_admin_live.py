"""A charger's page, its key and its commands, as its operator sees them."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

import make
from charging_rows import a_session, a_transaction
from console import a_world
from evcharge.charging.rules import SessionStatus
from evcharge.control.models import ChargerCommand, ChargerKey
from evcharge.control.queries import credentials
from evcharge.control.rules import Boot, CommandKind, CommandState, Protocol
from evcharge.control.service import (
    answer_command,
    close_connection,
    open_connection,
    queue_command,
    record_boot,
    take_commands,
)
from evcharge.kernel.clock import utc_now
from evcharge.stations.models import Charger, Connector
from evcharge.stations.rules import ReportedStatus


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def staff(database, sign_in, world):
    with database.transaction() as session:
        operator = make.an_operator(session)
    return sign_in("operator", operator=operator, name="Meera")


@pytest.fixture
def stranger(database, sign_in, world):
    with database.transaction() as session:
        operator = make.an_operator(session, "Somebody else")
    return sign_in("operator", operator=operator)


@pytest.fixture
def page(world):
    return f"/admin/chargers/{world.charger_id}"


def connect(database, charger_id, *, at=None):
    with database.transaction() as session:
        return open_connection(
            session,
            charger_id=charger_id,
            gateway="g",
            protocol=Protocol.OCPP16,
            address="10.1.2.3",
            at=at or utc_now(),
        )


def commands(database):
    with database.reading() as session:
        return session.scalars(select(ChargerCommand)).all()


# ── the connection ───────────────────────────────────────────────────────────────


def test_a_charger_that_never_connected_is_told_where_to(staff, page):
    text = staff.get(page).text

    assert "Never connected" in text
    assert "ws://localhost/ocpp/" in text
    assert "Issue a key" in text


def test_a_connection_is_shown_with_what_the_charger_says_of_itself(
    database, staff, page, world
):
    connect(database, world.charger_id)
    with database.transaction() as session:
        boot = Boot("Exicom", "Harmony", "SN-77", "2.4.1")
        record_boot(session, world.charger_id, boot, at=utc_now())

    text = staff.get(page).text

    assert "Connected" in text
    for words in ("OCPP 1.6", "10.1.2.3", "SN-77", "2.4.1", "Exicom Harmony"):
        assert words in text


def test_a_connection_that_ended_is_not_shown_as_one(database, staff, page, world):
    generation = connect(database, world.charger_id)
    with database.transaction() as session:
        close_connection(
            session, charger_id=world.charger_id, generation=generation, at=utc_now()
        )

    assert "Not connected" in staff.get(page).text


def test_a_silent_charger_is_not_shown_as_connected(database, staff, page, world):
    connect(database, world.charger_id)
    with database.transaction() as session:
        box = session.get_one(Charger, world.charger_id)
        box.last_seen_at = utc_now() - timedelta(hours=1)

    text = staff.get(page).text

    assert "Silent" in text
    assert ">Connected<" not in text


def test_a_fault_is_shown_with_the_makers_code(database, staff, page, world):
    with database.transaction() as session:
        plug = session.get_one(Connector, world.connector_id)
        plug.reported_status = ReportedStatus.FAULTED
        plug.error_code, plug.vendor_error_code = "GroundFailure", "E-42"
        plug.error_info = "RCD <tripped>"

    text = staff.get(page).text

    assert "GroundFailure" in text
    assert "E-42" in text
    assert "RCD &lt;tripped&gt;" in text


def test_what_goes_on_at_a_charger_is_on_its_page(database, staff, page, world):
    with database.transaction() as session:
        a_session(session, world.evse_id, world.driver_id, energy_wh=12_400)
        a_session(
            session,
            world.evse_id,
            world.driver_id,
            status=SessionStatus.COMPLETED,
            ended_at=utc_now() - timedelta(hours=2),
        )

    text = staff.get(page).text

    assert "12.4 kWh" in text
    assert "Driver of Test Power" in text
    assert re.search(r"Last successful charge: <time[^>]*>2 h ago", text)
    assert "Charging" in text


def test_the_live_part_comes_alone(staff, page):
    part = staff.get(f"{page}?fragment=1").text

    assert "Charging points" in part
    assert "<html" not in part
    assert (
        f'data-live-topic="charger:{page.rpartition("/")[2]} ' in staff.get(page).text
    )


# ── the key ──────────────────────────────────────────────────────────────────────


def shown_key(answer):
    return re.search(r'id="key"\s+value="([A-Za-z0-9]{20})"', answer.text)[1]


def fits(database, world, key):
    with database.reading() as session:
        identity = session.get_one(Charger, world.charger_id).identity
        return credentials(session, identity).key_hash.fits(key.encode())


def test_a_key_is_shown_once_and_lets_the_charger_in(database, staff, page, world):
    answer = staff.post(f"{page}/key")

    key = shown_key(answer)
    assert answer.status_code == 201
    assert fits(database, world, key)
    assert key.encode().hex() in answer.text
    assert "wss" in answer.text
    assert key not in staff.get(page).text
    assert "issued by Meera" in staff.get(page).text


def test_a_key_is_replaced_only_on_purpose(database, staff, page, world):
    first = shown_key(staff.post(f"{page}/key"))

    unsure = staff.post(f"{page}/key")
    assert unsure.location == f"{page}/key"
    assert "Replace the key" in staff.get(unsure.location).text
    assert fits(database, world, first)
    second = shown_key(staff.post(f"{page}/key", data={"replace": "yes"}))

    assert fits(database, world, second)
    assert not fits(database, world, first)


def test_a_withdrawn_key_is_gone(database, staff, page):
    staff.post(f"{page}/key")

    staff.post(f"{page}/key/withdraw")
    staff.post(f"{page}/key/withdraw")

    with database.reading() as session:
        assert session.scalars(select(ChargerKey)).all() == []
    assert "Without a key it cannot connect." in staff.get(page).text


# ── commands ─────────────────────────────────────────────────────────────────────


def test_a_command_waits_for_the_charger_and_its_answer_is_shown(
    database, staff, page, world
):
    connect(database, world.charger_id)
    asked = {"command": "trigger", "message": "Heartbeat", "evse": ""}

    answer = staff.post(f"{page}/commands", data=asked, follow_redirects=True)

    assert "Ask for Heartbeat" in answer.text
    assert "Waits for the charger" in answer.text
    now = utc_now()
    with database.transaction() as session:
        [command] = take_commands(session, gateway="g", now=now)
        answer_command(
            session,
            command.id,
            state=CommandState.REJECTED,
            answer="Rejected",
            details={"reason": "<busy>"},
            at=now,
        )
    part = staff.get(f"{page}/commands?fragment=1").text
    assert "Refused" in part
    assert "Rejected" in part
    assert "\\u003cbusy\\u003e" in part
    assert "Meera" in part


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"command": "reset", "kind": "hard"}, {"kind": "hard"}),
        ({"command": "unlock", "plug": "1-1"}, {"evse": 1, "connector": 1}),
        (
            {"command": "availability", "evse": "1", "is_operative": "false"},
            {"evse": 1, "is_operative": False},
        ),
        (
            {"command": "set_variable", "name": "A", "value": "B c"},
            {"name": "A", "value": "B c"},
        ),
    ],
)
def test_what_drivers_may_feel_is_asked_twice(database, staff, page, asked, kept):
    sure = staff.post(f"{page}/commands", data=asked)
    assert sure.status_code == 200
    assert commands(database) == []

    fields = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', sure.text)
    again = {name: value for name, value in fields if name != "csrf_token"}
    staff.post(f"{page}/commands", data=again | {"sure": "yes"})

    [command] = commands(database)
    assert command.kind == asked["command"]
    assert command.arguments == kept


def test_a_command_that_cannot_be_is_refused_at_its_field(database, staff, page):
    asked = {"command": "start", "evse": "1", "tag": "not a card"}

    answer = staff.post(f"{page}/commands", data=asked)

    assert answer.status_code == 422
    assert 'id="start-tag-error"' in answer.text
    assert 'value="not a card"' in answer.text
    assert commands(database) == []


@pytest.mark.parametrize("asked", [{}, {"command": "x"}, {"command": "reserve"}])
def test_only_known_commands_are_taken(database, staff, page, asked):
    assert staff.post(f"{page}/commands", data=asked).status_code == 422
    assert commands(database) == []


def test_a_transaction_is_stopped_by_both_its_names(database, staff, page, world):
    with database.transaction() as session:
        charging = a_session(session, world.evse_id, world.driver_id)
        number = a_transaction(session, charging, world.charger_id, ref="t-9").number

    assert f"transaction {number}" in staff.get(f"{page}/commands").text
    asked = {"command": "stop", "number": str(number), "sure": "yes"}
    staff.post(f"{page}/commands", data=asked)

    [command] = commands(database)
    assert command.arguments == {"number": number, "ref": "t-9"}


def test_a_transaction_of_another_charger_is_not_stopped(database, staff, page, world):
    with database.transaction() as session:
        other = make.an_evse(session)
        charging = a_session(session, other.id, world.driver_id)
        number = a_transaction(session, charging, other.charger_id).number

    asked = {"command": "stop", "number": str(number), "sure": "yes"}

    assert staff.post(f"{page}/commands", data=asked).status_code == 422
    assert commands(database) == []


def test_every_kind_of_command_can_be_read_in_the_list(database, staff, page, world):
    with database.transaction() as session:
        for kind in CommandKind:
            queue_command(
                session,
                charger_id=world.charger_id,
                kind=kind,
                arguments={},
                by=None,
                now=utc_now(),
            )

    text = staff.get(f"{page}/commands").text

    assert text.count("the system") == len(CommandKind)


# ── whose they are ───────────────────────────────────────────────────────────────

PARTS = ["", "/key", "/commands"]
CHANGES = ["/key", "/key/withdraw", "/commands"]


@pytest.mark.parametrize("part", PARTS)
def test_a_charger_of_another_operator_is_not_found(stranger, page, part):
    assert stranger.get(f"{page}{part}").status_code == 404


@pytest.mark.parametrize("part", CHANGES)
def test_a_charger_of_another_operator_takes_no_orders(database, stranger, page, part):
    asked = {"command": "reset", "kind": "soft", "sure": "yes"}

    assert stranger.post(f"{page}{part}", data=asked).status_code == 404
    assert commands(database) == []
