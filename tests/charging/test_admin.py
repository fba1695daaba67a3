"""Charging sessions as operators look through them."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

import make
from charging_rows import a_session, a_transaction
from console import a_world
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import ActorKind
from evcharge.charging.models import ChargingSession, MeterSample, SessionEvent
from evcharge.charging.rules import (
    Flag,
    SessionEventKind,
    SessionStatus,
    StartedBy,
)
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import CommandKind, Protocol
from evcharge.control.service import open_connection
from evcharge.kernel.clock import utc_now


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
def charging(database, world):
    """One under way, one long done and odd."""
    now = utc_now()
    with database.transaction() as session:
        a_session(
            session,
            world.evse_id,
            None,
            reference="CS-OLD",
            status=SessionStatus.COMPLETED,
            started_by=StartedBy.UNKNOWN,
            tag="04A1B2",
            created_at=now - timedelta(days=10),
            started_at=now - timedelta(days=10),
            ended_at=now - timedelta(days=10, hours=-1),
            energy_wh=22_110,
            amount_paise=12_345,
            flags=["unknown_tag", "stop_missing"],
        )
        live = a_session(
            session,
            world.evse_id,
            world.driver_id,
            reference="CS-LIVE",
            created_at=now - timedelta(days=20),
            booking_id=world.booking_id,
            energy_wh=12_430,
            power_w=31_200,
        )
        return live.id


def references(answer):
    text = answer.text.removeprefix("\ufeff")
    return [row["reference"] for row in csv.DictReader(io.StringIO(text))]


# ── the list ─────────────────────────────────────────────────────────────────────


def test_what_goes_on_stands_first(staff, charging):
    text = staff.get("/admin/sessions").text

    assert text.index("CS-LIVE") < text.index("CS-OLD")
    for words in ("31.2 kW", "12.4 kWh", "Driver of Test Power", "₹123.45", "04A1B2"):
        assert words in text
    assert "unknown tag" in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"CS-LIVE", "CS-OLD"}),
        ("status=COMPLETED", {"CS-OLD"}),
        ("status=SLEEPING", {"CS-LIVE", "CS-OLD"}),
        ("flagged=yes", {"CS-OLD"}),
        ("when=30d", {"CS-LIVE", "CS-OLD"}),
        ("when=7d", set()),
        ("q=cs-live", {"CS-LIVE"}),
        ("q=04A1B2", {"CS-OLD"}),
        ("q=@example.com", {"CS-LIVE"}),
        ("charger=99999", set()),
    ],
)
def test_sessions_are_filtered(staff, charging, query, found):
    assert set(references(staff.get(f"/admin/sessions.csv?{query}"))) == found

    text = staff.get(f"/admin/sessions?{query}").text
    assert {each for each in ("CS-LIVE", "CS-OLD") if f">{each}</a>" in text} == found


def test_an_empty_list_says_what_to_do(staff):
    assert "Nobody has charged yet." in staff.get("/admin/sessions").text
    assert "No session fits." in staff.get("/admin/sessions?flagged=yes").text


def test_the_file_tells_energy_money_and_flags(staff, charging):
    text = staff.get("/admin/sessions.csv?flagged=yes").text.removeprefix("\ufeff")

    [row] = csv.DictReader(io.StringIO(text))
    assert row["energy_kwh"] == "22.11"
    assert row["amount_inr"] == "123.45"
    assert row["flags"] == "unknown_tag stop_missing"


def test_what_charges_now_is_on_the_dashboard(staff, stranger, charging):
    assert "31.2 kW together" in staff.get("/admin/").text
    assert "31.2 kW together" not in stranger.get("/admin/").text


# ── one session ──────────────────────────────────────────────────────────────────


def test_a_session_is_told_with_all_that_is_known(database, staff, world, charging):
    now = utc_now()
    with database.transaction() as session:
        charge = session.get_one(ChargingSession, charging)
        charge.flags = [flag.value for flag in Flag]
        charge.meter_start_wh, charge.meter_wh = 1_000, 3_430
        charge.meter_offset_wh = 10_000
        number = a_transaction(session, charge, world.charger_id, ref="tx-é").number
        for kind in SessionEventKind:
            session.add(
                SessionEvent(
                    session_id=charging,
                    at=now,
                    kind=kind,
                    actor=ActorKind.SYSTEM,
                    details={},
                )
            )
        for _ in range(3):
            session.add(MeterSample(session_id=charging, at=now, energy_wh=1))

    text = staff.get(f"/admin/sessions/{charging}").text

    assert f"{number} (“tx-é”), open" in text
    assert "1,000 Wh → 3,430 Wh, and 10,000 Wh before it was reset" in text
    assert "The meter was reset on the way." in text
    assert "sequence gap" in text
    assert "by the system" in text
    assert "covered by the booking" in text
    assert "You " not in text
    assert "Your " not in text.replace("Your account", "")
    part = staff.get(f"/admin/sessions/{charging}?fragment=1").text
    assert "12.4 kWh" in part
    assert "<html" not in part


def test_a_walk_in_is_shown_with_what_it_costs_so_far(database, staff, charging):
    with database.transaction() as session:
        charge = session.get_one(ChargingSession, charging)
        charge.booking_id, charge.price_paise_per_hour = None, 12_000

    assert "₹120.00 so far" in staff.get(f"/admin/sessions/{charging}").text


def test_a_session_of_another_network_is_not_found(stranger, charging):
    for part in ("", "/stop"):
        assert stranger.get(f"/admin/sessions/{charging}{part}").status_code == 404
    for part in ("/stop", "/unlock"):
        assert stranger.post(f"/admin/sessions/{charging}{part}").status_code == 404
    assert references(stranger.get("/admin/sessions.csv")) == []


@pytest.mark.parametrize(
    ("part", "kind"), [("stop", CommandKind.STOP), ("unlock", CommandKind.UNLOCK)]
)
def test_an_operator_stops_and_unlocks(database, staff, world, charging, part, kind):
    with database.transaction() as session:
        charge = session.get_one(ChargingSession, charging)
        a_transaction(session, charge, world.charger_id)
        open_connection(
            session,
            charger_id=world.charger_id,
            gateway="g",
            protocol=Protocol.OCPP16,
            address="",
            at=utc_now(),
        )
    assert "Stop charging" in staff.get(f"/admin/sessions/{charging}/stop").text

    answer = staff.post(f"/admin/sessions/{charging}/{part}")

    assert answer.status_code == 303
    with database.reading() as session:
        [command] = session.scalars(select(ChargerCommand)).all()
    assert command.kind == kind
    assert command.session_id == charging
    history = staff.get(f"/admin/sessions/{charging}").text
    assert "by Meera" in history


def test_what_is_over_is_not_stopped(database, staff, charging):
    with database.transaction() as session:
        session.get_one(ChargingSession, charging).status = SessionStatus.COMPLETED

    asked = staff.get(f"/admin/sessions/{charging}/stop")
    answer = staff.post(f"/admin/sessions/{charging}/stop", follow_redirects=True)

    assert asked.status_code == 303
    assert "This charging session has ended." in answer.text


def test_a_booking_leads_to_its_sessions(database, staff, world, charging):
    page = f"/admin/bookings/{world.booking_id}"
    assert "/admin/sessions?q=" not in staff.get(page).text
    with database.transaction() as session:
        booking = session.get_one(Booking, world.booking_id)
        booking.session_started_at = utc_now()
        reference = booking.reference

    assert f"/admin/sessions?q={reference}" in staff.get(page).text
    assert references(staff.get(f"/admin/sessions.csv?q={reference}")) == ["CS-LIVE"]
