from threading import Thread
from time import sleep

import pytest
from click.testing import CliRunner
from sqlalchemy import select

import make
from evcharge.cli import chargers
from evcharge.control.models import ChargerCommand
from evcharge.control.queries import credentials
from evcharge.control.rules import CommandState, Protocol
from evcharge.control.service import (
    answer_command,
    open_connection,
    park,
    take_commands,
)
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import NotFound


@pytest.fixture
def charger_id(database):
    with database.transaction() as session:
        return make.an_evse(session, identity="CP-1").charger_id


def run(database, *words):
    return CliRunner().invoke(chargers, words, obj=database)


def key_hash(database):
    with database.reading() as session:
        return credentials(session, "CP-1").key_hash


def test_a_key_is_printed_and_taken_away(database, charger_id):
    answer = run(database, "issue-key", "CP-1")
    assert key_hash(database).fits(answer.output.strip().encode())

    run(database, "withdraw-key", "CP-1")

    assert key_hash(database) is None


def test_a_charger_nobody_knows_gets_no_key(database):
    answer = run(database, "issue-key", "CP-9")

    assert answer.exit_code != 0
    assert isinstance(answer.exception, NotFound)


def test_a_command_waits_for_its_answer(database, charger_id):
    with database.transaction() as session:
        open_connection(
            session,
            charger_id=charger_id,
            gateway="g",
            protocol=Protocol.OCPP16,
            address="",
            at=utc_now(),
        )

    def refuse():
        while True:
            with database.transaction() as session:
                for each in take_commands(session, gateway="g", now=utc_now()):
                    answer_command(
                        session,
                        each.id,
                        state=CommandState.REJECTED,
                        answer="UnlockFailed",
                        details={},
                        at=utc_now(),
                    )
                    return
            sleep(0.05)

    charger = Thread(target=refuse, daemon=True)
    charger.start()
    answer = run(database, "command", "CP-1", "unlock", "evse=1", "connector=1")
    charger.join(timeout=10)

    assert answer.output == "rejected  UnlockFailed\n"
    assert answer.exit_code == 1


def test_nobody_has_to_wait(database, charger_id):
    answer = run(database, "command", "CP-1", "reset", "kind=soft", "--wait=0")

    assert answer.output == "queued\n"
    with database.reading() as session:
        [command] = session.scalars(select(ChargerCommand)).all()
    assert command.arguments == {"kind": "soft"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["unlock", "evse=9"], "evse: Choose a point of this charger."),
        (["reset", "soft"], "Write soft as name=value."),
        (["dance"], "'dance' is not one of"),
    ],
)
def test_a_command_that_cannot_be_says_why(database, charger_id, words, said):
    answer = run(database, "command", "CP-1", *words)

    assert answer.exit_code != 0
    assert said in answer.output
    with database.reading() as session:
        assert session.scalars(select(ChargerCommand)).all() == []


def test_those_who_wait_are_listed(database):
    with database.transaction() as session:
        park(
            session,
            identity="NEW-1",
            protocol=Protocol.OCPP16,
            address="",
            key=b"0" * 16,
            boot=None,
            now=utc_now(),
        )

    assert run(database, "parked").output.split()[:2] == ["NEW-1", "ocpp1.6"]
