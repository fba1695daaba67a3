"""What chargers say, stored before it is answered, beside what stores nothing."""

from collections.abc import Callable, Sequence

from sqlalchemy import text

from evcharge.bench.databases import Databases
from evcharge.bench.fill import fill
from evcharge.bench.fleet import Fleet
from evcharge.bench.lab import Lab
from evcharge.bench.measures import Measured, in_turns
from evcharge.bench.programs import Program
from evcharge.bench.results import (
    Fact,
    Result,
    Speed,
    WrongAnswers,
    check,
    compared,
    reference,
)
from evcharge.bench.talk import Talk, talk
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database

CHARGERS = 200
ROUNDS = 3
SECONDS = 1.5
ANSWERED = 3  # A CALLRESULT; a CALLERROR is 4.
AT_LEAST = 0.35
TURNS = 10_000  # More than a charger has in a round.
# SQLite serves one program only.
COMMANDS = {"SQLite": "serve", "PostgreSQL": "gateway"}

# What was answered is there; how things are is what each said last.
KEPT = (
    "SELECT count(*) FROM charger_messages WHERE action = :action AND body LIKE '[2,%'"
)
STALE = """
    SELECT count(*) FROM connectors
    JOIN (SELECT charger_id, max(id) AS id FROM charger_messages
          WHERE action = 'StatusNotification' AND body LIKE '[2,%'
          GROUP BY charger_id) AS latest ON latest.charger_id = connectors.id
    JOIN charger_messages ON charger_messages.id = latest.id
    WHERE charger_messages.body NOT LIKE '%"info":"' || error_info || '"%'
"""
SAMPLES = "SELECT count(*) FROM meter_samples"
# Each sample is a turn's, and the energy is that of the last.
BEHIND = """
    SELECT count(*) FROM charging_sessions WHERE energy_wh <>
    (SELECT max(energy_wh) FROM meter_samples
     WHERE meter_samples.session_id = charging_sessions.id)
"""


def ocpp_status(lab: Lab) -> Result:
    title = f"A status that is kept before it is answered, {CHARGERS} chargers"
    return _row(lab, title, "status", at_least=AT_LEAST)


def ocpp_meter(lab: Lab) -> Result:
    title = f"Meter values of a transaction, likewise, {CHARGERS} chargers"
    return _row(lab, title, "meter", at_least=None)


def _row(lab: Lab, title: str, about: str, *, at_least: float | None) -> Result:
    speeds: list[Speed] = []
    facts: list[Fact] = []
    for kind in lab.kinds:
        _measure(lab, kind, about, at_least, speeds, facts)
        lab.stop_programs()
    return Result(title, speeds, facts)


def _measure(
    lab: Lab,
    kind: Databases,
    about: str,
    at_least: float | None,
    speeds: list[Speed],
    facts: list[Fact],
) -> None:
    rounds = 2 if lab.quick else ROUNDS
    url = lab.migrated(kind)
    fill([url], Fleet(utc_now(), CHARGERS))
    command = COMMANDS[kind.name]
    programs = {
        "echo": lab.start("-m", "evcharge.bench.echo"),
        "ours": lab.start(command, database_url=url),
    }
    lab.say(f"  {kind.name}: {rounds} rounds of echo, {command}")
    crews = {
        name: _crew(lab, program.wait_for(), about)
        for name, program in programs.items()
    }
    warm = [crew() for crew in crews.values()]
    found = in_turns(crews, rounds)
    lab.stop_programs()
    for each in found.values():
        check(each, ANSWERED)
    told = [warm[-1], *found["ours"]]
    speeds.append(reference(f"{kind.name}, nothing kept", found["echo"]))
    name = f"{kind.name}, `{command}`"
    speeds.append(compared(name, found["ours"], found["echo"], at_least=at_least))
    facts.append(_kept(kind, url, about, sum(len(each.latencies) for each in told)))
    facts.append(_share(kind, found["ours"]))


def _crew(lab: Lab, program: Program, about: str) -> Callable[[], Measured]:
    """Each call is a round: they connect, talk, and go."""
    turn = 0
    seconds = 0.5 if lab.quick else SECONDS

    def go() -> Measured:
        nonlocal turn
        turn += TURNS
        pids = program.processes()
        plan = Talk(program.port, pids, CHARGERS, seconds, about, turn)
        return lab.elsewhere(talk, plan)

    return go


def _kept(kind: Databases, url: str, about: str, answered: int) -> Fact:
    """Raises: WrongAnswers, if anything answered is missing."""
    database = Database(url)
    try:
        with database.reading() as session:
            ask = session.scalar
            if about == "status":
                kept = ask(text(KEPT), {"action": "StatusNotification"})
                stale = ask(text(STALE))
            else:
                kept = ask(text(SAMPLES))
                stale = ask(text(BEHIND))
    finally:
        database.engine.dispose()
    if kept != answered or stale:
        raise WrongAnswers(f"{answered} answered, {kept} kept; {stale} not as told")
    return Fact(
        f"{kind.name}: answered, and afterwards in the database",
        f"{answered:,}, {kept:,}",
        "all",
        True,
    )


def _share(kind: Databases, rounds: Sequence[Measured]) -> Fact:
    """How much of a core the clients took, which share the machine."""
    seconds = sum(each.seconds for each in rounds)
    busy = sum(each.cpu_seconds for each in rounds) / seconds
    return Fact(f"{kind.name}: a core's time taken by the clients", f"{busy:.0%}")
