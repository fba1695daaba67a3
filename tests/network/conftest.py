from collections.abc import Iterator

import pytest
from sqlalchemy import event

from evcharge.kernel.db import Database
from evcharge.network import pages
from evcharge.web import formats
from make import NOON


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver pages believe that it is NOON, 17:30 in India."""
    monkeypatch.setattr(pages, "utc_now", lambda: NOON)
    monkeypatch.setattr(formats, "utc_now", lambda: NOON)


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
