from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import event

from evcharge.accounts.rules.passwords import hash_password
from evcharge.kernel.db import Database
from evcharge.kernel.errors import DomainError

CHEAP = "pbkdf2:sha256:1"
PASSWORD = "correct horse battery"


@pytest.fixture
def app(app: Flask) -> Flask:
    app.config["PASSWORD_METHOD"] = CHEAP
    return app


@pytest.fixture(scope="session")
def password_hash() -> str:
    return hash_password(PASSWORD, method=CHEAP)


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


@pytest.fixture
def at_once(database) -> Callable[..., list[object]]:
    """Runs actions in transactions that begin together; a refusal is an answer."""

    def run(*actions: Callable[..., object]) -> list[object]:
        start = Barrier(len(actions))

        def perform(action):
            start.wait()
            try:
                return database.perform(action)
            except DomainError as refusal:
                return refusal.code

        with ThreadPoolExecutor(len(actions)) as pool:
            return list(pool.map(perform, actions))

    return run
