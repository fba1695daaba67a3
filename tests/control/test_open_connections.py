"""Sockets are counted, many at once, and the newest of a charger's is the one."""

from sqlalchemy.orm import Session

import make
from evcharge.control.models import ChargerConnection
from evcharge.control.rules import Protocol
from evcharge.control.service import Opening, close_connection, open_connections
from evcharge.kernel.live import announced
from make import MINUTE, NOON


def opening(charger_id: int, gateway: str = "one") -> Opening:
    return Opening(charger_id, gateway, Protocol.OCPP16, "10.0.0.1", NOON)


def test_each_opening_has_the_next_generation_of_its_charger(session: Session) -> None:
    one, other = (make.an_evse(session).charger_id for _ in range(2))

    assert open_connections(session, [opening(one)]) == [1]
    assert open_connections(session, [opening(other), opening(one)]) == [1, 2]


def test_of_two_openings_at_once_the_later_is_the_newer(session: Session) -> None:
    one, other = (make.an_evse(session).charger_id for _ in range(2))
    open_connections(session, [opening(one)])

    generations = open_connections(
        session, [opening(one, "a"), opening(other), opening(one, "b")]
    )

    assert generations == [2, 1, 3]
    row = session.get_one(ChargerConnection, one)
    assert (row.generation, row.gateway) == (3, "b")


def test_a_charger_that_comes_back_is_open_again_and_seen(session: Session) -> None:
    evse = make.an_evse(session, seen_at=NOON - 60 * MINUTE)
    charger_id = evse.charger_id
    open_connections(session, [opening(charger_id)])
    close_connection(session, charger_id=charger_id, generation=1, at=NOON)

    open_connections(session, [opening(charger_id)])

    session.refresh(evse.charger)
    row = session.get_one(ChargerConnection, charger_id, populate_existing=True)
    assert row.closed_at is None
    assert evse.charger.last_seen_at == NOON
    assert f"connection:{charger_id}" in announced(session)
