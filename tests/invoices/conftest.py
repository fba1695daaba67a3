"""A registered operator's EVSE, and a driver who pays there."""

from dataclasses import dataclass

import pytest

from evcharge.kernel.db import Database
from make import a_user, an_evse
from papers import a_registration


@dataclass(frozen=True)
class Shop:
    evse_id: int
    location_id: int
    operator_id: int
    registration_id: int
    user_id: int


@pytest.fixture
def shop(database: Database) -> Shop:
    with database.transaction() as session:
        evse = an_evse(session)
        location = evse.charger.location
        registration = a_registration(session, location)
        return Shop(
            evse.id,
            location.id,
            location.operator_id,
            registration.id,
            a_user(session).id,
        )
