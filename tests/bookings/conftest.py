from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

import make
from desk import Desk
from evcharge.bookings.pages import book, move, show
from evcharge.kernel.db import Database
from evcharge.payments import pages as payments_pages
from evcharge.payments import paying
from evcharge.web import formats, shell
from make import NOON


@pytest.fixture
def desk(database: Database) -> Desk:
    with database.transaction() as session:
        return Desk(database, make.a_user(session).id, make.an_evse(session).id)


@pytest.fixture
def mine(desk: Desk, driver: FlaskClient) -> Desk:
    """The desk at which the signed-in driver stands."""
    return replace(desk, user_id=driver.user_id)


@dataclass
class Clock:
    now: datetime = NOON


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time that the driver's pages believe: NOON, 17:30 in India, until moved."""
    clock = Clock()
    for module in (book, move, show, payments_pages, paying, shell, formats):
        monkeypatch.setattr(module, "utc_now", lambda: clock.now)
    return clock


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """Every statement as it is sent; a beginning transaction is none."""
    sent: list[str] = []

    def note(_connection, _cursor, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)
