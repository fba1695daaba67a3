"""Sixty-four drivers want one slot; beside it, as many want one each."""

from evcharge.bench.databases import Databases
from evcharge.bench.lab import Lab
from evcharge.bench.measures import Measured, summary
from evcharge.bench.results import Fact, Result, Speed, check, reference
from evcharge.bench.rows.town import HOLDS, Town
from evcharge.bookings.audit import discrepancies
from evcharge.kernel.db import Database

CLIENTS = 64
ROUNDS = 5
MOST = 2.0  # So much longer the slowest may wait when all want the same.
HOURS_AWAY = 100  # The slot all want is none that anybody has for themself.


def race(lab: Lab) -> Result:
    rounds = 2 if lab.quick else ROUNDS
    town = Town(lab, drivers=2 * (rounds + 1) * CLIENTS // HOLDS)
    speeds: list[Speed] = []
    facts: list[Fact] = []
    for kind in lab.kinds:
        lab.say(f"  {kind.name}: {rounds} rounds on one slot and on 64")
        _measure(lab, kind, town, rounds, speeds, facts)
    return Result("64 clients on one slot, and on 64 slots", speeds, facts)


def _measure(
    lab: Lab,
    kind: Databases,
    town: Town,
    rounds: int,
    speeds: list[Speed],
    facts: list[Fact],
) -> None:
    program = lab.start("serve", database_url=town.url(kind)).wait_for()
    one: list[Measured] = []
    many: list[Measured] = []
    for number in range(rounds + 1):
        first = 2 * number * CLIENTS
        middle, end = first + CLIENTS, first + 2 * CLIENTS
        hour = HOURS_AWAY + number
        wanted = town.race(first, middle, hour=hour), town.bookings(middle, end)
        for requests, found in zip(wanted, (one, many), strict=True):
            found.append(lab.drive(program, requests, CLIENTS))
    lab.stop_programs()
    # The first round warmed up: it counts for who won, not for how fast.
    check(one, 201, 409)
    check(many, 201)
    speeds.append(reference(f"{kind.name}, 64 slots", many[1:]))
    speeds.append(reference(f"{kind.name}, one slot", one[1:]))
    facts += _facts(kind, one, many, audit=_audit(town.url(kind)))


def _facts(
    kind: Databases, one: list[Measured], many: list[Measured], *, audit: int
) -> list[Fact]:
    winners = {measured.statuses.get(201, 0) for measured in one}
    told = "–".join(str(each) for each in sorted({min(winners), max(winners)}))
    slower = summary(one[1:]).p99_ms / summary(many[1:]).p99_ms
    return [
        Fact(
            f"{kind.name}: winners of a slot, in each of {len(one)} rounds",
            told,
            "1, always",
            winners == {1},
        ),
        Fact(
            f"{kind.name}: p99 on one slot, against 64",
            f"{slower:.2f} ×",
            f"≤ {MOST:g} ×",
            slower <= MOST,
        ),
        Fact(f"{kind.name}: findings of the audit", str(audit), "0", audit == 0),
    ]


def _audit(url: str) -> int:
    database = Database(url)
    with database.reading() as session:
        found = len(discrepancies(session))
    database.engine.dispose()
    return found
