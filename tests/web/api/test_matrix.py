"""Every operation, asked by everybody, for their own and for somebody else's things.

The operations come from the program itself. One that has no request in `REQUESTS`
fails the first test, so none can be added without being tried here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

import make
from api import bearer
from evcharge.accounts.models import Login, Operator, User
from evcharge.accounts.rules import UserStatus
from evcharge.accounts.rules.passwords import hash_password
from evcharge.app import APIS
from evcharge.bookings.rules import Actor, ActorKind, Limits
from evcharge.bookings.service import block_evse, book_slot
from evcharge.charging.models import ChargingSession
from evcharge.charging.rules import TransactionStart
from evcharge.charging.service import ask_to_start, start_transaction
from evcharge.control.rules import CommandKind, Protocol
from evcharge.control.service import open_connection, queue_command, set_key
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.payments.rules import ItemKind, Payer
from evcharge.payments.service import open_due
from evcharge.stations.models import Charger, Evse, Location
from evcharge.stations.rules import ConnectorKind
from evcharge.tariffs.models import Tariff, TariffAssignment
from evcharge.web.api.openapi import openapi
from evcharge.web.api.operations import Operation
from evcharge.wiring import metadata
from tariff_rows import applying_nowhere, per_kwh

OPERATIONS = {each.name: each for api in APIS for each in api.operations}
PASSWORD = "charge-demo-1"
NOBODIES = ("nobody", "made-up", "expired", "logged-out", "suspended")
SOMEBODIES = ("owner", "stranger", "north", "south", "admin")
CALLERS = NOBODIES + SOMEBODIES


@dataclass
class World:
    """A driver with a booking at the operator North's, and everybody around them."""

    database: Database
    ids: dict[str, Any] = field(default_factory=dict)

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """All there is, but for what a look leaves behind."""
        with self.database.reading() as session:
            return {
                table.name: sorted(map(tuple, session.execute(select(table))), key=str)
                for table in metadata.sorted_tables
            }


@pytest.fixture
def world(database: Database, app: Flask) -> World:
    made = World(database)
    now = utc_now()
    with database.transaction() as session:
        hashed = hash_password(PASSWORD, method=app.config["PASSWORD_METHOD"])
        owner = make.a_user(session, email="owner@example.com", password_hash=hashed)
        north = make.an_operator(session, "North")
        place = make.a_location(session, operator=north)
        kinds = (ConnectorKind.CCS2, ConnectorKind.TYPE2)
        evse = make.an_evse(session, location=place, kinds=kinds, seen_at=now)
        starts_at = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)
        slot = make.a_slot(after_hours=0, now=starts_at)
        booking = book_slot(
            session,
            make.a_request(evse.id, slot, user_id=owner.id),
            limits=Limits(),
            now=now,
        )
        actor = make.a_user(session, role="operator", operator=north)
        block = block_evse(
            session,
            evse_id=evse.id,
            slot=make.a_slot(after_hours=6, now=starts_at),
            reason="Cleaning",
            actor=Actor(ActorKind.OPERATOR, actor.id),
            cancel_bookings=False,
            now=now,
        )
        charge = a_charge(session, owner.id, north, now=now)
        connect(session, evse.charger_id, now=now)
        set_key(session, evse.charger_id, "a key of 16 bytes", by=None, now=now)
        command = queue_command(
            session,
            charger_id=evse.charger_id,
            kind=CommandKind.TRIGGER,
            arguments={"message": "Heartbeat", "evse": None},
            by=actor.id,
            now=now,
        )
        tariff = a_tariff_of(session, north, now=now)
        due = open_due(
            session,
            payer=Payer(owner.id),
            item_kind=ItemKind.SESSION,
            item_id=charge.id,
            reference=charge.reference,
            location_id=place.id,
            amount_paise=4_200,
            reason="You used more than you paid for",
            now=now,
        )
        made.ids = {
            "due_id": due.id,
            "tariff_id": tariff.id,
            "assignment_id": tariff.assignments[0].id,
            "command_id": command.id,
            "session_id": charge.id,
            "booking_id": booking.id,
            "location_id": place.id,
            "charger_id": evse.charger_id,
            "evse_id": evse.id,
            "connector_id": evse.connectors[1].id,
            "block_id": block.id,
            "starts_at": starts_at,
            "operator_id": north.id,
            "user_id": owner.id,
            "token_id": make.a_login(session, owner, token_hash="0" * 64).id,
        }
    return made


def a_tariff_of(session: Session, operator: Operator, *, now: datetime) -> Tariff:
    made = applying_nowhere(operator.id, per_kwh(1700))
    made.assignments = [TariffAssignment(operator_id=operator.id, valid_from=now)]
    session.add(made)
    session.flush()
    return made


def connect(session: Session, charger_id: int, *, now: datetime) -> None:
    open_connection(
        session,
        charger_id=charger_id,
        gateway="here",
        protocol=Protocol.OCPP16,
        address="",
        at=now,
    )


def a_charge(
    session: Session, user_id: int, operator: Operator, *, now: datetime
) -> ChargingSession:
    """Somebody charges, at a charger of its own."""
    place = make.a_location(session, operator=operator)
    evse = make.an_evse(session, location=place, seen_at=now)
    connect(session, evse.charger_id, now=now)
    charge = ask_to_start(session, evse_id=evse.id, user_id=user_id, now=now)
    start = TransactionStart(
        charger_id=evse.charger_id,
        evse_number=1,
        connector_number=1,
        tag=charge.tag,
        meter_wh=0,
        charger_at=now,
    )
    start_transaction(session, start, at=now)
    return charge


def headers_of(world: World, caller: str) -> dict[str, str]:
    if caller == "nobody":
        return {}
    if caller == "made-up":
        return {"Authorization": "Bearer evc_" + "A" * 43}
    if caller == "owner":
        return bearer(world.database, user_id=world.ids["user_id"])
    if caller in ("north", "south"):
        return bearer(world.database, "operator", operator=caller.capitalize())
    role = "driver" if caller == "stranger" else "admin"
    headers = bearer(world.database, role, name=caller)
    if caller in ENDED:
        with world.database.transaction() as session:
            user = session.scalars(select(User).where(User.name == caller)).one()
            login = session.scalars(select(Login).where(Login.user_id == user.id)).one()
            ENDED[caller](user, login)
    return headers


def _expire(_user: User, login: Login) -> None:
    login.expires_at = utc_now() - timedelta(seconds=1)


def _log_out(_user: User, login: Login) -> None:
    login.ended_at = utc_now()


def _suspend(user: User, _login: Login) -> None:
    user.status = UserStatus.SUSPENDED


ENDED = {"expired": _expire, "logged-out": _log_out, "suspended": _suspend}


# ── what is asked ────────────────────────────────────────────────────────────────

Json = dict[str, Any]


def _slot(world: World, after: float = 12) -> Json:
    starts_at = world.ids["starts_at"] + timedelta(hours=after)
    return {
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
    }


def _location(world: World) -> Json:
    return {
        "operator_id": world.ids["operator_id"],
        "name": "New",
        "address": "1 Road",
        "city": "Pune",
        "state": "Maharashtra",
        "pincode": "411001",
        "lat": 18.5,
        "lon": 73.8,
    }


CONNECTOR = {"number": 3, "kind": "ccs2", "power_w": 60000}
REQUESTS: dict[str, Callable[[World], Json | None]] = {
    "create_token": lambda w: {"email": "owner@example.com", "password": PASSWORD},
    "list_tokens": lambda w: None,
    "revoke_current_token": lambda w: None,
    "revoke_token": lambda w: None,
    "create_booking": lambda w: {"evse_id": w.ids["evse_id"]} | _slot(w),
    "list_bookings": lambda w: None,
    "get_booking": lambda w: None,
    "cancel_booking": lambda w: None,
    "move_booking": _slot,
    "pay_for_booking": lambda w: {"outcome": "succeed"},
    "start_booked_session": lambda w: None,
    "start_session": lambda w: {"evse_id": w.ids["evse_id"]},
    "list_sessions": lambda w: None,
    "get_session": lambda w: None,
    "stop_session": lambda w: None,
    "unlock_session": lambda w: None,
    "list_locations": lambda w: None,
    "get_location": lambda w: None,
    "list_places": lambda w: None,
    "get_map": lambda w: None,
    "get_availability": lambda w: None,
    "list_admin_chargers": lambda w: None,
    "create_admin_charger": lambda w: {
        "location_id": w.ids["location_id"],
        "identity": "NEW-1",
    },
    "get_admin_charger": lambda w: None,
    "edit_admin_charger": lambda w: {"vendor": "Another"},
    "close_admin_charger": lambda w: {"cancel_bookings": True, "reason": "Broken"},
    "open_admin_charger": lambda w: None,
    "create_admin_evse": lambda w: {
        "charger_id": w.ids["charger_id"],
        "number": 7,
        "booking_price_paise": 100,
        "connectors": [CONNECTOR],
    },
    "get_admin_evse": lambda w: None,
    "edit_admin_evse": lambda w: {"booking_price_paise": 100},
    "remove_admin_evse": lambda w: None,
    "add_admin_connector": lambda w: CONNECTOR,
    "edit_admin_connector": lambda w: {"power_w": 50000},
    "remove_admin_connector": lambda w: None,
    "create_admin_command": lambda w: {
        "kind": "unlock",
        "arguments": {"evse": 1, "connector": 2},
    },
    "list_admin_commands": lambda w: None,
    "get_admin_command": lambda w: None,
    "list_admin_messages": lambda w: None,
    "issue_admin_key": lambda w: None,
    "withdraw_admin_key": lambda w: None,
    "list_admin_sessions": lambda w: None,
    "list_admin_locations": lambda w: None,
    "create_admin_location": _location,
    "get_admin_location": lambda w: None,
    "edit_admin_location": lambda w: {"name": "Another"},
    "create_admin_block": lambda w: {"reason": "Paint"} | _slot(w, after=20),
    "lift_admin_block": lambda w: None,
    "list_admin_bookings": lambda w: None,
    "get_admin_booking": lambda w: None,
    "cancel_admin_booking": lambda w: {"reason": "Broken"},
    "mark_admin_no_show": lambda w: None,
    "get_admin_stats": lambda w: None,
    "list_dues": lambda w: None,
    "pay_due": lambda w: {"outcome": "succeed"},
    "list_admin_tariffs": lambda w: None,
    "create_admin_tariff": lambda w: {
        "operator_id": w.ids["operator_id"],
        "name": "New",
        "terms": per_kwh(1800).as_json(),
    },
    "get_admin_tariff": lambda w: None,
    "edit_admin_tariff": lambda w: {"terms": per_kwh(1900).as_json()},
    "assign_admin_tariff": lambda w: {"evse_id": w.ids["evse_id"]},
    "end_admin_assignment": lambda w: None,
    "preview_admin_tariff": lambda w: {
        "starts_at": "2026-11-29T10:00:00Z",
        "energy_wh": 30_000,
    },
}
QUERIES = {
    "list_places": "?q=Tumk",
    "remove_admin_evse": "?cancel_bookings=true&reason=Gone",
}
# Right, from the right caller, and still refused by how things are in this world.
REFUSED_BY_STATE = {"mark_admin_no_show": 409, "start_booked_session": 409}
# Here what is foreign to South is named in the body, not in the address.
FOREIGN_IN_BODY = {
    "create_admin_charger": 404,
    "create_admin_evse": 404,
    "create_admin_location": 422,
    "create_admin_tariff": 422,
}


def expected(operation: Operation, caller: str) -> set[int]:
    right = {REFUSED_BY_STATE.get(operation.name, operation.status)}
    if operation.guard == "public":
        return right
    if caller in NOBODIES:
        return {401}
    if operation.guard == "login":
        is_foreign = "<" in operation.rule and caller != "owner"
        return {404} if is_foreign else right
    if caller in ("owner", "stranger"):
        return {403}
    if caller != "south":
        return right
    is_about_one = "<" in operation.rule
    return {404} if is_about_one else {FOREIGN_IN_BODY.get(operation.name, *right)}


def served(operation: Operation) -> list[str]:
    return [each for each in CALLERS if min(expected(operation, each)) < 400]


LOOKS = [name for name, each in OPERATIONS.items() if each.method == "GET"]
CHANGES = [
    (name, caller)
    for name, each in OPERATIONS.items()
    if each.method != "GET"
    for caller in served(each)
]
# What is open already is opened once more.
CHANGES_NOTHING = {"open_admin_charger", "preview_admin_tariff"}


# ── the matrix ───────────────────────────────────────────────────────────────────


def test_every_operation_is_tried_here() -> None:
    assert set(OPERATIONS) == set(REQUESTS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_nobody_gets_what_is_not_theirs(app: Flask, world: World, name: str) -> None:
    operation = OPERATIONS[name]
    refused = [each for each in CALLERS if min(expected(operation, each)) >= 400]
    callers = {caller: headers_of(world, caller) for caller in refused}
    before = world.tables()

    for caller, headers in callers.items():
        answer = ask(app, world, operation, headers)

        assert answer.status_code in expected(operation, caller), (caller, answer.text)
        assert answer.json["code"] in published(operation, answer.status_code), caller
    assert world.tables() == before


@pytest.mark.parametrize("name", LOOKS)
def test_everybody_sees_what_is_theirs(app: Flask, world: World, name: str) -> None:
    operation = OPERATIONS[name]
    callers = {each: headers_of(world, each) for each in served(operation)}
    before = world.tables()

    for caller, headers in callers.items():
        answer = ask(app, world, operation, headers)

        assert answer.status_code == 200, (caller, answer.text)
        assert answer.json
    assert world.tables() == before


@pytest.mark.parametrize(("name", "caller"), CHANGES)
def test_everybody_changes_what_is_theirs(
    app: Flask, world: World, name: str, caller: str
) -> None:
    operation = OPERATIONS[name]
    headers = headers_of(world, caller)
    before = world.tables()

    answer = ask(app, world, operation, headers)

    assert answer.status_code == operation.status, answer.text
    assert world.tables() != before or name in CHANGES_NOTHING
    if operation.location is not None:
        again = app.test_client().get(answer.headers["Location"], headers=headers)
        assert again.json == answer.json


def ask(app: Flask, world: World, operation: Operation, headers: dict[str, str]) -> Any:
    path = operation.rule
    for part in operation.rule.split("/"):
        if part.startswith("<"):
            name = part.strip("<>").split(":")[1]
            path = path.replace(part, str(world.ids[name]))
    if operation.seen:
        headers["If-Match"] = f'"{version(world, operation)}"'
    return app.test_client().open(
        f"/api/v1{path}{QUERIES.get(operation.name, '')}",
        method=operation.method,
        json=REQUESTS[operation.name](world),
        headers=headers,
    )


KINDS = {"tariffs": Tariff, "locations": Location, "chargers": Charger, "evses": Evse}
NAMES = {
    "tariffs": "tariff_id",
    "locations": "location_id",
    "chargers": "charger_id",
    "evses": "evse_id",
}


def version(world: World, operation: Operation) -> int:
    """What the owner of the thing would have seen."""
    kind = operation.rule.split("/")[2]
    with world.database.reading() as session:
        return session.get_one(KINDS[kind], world.ids[NAMES[kind]]).version


def published(operation: Operation, status: int) -> set[str]:
    [[described]] = [
        methods.values() for methods in openapi([operation])["paths"].values()
    ]
    return set(described["responses"][str(status)]["x-codes"])
