import pytest

import make
from desk import Desk


@pytest.fixture
def desk(database):
    with database.transaction() as session:
        operator = make.an_operator(session, "Test Power")
        location = make.a_location(session, operator=operator)
        evse = make.an_evse(session, location=location)
        user = make.a_user(session)
        return Desk(database, user.id, evse.id)
