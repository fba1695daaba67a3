"""Chargers nobody knows that wait to be let in, and the list of all chargers."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

import make
from console import a_world
from evcharge.control.models import ParkedCharger
from evcharge.control.queries import credentials
from evcharge.control.rules import Boot, Protocol
from evcharge.control.service import close_connection, open_connection, park
from evcharge.kernel.clock import utc_now
from evcharge.stations.models import Charger, Location

KEY = b"a key it came with 1"


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def staff(database, sign_in, world):
    with database.transaction() as session:
        operator = make.an_operator(session)
    return sign_in("operator", operator=operator)


@pytest.fixture
def waiting(database):
    with database.transaction() as session:
        park(
            session,
            identity="NEW-7",
            protocol=Protocol.OCPP16,
            address="10.9.8.7",
            key=KEY,
            boot=Boot("Exicom", "Harmony", "SN-7", "1.0"),
            now=utc_now(),
        )
    return "NEW-7"


@pytest.fixture
def new_charger(world):
    return f"/admin/locations/{world.location_id}/chargers/new"


FORM = {"identity": "NEW-7", "heartbeat_seconds": "300", "parked": "yes"}


def those_who_wait(database):
    with database.reading() as session:
        return session.scalars(select(ParkedCharger.identity)).all()


# ── who sees them ────────────────────────────────────────────────────────────────


def test_an_admin_sees_all_that_wait(sign_in, waiting):
    text = sign_in("admin").get("/admin/parked").text

    for words in ("NEW-7", "Exicom Harmony", "SN-7", "10.9.8.7"):
        assert words in text
    assert "1 charger waits" in sign_in("admin").get("/admin/").text


def test_an_operator_sees_the_one_they_can_name(staff, waiting):
    assert "NEW-7" not in staff.get("/admin/parked").text
    assert "NEW-7" not in staff.get("/admin/parked?fragment=1").text
    assert "wait to be let in" not in staff.get("/admin/").text

    named = staff.get("/admin/parked?identity=NEW-7").text

    assert "Take in NEW-7" in named
    assert "Test Power site" in named


@pytest.mark.parametrize("identity", ["NEW-8", "new-7", "%00", "NEW%207", "x" * 99])
def test_a_wrong_name_shows_nothing(staff, waiting, identity):
    answer = staff.get(f"/admin/parked?identity={identity}")

    assert answer.status_code == 200
    assert "No charger with this identity is waiting." in answer.text
    assert "SN-7" not in answer.text


def test_only_own_locations_are_offered(database, staff, waiting):
    with database.transaction() as session:
        other = make.an_operator(session, "Other")
        make.a_location(session, operator=other, name="Foreign site")

    assert "Foreign site" not in staff.get("/admin/parked?identity=NEW-7").text


def test_it_is_said_when_nobody_can_wait(sign_in, new_app, database):
    with database.transaction() as session:
        user = make.a_user(session, role="admin")
        login = make.a_login(session, user)
        who = {"user_id": user.id, "login_id": str(login.id)}
    client = new_app(unknown_chargers="refuse").test_client()
    with client.session_transaction() as cookie:
        cookie.update(who)

    assert "Unknown chargers are refused" in client.get("/admin/parked").text
    assert (
        "Unknown chargers are refused" not in sign_in("admin").get("/admin/parked").text
    )


# ── letting one in, or not ───────────────────────────────────────────────────────


def test_one_that_is_taken_in_connects_with_the_key_it_came_with(
    database, staff, new_charger, waiting
):
    form = staff.get(f"{new_charger}?parked=NEW-7").text
    assert 'value="NEW-7"' in form
    assert 'value="Exicom"' in form

    answer = staff.post(new_charger, data=FORM)

    assert answer.status_code == 303
    with database.reading() as session:
        assert credentials(session, "NEW-7").key_hash.fits(KEY)
    assert those_who_wait(database) == []


def test_a_charger_added_by_hand_does_not_take_a_strangers_key(
    database, staff, new_charger, waiting
):
    staff.post(new_charger, data=FORM | {"parked": ""})

    with database.reading() as session:
        assert credentials(session, "NEW-7").key_hash is None
    assert those_who_wait(database) == ["NEW-7"]


def test_one_that_left_meanwhile_is_added_without_a_key(database, staff, new_charger):
    staff.post(new_charger, data=FORM)

    with database.reading() as session:
        assert credentials(session, "NEW-7").key_hash is None


def test_an_admin_turns_one_away(database, sign_in, staff, waiting):
    asked = {"identity": "NEW-7"}
    assert staff.post("/admin/parked/turn-away", data=asked).status_code == 403
    assert those_who_wait(database) == ["NEW-7"]

    sign_in("admin").post("/admin/parked/turn-away", data=asked)

    assert those_who_wait(database) == []


def test_turning_away_what_does_not_wait_is_no_error(sign_in):
    asked = {"identity": "\x00"}

    assert (
        sign_in("admin").post("/admin/parked/turn-away", data=asked).status_code == 303
    )


# ── the list of all ──────────────────────────────────────────────────────────────


@pytest.fixture
def fleet(database, world):
    """One connected, one that fell silent, one that left, one that never came."""
    now = utc_now()
    with database.transaction() as session:
        site = session.get_one(Location, world.location_id)
        for name in ("LIVE", "MUTE", "GONE"):
            charger_id = make.an_evse(session, location=site, identity=name).charger_id
            generation = open_connection(
                session,
                charger_id=charger_id,
                gateway="g",
                protocol=Protocol.OCPP201,
                address="",
                at=now,
            )
            if name == "MUTE":
                box = session.get_one(Charger, charger_id)
                box.last_seen_at = now - timedelta(hours=2)
            if name == "GONE":
                close_connection(
                    session, charger_id=charger_id, generation=generation, at=now
                )
        make.an_evse(session, location=site, identity="NEVER", seen_at=None)


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("connected", {"LIVE"}),
        ("silent", {"MUTE", "NEVER"}),
        ("never", {"NEVER"}),
        ("sideways", {"LIVE", "MUTE", "GONE", "NEVER"}),
    ],
)
def test_chargers_are_filtered_by_their_connection(staff, fleet, link, shown):
    text = staff.get(f"/admin/chargers?link={link}").text

    names = {"LIVE", "MUTE", "GONE", "NEVER"}
    assert {name for name in names if f">{name}</a>" in text} == shown


def test_the_list_follows_its_chargers(staff, fleet):
    page = staff.get("/admin/chargers").text
    part = staff.get("/admin/chargers?fragment=1").text

    assert page.count('data-live-topic="charger:') == 1
    assert "OCPP 2.0.1" in part
    assert "<html" not in part


def test_the_file_says_how_each_is_connected(staff, fleet):
    text = staff.get("/admin/chargers.csv").text.removeprefix("\ufeff")

    rows = {row["identity"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["LIVE"]["protocol"] == "ocpp2.0.1"
    assert rows["LIVE"]["disconnected_at"] == ""
    assert rows["GONE"]["disconnected_at"] != ""
    assert rows["NEVER"]["protocol"] == ""
