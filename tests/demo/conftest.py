from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from sqlalchemy.orm import Session

from evcharge.demo.load import load_demo
from evcharge.kernel.db import Database
from evcharge.wiring import metadata
from make import NOON


@pytest.fixture(scope="session")
def _networks(
    new_url_of: Callable[[str], str],
) -> Iterator[Callable[[str], Database]]:
    """Loads each kind once: pytest itself would at each change between them."""
    with ExitStack() as stack:

        @cache
        def loaded(dialect: str) -> Database:
            database = Database(new_url_of(dialect))
            stack.callback(database.engine.dispose)
            metadata.create_all(database.engine)
            load_demo(database, now=NOON, say=lambda text: None)
            return database

        yield loaded


@pytest.fixture
def network(dialect: str, _networks: Callable[[str], Database]) -> Database:
    """The demo, loaded once for all tests: they throw away what they change."""
    return _networks(dialect)


@pytest.fixture
def demo(network: Database) -> Iterator[Session]:
    with network.reading() as session:
        yield session
