"""Booking through the REST API, beside the same statements in a bare loop."""

from collections.abc import Callable
from functools import partial

from evcharge.app import create_app
from evcharge.bench.databases import Databases
from evcharge.bench.lab import Lab
from evcharge.bench.measures import Measured, in_turns
from evcharge.bench.programs import SECRET, Program
from evcharge.bench.results import (
    Fact,
    Result,
    Speed,
    WrongAnswers,
    check,
    compared,
    reference,
)
from evcharge.bench.rows.town import BOOKINGS, HOLDS, Town
from evcharge.bench.tape import Tape, record, replay, statements
from evcharge.kernel.settings import read_settings
from evcharge.wiring import open_database

CLIENTS = 16
# Four threads of psycopg, as DESIGN says; SQLite has one writer anyway.
THREADS = {"SQLite": 1, "PostgreSQL": 4}
GOALS = {
    ("PostgreSQL", "serve"): 0.08,
    ("PostgreSQL", "web"): 0.15,
}
COMMANDS = {"serve": ("serve",), "web": ("web", "--workers", "2")}
ROUNDS = 4
SECONDS = 1.0
BLOCK = 2_500  # For a round: when they are gone, it ends.
RECORDED = 500


def booking(lab: Lab) -> Result:
    rounds = 2 if lab.quick else ROUNDS
    lab.say("  a network")
    town = Town(lab, drivers=(rounds + 1) * BLOCK // HOLDS)
    speeds: list[Speed] = []
    facts: list[Fact] = []
    for kind in lab.kinds:
        _measure(lab, kind, town, rounds, speeds, facts)
        lab.stop_programs()
    return Result(f"Booking through REST, {CLIENTS} clients", speeds, facts)


def _measure(
    lab: Lab,
    kind: Databases,
    town: Town,
    rounds: int,
    speeds: list[Speed],
    facts: list[Fact],
) -> None:
    lab.say(f"  {kind.name}: a recording of bookings")
    recorded = 60 if lab.quick else RECORDED
    tapes = tapes_of_bookings(lab.copy(kind, town.url(kind)), town, recorded)
    bookers = _bookers(lab, kind, town)
    threads = THREADS[kind.name]

    def bare() -> Measured:
        url = lab.copy(kind, town.url(kind))
        return lab.elsewhere(replay, url, tapes, threads=threads)

    lab.say(f"  {kind.name}: {rounds} rounds of bare, {', '.join(bookers)}")
    for book in bookers.values():
        book()  # Warms up.
    found = in_turns({"bare": bare} | bookers, rounds)
    name = f"{kind.name}, bare SQL, {threads} thread{'s' * (threads > 1)}"
    speeds.append(reference(name, found["bare"]))
    for way in bookers:
        check(found[way], 201)
        name = f"{kind.name}, `{' '.join(COMMANDS[way])}`"
        goal = GOALS.get((kind.name, way))
        speeds.append(compared(name, found[way], found["bare"], at_least=goal))
    facts.append(
        Fact(f"Statements for a booking, {kind.name}", str(len(statements(tapes[-1]))))
    )
    facts.append(_share(kind, [each for way in bookers for each in found[way]]))


def _bookers(
    lab: Lab, kind: Databases, town: Town
) -> dict[str, Callable[[], Measured]]:
    """Start each program on a copy of its own; the others idle when one is asked."""
    ways = ["serve"] if kind.name == "SQLite" else ["serve", "web"]
    programs = {
        way: lab.start(*COMMANDS[way], database_url=lab.copy(kind, town.url(kind)))
        for way in ways
    }
    return {
        way: _Booker(lab, program.wait_for(), town) for way, program in programs.items()
    }


class _Booker:
    """Each call is one round of bookings that nobody has asked for before."""

    def __init__(self, lab: Lab, program: Program, town: Town) -> None:
        self._lab, self._program, self._town = lab, program, town
        self._first = 0

    def __call__(self) -> Measured:
        first, self._first = self._first, self._first + BLOCK
        requests = self._town.bookings(first, self._first)
        seconds = 0.4 if self._lab.quick else SECONDS
        return self._lab.drive(self._program, requests, CLIENTS, seconds=seconds)


def tapes_of_bookings(url: str, town: Town, count: int) -> list[Tape]:
    """Book in this process, by the same door, and take down what is said."""
    settings = read_settings(database_url=url, secret_key=SECRET)
    database = open_database(settings)
    client = create_app(settings, database).test_client()

    def book(number: int) -> None:
        answer = client.post(
            BOOKINGS, headers=town.headers(number), json=town.body(*town.own(number))
        )
        if answer.status_code != 201:
            raise WrongAnswers(f"{answer.status}: {answer.text}")

    try:
        return record(
            database.engine, [partial(book, number) for number in range(count)]
        )
    finally:
        database.engine.dispose()


def _share(kind: Databases, rounds: list[Measured]) -> Fact:
    """How much of a core the clients took, which share the machine."""
    seconds = sum(each.seconds for each in rounds)
    busy = sum(each.cpu_seconds for each in rounds) / seconds
    return Fact(f"A core's time taken by the clients, {kind.name}", f"{busy:.0%}")
