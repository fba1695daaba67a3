import pytest

import make
from box import Box, a_box
from desk import Desk
from evcharge.accounts.models import RfidTag
from guests import Guest
from make import NOON
from tariff_rows import a_registration, a_tariff, per_kwh


@pytest.fixture
def box(database) -> Box:
    return a_box(database).connect()


@pytest.fixture
def asha(database) -> int:
    with database.transaction() as session:
        return make.a_user(session).id


@pytest.fixture
def card(database, asha) -> str:
    with database.transaction() as session:
        session.add(RfidTag(uid="04A1B2", user_id=asha, created_at=NOON))
    return "04a1b2"


@pytest.fixture
def desk(database, box, asha) -> Desk:
    return Desk(database, asha, box.evse_id)


@pytest.fixture
def guest(box) -> Guest:
    return Guest(box)


@pytest.fixture
def at_20_a_kwh(database) -> None:
    """₹23.60 with tax."""
    with database.transaction() as session:
        a_registration(session, state="Karnataka")
        a_tariff(session, terms=per_kwh(2_000))
