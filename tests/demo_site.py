"""The demo network in a web program of its own, and as much again beside it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeSerializer
from sqlalchemy import Column, String, Table, event, func, literal, select, type_coerce
from sqlalchemy.orm import Session

import make
from charging_rows import a_session
from evcharge.accounts.models import Guest, User
from evcharge.app import create_app
from evcharge.billing.models import Bill
from evcharge.bookings.models import Booking
from evcharge.bookings.rules import ActorKind, BookingStatus
from evcharge.charging.models import ChargingSession, MeterSample, SessionEvent
from evcharge.charging.rules import SessionEventKind, SessionStatus
from evcharge.control.rules import Direction, LoggedMessage
from evcharge.control.service import record_messages
from evcharge.demo.load import load_demo
from evcharge.invoices.models import TaxDocument
from evcharge.invoices.service import invoice
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.ids import new_id
from evcharge.kernel.settings import read_settings
from evcharge.payments.models import Checkout, CheckoutItem, Payment
from evcharge.payments.rules import ItemKind
from evcharge.stations.models import Connector, Evse
from evcharge.stations.rules.codes import evse_code
from evcharge.tariffs.models import Tariff
from evcharge.wiring import metadata
from papers import a_bill, a_registration
from tariff_rows import applying_nowhere, per_kwh

SECRET = "only-for-tests-0123456789-abcdefgh"
EMAILS = {role: f"{role}@example.com" for role in ("driver", "operator", "admin")}

# Who asks, for what, and the most SQL statements that may take, those to know who
# asks among them.
PAGES = [
    ("driver", "/", 9),
    ("driver", "/locations/cards?id=1&id=2", 7),
    ("driver", "/favourites", 8),
    ("nobody", "/locations/{location_id}", 8),
    ("driver", "/locations/{location_id}", 10),
    ("driver", "/evses/{evse_id}/book", 8),
    ("nobody", "/signup", 0),
    ("nobody", "/login", 0),
    ("driver", "/account", 7),
    ("driver", "/account/delete", 3),
    ("driver", "/account/tax", 5),
    ("driver", "/account/tokens", 4),
    ("nobody", "/api/docs", 0),
    ("driver", "/bookings", 8),
    ("driver", "/bookings/{booking_id}", 10),
    ("driver", "/bookings/{booking_id}/calendar.ics", 5),
    ("driver", "/bookings/{booking_id}/cancel", 6),
    ("driver", "/bookings/{booking_id}/move", 7),
    ("nobody", "/c", 0),
    ("nobody", "/c/{code}", 7),
    ("driver", "/c/{code}", 10),
    ("driver", "/documents/{document_id}", 5),
    ("driver", "/documents/{document_id}.pdf", 4),
    ("nobody", "/visits/{visit}", 12),
    ("nobody", "/visits/{visit}/stop", 6),
    ("nobody", "/visits/{visit}/documents/{guest_document_id}", 2),
    ("nobody", "/visits/{visit}/documents/{guest_document_id}.pdf", 2),
    ("driver", "/sessions", 6),
    ("driver", "/sessions/{session_id}", 9),
    ("driver", "/sessions/{session_id}/stop", 7),
    ("driver", "/dues", 4),
    ("driver", "/payments/{payment_id}", 6),
    ("driver", "/payments/{payment_id}/return", 4),
    ("nobody", "/simulated-gateway/{ref}", 2),
    ("operator", "/admin/", 12),
    ("operator", "/admin/bookings", 5),
    ("operator", "/admin/bookings.csv", 5),
    ("operator", "/admin/bookings/{booking_id}", 8),
    ("operator", "/admin/bookings/{booking_id}/cancel", 6),
    ("operator", "/admin/locations", 7),
    ("operator", "/admin/locations.csv", 5),
    ("operator", "/admin/locations/new", 4),
    ("operator", "/admin/locations/{location_id}", 8),
    ("operator", "/admin/locations/{location_id}/edit", 4),
    ("operator", "/admin/locations/{location_id}/codes", 9),
    ("operator", "/admin/locations/{location_id}/close", 8),
    ("operator", "/admin/locations/{location_id}/chargers/new", 4),
    ("operator", "/admin/chargers", 9),
    ("operator", "/admin/chargers.csv", 5),
    ("operator", "/admin/chargers/{charger_id}", 14),
    ("operator", "/admin/chargers/{charger_id}/commands", 13),
    ("operator", "/admin/chargers/{charger_id}/key", 8),
    ("operator", "/admin/chargers/{charger_id}/messages", 7),
    ("operator", "/admin/chargers/{charger_id}/messages.csv", 8),
    ("operator", "/admin/chargers/{charger_id}/messages.jsonl", 8),
    ("operator", "/admin/chargers/{charger_id}/variables", 8),
    ("operator", "/admin/chargers/{charger_id}/notices", 7),
    ("operator", "/admin/chargers/{charger_id}/codes", 6),
    ("operator", "/admin/chargers/{charger_id}/edit", 6),
    ("operator", "/admin/chargers/{charger_id}/close", 9),
    ("operator", "/admin/chargers/{charger_id}/evses/new", 6),
    ("operator", "/admin/evses/{evse_id}/edit", 5),
    ("operator", "/admin/evses/{evse_id}/block", 6),
    ("operator", "/admin/evses/{evse_id}/close", 8),
    ("operator", "/admin/evses/{evse_id}/remove", 8),
    ("operator", "/admin/evses/{evse_id}/connectors/new", 5),
    ("operator", "/admin/evses/{evse_id}/connectors/{connector_id}/edit", 5),
    ("operator", "/admin/parked", 3),
    ("operator", "/admin/payments", 6),
    ("operator", "/admin/sessions", 5),
    ("operator", "/admin/sessions.csv", 5),
    ("operator", "/admin/sessions/{session_id}", 8),
    ("operator", "/admin/sessions/{session_id}/stop", 5),
    ("operator", "/admin/payments.csv", 5),
    ("operator", "/admin/dues", 6),
    ("operator", "/admin/settlement", 7),
    ("operator", "/admin/settlement.csv", 7),
    ("operator", "/admin/settlement/{operator_id}", 10),
    ("operator", "/admin/documents", 5),
    ("operator", "/admin/documents.csv", 5),
    ("operator", "/admin/documents/{document_id}.pdf", 4),
    ("operator", "/admin/tax", 5),
    ("operator", "/admin/tariffs", 6),
    ("operator", "/admin/tariffs/new", 5),
    ("operator", "/admin/tariffs/{tariff_id}", 11),
    ("operator", "/admin/ceilings", 5),
    ("admin", "/admin/reconciliation", 6),
    ("admin", "/admin/reconciliation.csv", 4),
    ("admin", "/admin/jobs", 4),
    ("admin", "/admin/operators", 4),
    ("admin", "/admin/operators/new", 2),
    ("admin", "/admin/operators/{operator_id}", 4),
    ("admin", "/admin/operators/{operator_id}/edit", 3),
    ("admin", "/admin/users", 4),
    ("admin", "/admin/users.csv", 3),
    ("admin", "/admin/users/{user_id}", 7),
    ("admin", "/admin/users/{user_id}/suspend", 4),
    ("admin", "/admin/users/{user_id}/reinstate", 4),
]


@dataclass
class Site:
    app: Flask
    database: Database
    ids: dict[str, Any]

    def browser(self, role: str) -> FlaskClient:
        """One in which the demo's driver, operator or admin is logged in; or nobody."""
        client = self.app.test_client()
        if role == "nobody":
            return client
        with self.database.transaction() as session:
            user = session.scalars(select(User).filter_by(email_key=EMAILS[role])).one()
            login = make.a_login(session, user)
            who = {"user_id": user.id, "login_id": str(login.id)}
        with client.session_transaction() as cookie:
            cookie.update(who)
        return client

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The SQL that is sent meanwhile."""
        sent: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            sent.append(statement)

        event.listen(self.database.engine, "before_cursor_execute", note)
        yield sent
        event.remove(self.database.engine, "before_cursor_execute", note)


@contextmanager
def open_site(folder: Path) -> Iterator[Site]:
    database = Database(f"sqlite:///{folder}/evcharge.db")
    settings = read_settings(
        secret_key=SECRET, data_dir=folder, demo=True, rate_limits=False
    )
    app = create_app(settings, database)
    app.testing = True
    with database.reading() as session:
        ids = things(session)
    ids["visit"] = visit_token(SECRET, ids["guest_id"])
    yield Site(app, database, ids)
    database.engine.dispose()


def load(folder: Path) -> None:
    database = Database(f"sqlite:///{folder}/evcharge.db")
    metadata.create_all(database.engine)
    load_demo(database, now=utc_now(), say=lambda _: None)
    with database.transaction() as session:
        charge(session)
        talk(session)
        file_papers(session)
    database.engine.dispose()


def talk(session: Session) -> None:
    said = LoggedMessage(1, utc_now(), Direction.IN, "Heartbeat", "[2,1,{}]")
    record_messages(session, [said] * 3)


def file_papers(session: Session) -> None:
    """The demo's driver has an invoice for each booking not billed yet, and a guest one
    for a charge, of an operator with a GSTIN; and one has a tariff."""
    # It applies nowhere yet: prices on the demo's pages are those of the demo.
    session.add(applying_nowhere(1, per_kwh(1_800)))
    driver = session.scalars(select(User).filter_by(email_key=EMAILS["driver"])).one()
    guest = Guest(id=new_id(), email=None, phone=None, created_at=utc_now())
    session.add(guest)
    session.flush()
    evse = session.get_one(Evse, 1)
    registration = a_registration(session, evse.charger.location)
    bookings = session.scalars(
        select(Booking.id).where(
            Booking.user_id == driver.id,
            Booking.id.not_in(select(Bill.item_id)),
        )
    ).all()
    visit = a_session(
        session, 3, None, guest_id=guest.id, prepaid_paise=20_000, paid_at=utc_now()
    )
    supplies = [{"user_id": driver.id, "item_id": each} for each in bookings]
    of_a_guest = {
        "user_id": None,
        "guest_id": guest.id,
        "kind": ItemKind.SESSION,
        "item_id": visit.id,
    }
    for supply in (*supplies, of_a_guest):
        bill = a_bill(session, evse, registration_id=registration.id, **supply)
        invoice(session, bill.id, now=utc_now())


def charge(session: Session) -> None:
    """The demo's driver charges: once before, and now, with a history and a curve."""
    driver = session.scalars(select(User).filter_by(email_key=EMAILS["driver"])).one()
    now = utc_now()
    a_session(
        session, 2, driver.id, status=SessionStatus.COMPLETED, ended_at=now, energy_wh=1
    )
    under_way = a_session(session, 1, driver.id)
    session.add(
        SessionEvent(
            session_id=under_way.id,
            at=now,
            kind=SessionEventKind.STARTED,
            actor=ActorKind.SYSTEM,
        )
    )
    for minute in range(5):
        at = now + timedelta(minutes=minute)
        session.add(MeterSample(session_id=under_way.id, at=at, power_w=50_000))


def load_twice(folder: Path, once: Path) -> None:
    """As much again of everything: more in each list, more behind each thing."""
    shutil.copy(once / "evcharge.db", folder)
    database = Database(f"sqlite:///{folder}/evcharge.db")
    with database.transaction() as session:
        double(session)
    database.engine.dispose()


def visit_token(secret: str, guest_id: UUID) -> str:
    """The signed link of a guest, made without the program that reads it."""
    return str(URLSafeSerializer(secret, salt="visit").dumps(guest_id.hex))


def things(session: Session) -> dict[str, Any]:
    """Something of every kind that an address may name, as the demo has it."""
    driver = session.scalars(select(User).filter_by(email_key=EMAILS["driver"])).one()
    booking = session.scalars(
        select(Booking)
        .filter_by(user_id=driver.id, status=BookingStatus.ACTIVE)
        .order_by(Booking.starts_at.desc())
    ).first()
    assert booking is not None
    payment = session.scalars(
        select(Payment)
        .join(Checkout)
        .join(CheckoutItem)
        .where(CheckoutItem.item_id == booking.id)
    ).first()
    assert payment is not None
    connector = session.scalars(select(Connector).filter_by(evse_id=1)).first()
    assert connector is not None
    under_way = session.scalars(
        select(ChargingSession).filter_by(
            user_id=driver.id, status=SessionStatus.ACTIVE
        )
    ).first()
    assert under_way is not None
    document = session.scalars(select(TaxDocument).filter_by(user_id=driver.id)).first()
    guests = select(TaxDocument).where(TaxDocument.guest_id.is_not(None))
    of_a_guest = session.scalars(guests).first()
    tariff = session.scalars(select(Tariff)).first()
    assert tariff is not None
    assert document is not None
    assert of_a_guest is not None
    assert of_a_guest.guest_id is not None
    return {
        "guest_document_id": of_a_guest.id,
        "guest_id": of_a_guest.guest_id,
        "document_id": document.id,
        "tariff_id": tariff.id,
        "code": evse_code(1),
        "session_id": under_way.id,
        "location_id": 1,
        "charger_id": 1,
        "evse_id": 1,
        "connector_id": connector.id,
        "operator_id": 1,
        "user_id": driver.id,
        "booking_id": booking.id,
        "payment_id": payment.id,
        "ref": payment.provider_ref,
    }


# ── as much again ────────────────────────────────────────────────────────────────


def double(session: Session) -> None:
    tables = metadata.tables

    def add(name: str, /, **changed: Any) -> None:
        copy_rows(session, tables[name], changed)

    def other(name: str, column: str = "id") -> Any:
        return other_uuid(tables[name].c[column])

    def more(name: str, column: str, number: int) -> Any:
        return tables[name].c[column] + number

    def longer(name: str, column: str) -> Any:
        return tables[name].c[column] + "-2"

    add("users", id=more("users", "id", 10_000), email_key=longer("users", "email_key"))
    add("logins", id=other("logins"))
    add(
        "operators",
        id=more("operators", "id", 10_000),
        name=longer("operators", "name"),
        name_key=longer("operators", "name_key"),
    )
    add("operator_members", user_id=more("operator_members", "user_id", 10_000))
    add("locations", id=more("locations", "id", 10_000))
    add(
        "chargers",
        id=more("chargers", "id", 10_000),
        identity=longer("chargers", "identity"),
    )
    add(
        "evses",
        id=more("evses", "id", 10_000),
        charger_id=more("evses", "charger_id", 10_000),
    )
    add("evses", id=more("evses", "id", 20_000), number=more("evses", "number", 10))
    for step in (10_000, 20_000):
        add(
            "connectors",
            id=more("connectors", "id", step),
            evse_id=more("connectors", "evse_id", step),
        )
    add(
        "connectors",
        id=more("connectors", "id", 40_000),
        number=more("connectors", "number", 10),
    )
    add(
        "bookings",
        id=other("bookings"),
        reference=longer("bookings", "reference"),
        evse_id=more("bookings", "evse_id", 10_000),
    )
    add("booking_events", id=more("booking_events", "id", 1_000_000))
    add(
        "booking_events",
        id=more("booking_events", "id", 2_000_000),
        booking_id=other("booking_events", "booking_id"),
    )
    add(
        "maintenance_blocks",
        id=other("maintenance_blocks"),
        evse_id=more("maintenance_blocks", "evse_id", 10_000),
    )
    add(
        "slot_claims",
        evse_id=more("slot_claims", "evse_id", 10_000),
        booking_id=other("slot_claims", "booking_id"),
        block_id=other("slot_claims", "block_id"),
    )
    add("checkouts", id=other("checkouts"))
    add(
        "checkout_items",
        checkout_id=other("checkout_items", "checkout_id"),
        item_id=other("checkout_items", "item_id"),
    )
    add(
        "payments",
        id=other("payments"),
        provider_ref=longer("payments", "provider_ref"),
    )
    add("refunds", id=other("refunds"))
    add(
        "charging_sessions",
        id=other("charging_sessions"),
        reference=longer("charging_sessions", "reference"),
    )
    add("charger_messages", id=more("charger_messages", "id", 1_000_000))
    add("session_events", id=more("session_events", "id", 1_000_000))
    add("meter_samples", id=more("meter_samples", "id", 1_000_000))


def copy_rows(session: Session, table: Table, changed: dict[str, Any]) -> None:
    columns = [changed.get(column.name, column) for column in table.columns]
    rows = select(*columns).select_from(table)
    session.execute(table.insert().from_select(list(table.columns.keys()), rows))


def other_uuid(column: "Column[Any]") -> Any:
    """Another, always the same one; SQLite keeps them as text."""
    return literal("f") + func.substr(type_coerce(column, String), 2)
