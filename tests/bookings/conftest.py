import pytest

import make
from desk import Desk
from evcharge.kernel.db import Database


@pytest.fixture
def desk(database: Database) -> Desk:
    with database.transaction() as session:
        return Desk(database, make.a_user(session).id, make.an_evse(session).id)
