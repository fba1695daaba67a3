"""Booking through the REST API, beside the same statements in a bare loop."""

from functools import partial

from evcharge.app import create_app
from evcharge.bench.databases import Databases
from evcharge.bench.lab import Lab
from evcharge.bench.load import Plan
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
SECONDS = 2.0


def booking(lab: Lab) -> Result:
    speeds: list[Speed] = []
    facts: list[Fact] = []
    for kind in lab.kinds:
        _measure(lab, kind, speeds, facts)
        lab.stop_programs()
    return Result("Booking through REST, 16 clients", speeds, facts)


def _measure(lab: Lab, kind: Databases, speeds: list[Speed], facts: list[Fact]) -> None:
    lab.say(f"  {kind.name}: a network, and a recording of bookings")
    rounds = 2 if lab.quick else 5
    # As many as the fastest can take in a round, or the round ends when they are gone.
    block = 300 if lab.quick else 2_500
    town = Town(lab, kind, drivers=(rounds + 1) * block // HOLDS)
    tapes = _tapes(lab.copy(kind, town.url), town, 60 if lab.quick else 1_000)
    ways = ["serve"] if kind.name == "SQLite" else ["serve", "web"]
    programs = {
        way: lab.start(*COMMANDS[way], database_url=lab.copy(kind, town.url))
        for way in ways
    }
    subjects = {
        way: _Booker(lab, program.wait_for(), town, block)
        for way, program in programs.items()
    }
    threads = THREADS[kind.name]

    def bare() -> Measured:
        url = lab.copy(kind, town.url)
        return lab.elsewhere(replay, url, tapes, threads=threads)

    lab.say(f"  {kind.name}: {rounds} rounds of bare, {', '.join(ways)}")
    for subject in subjects.values():
        subject.warm_up()
    found = in_turns({"bare": bare} | subjects, rounds)
    for way in ways:
        check(found[way], 201)

    name = f"{kind.name}, bare SQL, {threads} thread{'s' * (threads > 1)}"
    speeds.append(reference(name, found["bare"]))
    speeds += [
        compared(
            f"{kind.name}, `evcharge {' '.join(COMMANDS[way])}`",
            found[way],
            found["bare"],
            at_least=GOALS.get((kind.name, way)),
        )
        for way in ways
    ]
    number = len(statements(tapes[-1]))
    facts.append(Fact(f"Statements for a booking, {kind.name}", str(number)))
    facts.append(_share(kind.name, [each for way in ways for each in found[way]]))


class _Booker:
    """Each call is one round of bookings that nobody has asked for before."""

    def __init__(self, lab: Lab, program: Program, town: Town, block: int) -> None:
        self._lab, self._program, self._town = lab, program, town
        self._block, self._first = block, 0
        self._seconds = 0.4 if lab.quick else SECONDS

    def warm_up(self) -> None:
        self(seconds=self._seconds / 2)

    def __call__(self, *, seconds: float | None = None) -> Measured:
        first, self._first = self._first, self._first + self._block
        requests = self._town.bookings(first, self._first)
        plan = Plan(
            self._program.port, requests, CLIENTS, seconds=seconds or self._seconds
        )
        return self._lab.drive(plan)


def _tapes(url: str, town: Town, count: int) -> list[Tape]:
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

    tapes = record(database.engine, [partial(book, number) for number in range(count)])
    database.engine.dispose()
    return tapes


def _share(name: str, rounds: list[Measured]) -> Fact:
    """How much of a core the clients took, which share the machine."""
    busy = sum(each.cpu_seconds for each in rounds) / sum(
        each.seconds for each in rounds
    )
    return Fact(f"A core's time taken by the clients, {name}", f"{busy:.0%}")
