from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.orm import Session

from evcharge.demo.load import load_demo
from evcharge.kernel.db import Database
from evcharge.wiring import metadata
from make import NOON


@pytest.fixture(scope="session")
def network(
    dialect: str,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Database]:
    """The demo, loaded once for all tests: they throw away what they change."""
    if dialect == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("postgresql")
        url = create()
    else:
        url = f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.db"
    database = Database(url)
    metadata.create_all(database.engine)
    load_demo(database, now=NOON, say=lambda text: None)
    yield database
    database.engine.dispose()


@pytest.fixture
def demo(network: Database) -> Iterator[Session]:
    with network.reading() as session:
        yield session
