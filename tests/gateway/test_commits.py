"""Many chargers, one commit, whatever the database does meanwhile."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import create_engine, text

from charger import Charger, connected
from evcharge.gateway import commits
from evcharge.stations.models import Connector

from .conftest import Served

Serving = Callable[..., Served]
CHARGERS = 30


@pytest.fixture
def gateway(served: Serving) -> Served:
    return served()


@contextmanager
def locked(gateway: Served) -> Iterator[None]:
    """Nobody else can write statuses meanwhile."""
    engine = create_engine(
        gateway.database.engine.url, isolation_level="AUTOCOMMIT", pool_size=1
    )
    is_sqlite = gateway.database.is_sqlite
    with engine.connect() as connection:
        connection.execute(text("BEGIN IMMEDIATE" if is_sqlite else "BEGIN"))
        if not is_sqlite:
            connection.execute(text("LOCK TABLE connectors IN ACCESS EXCLUSIVE MODE"))
        yield
        connection.execute(text("ROLLBACK"))
    engine.dispose()


def status(charger: Charger, word: str) -> str:
    return charger.say(
        "StatusNotification",
        {"connectorId": 1, "errorCode": "NoError", "status": word},
    )


@pytest.fixture
def chargers(gateway: Served) -> Iterator[list[Charger]]:
    names = [f"CP-{number}" for number in range(CHARGERS)]
    for name in names:
        gateway.add_charger(name)
    with ExitStack() as stack:
        yield [stack.enter_context(connected(gateway.port, name)) for name in names]


def reported(gateway: Served) -> list[str]:
    with gateway.database.reading() as session:
        return [str(each.reported_status) for each in session.query(Connector)]


def test_many_chargers_share_a_commit(
    gateway: Served, chargers: list[Charger], statements: list[str]
) -> None:
    for charger in chargers:  # Their plugs are looked up, and all is set up.
        charger.answer_to(status(charger, "Preparing"))
    statements.clear()

    ids = [status(charger, "Charging") for charger in chargers]
    for charger, message_id in zip(chargers, ids, strict=True):
        assert charger.answer_to(message_id)[0] == 3

    assert set(reported(gateway)) == {"charging"}
    inserts = [each for each in statements if "INTO charger_messages" in each]
    assert len(inserts) < CHARGERS / 2


def test_while_the_database_is_locked_chargers_wait_and_are_then_answered(
    gateway: Served, chargers: list[Charger]
) -> None:
    with locked(gateway):
        ids = [status(charger, "Charging") for charger in chargers]
        with pytest.raises(TimeoutError):
            chargers[0].receive(1)

    for charger, message_id in zip(chargers, ids, strict=True):
        assert charger.answer_to(message_id)[0] == 3
    assert set(reported(gateway)) == {"charging"}


def test_who_waited_too_long_is_told_to_try_again(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "PATIENCE_SECONDS", 1)
    gateway = served()
    gateway.add_charger("CP-1")

    with connected(gateway.port, "CP-1") as charger:
        with locked(gateway):
            answer = charger.answer_to(status(charger, "Charging"))
            assert answer[2] == "InternalError"

        deadline = time.monotonic() + 20
        while charger.answer_to(status(charger, "Charging"))[0] != 3:
            assert time.monotonic() < deadline
    assert reported(gateway) == ["charging"]
