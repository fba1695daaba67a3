from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask

from evcharge.accounts.rules.passwords import hash_password
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
