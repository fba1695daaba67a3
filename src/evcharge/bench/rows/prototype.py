"""The customer's first way, one counter for each charger, beside ours."""

from collections.abc import Callable

from flask import Flask

from evcharge.bench.databases import Databases
from evcharge.bench.lab import Lab
from evcharge.bench.load import http_request
from evcharge.bench.measures import Measured, in_turns, statuses
from evcharge.bench.programs import SECRET, Program
from evcharge.bench.prototype import prepare, program, sold
from evcharge.bench.results import Fact, Result, Speed, check, compared, reference
from evcharge.bench.rows.town import HOLDS, Town

CLIENTS = 16
SECONDS = 1.0
ROUNDS = 3
BLOCK = 2_000  # For a round: when they are gone, it ends.
RACES = 10
# The slots that all want are none that anybody has for themself.
HOURS_AWAY = 100


def prototype(lab: Lab) -> Result:
    races = 3 if lab.quick else RACES
    bookings = ROUNDS * BLOCK + races * CLIENTS
    town = Town(lab, drivers=bookings // HOLDS + 1)
    speeds: list[Speed] = []
    facts: list[Fact] = []
    for kind in lab.kinds:
        lab.say(f"  {kind.name}: bookings, and {races} races for one slot")
        theirs, ours = _Theirs(lab, kind, races), _Ours(lab, town, town.url(kind))
        _book(lab, kind, theirs, ours, speeds, facts)
        facts.append(_race(f"{kind.name}, one counter", theirs.race, races))
        facts.append(_race(f"{kind.name}, ours", ours.race, races, most=0))
        lab.stop_programs()
    title = "The customer's first way: read a counter, check it, write it"
    return Result(title, speeds, facts)


def _book(
    lab: Lab,
    kind: Databases,
    theirs: "_Theirs",
    ours: "_Ours",
    speeds: list[Speed],
    facts: list[Fact],
) -> None:
    found = in_turns(
        {"theirs": theirs.book, "ours": ours.book}, 1 if lab.quick else ROUNDS
    )
    check(found["ours"], 201)
    # Theirs may fail: SQLite, as it comes, tells them that it is locked.
    answers = statuses(found["theirs"])
    speeds.append(reference(f"{kind.name}: one counter", found["theirs"]))
    speeds.append(compared(f"{kind.name}: ours", found["ours"], found["theirs"]))
    failed = sum(number for status, number in answers.items() if status != 201)
    facts.append(
        Fact(
            f"{kind.name}, one counter: answers that were errors",
            f"{failed:,} of {answers.total():,}",
        )
    )


def _race(
    name: str, race: Callable[[int], int], races: int, *, most: int | None = None
) -> Fact:
    """`race` returns how many got the one slot."""
    oversold = sum(race(number) > 1 for number in range(races))
    value = f"{oversold} of {races}"
    is_met = None if most is None else oversold <= most
    goal = "" if most is None else str(most)
    return Fact(f"{name}: slots sold twice or more", value, goal, is_met)


class _Theirs:
    """Chargers of one slot, one for each race; then one for each client's bookings."""

    def __init__(self, lab: Lab, kind: Databases, races: int) -> None:
        url = lab.empty(kind)
        self._lab, self._races = lab, races
        self._app: Flask = program(url, SECRET)
        self._cookie = prepare(self._app, single=races, clients=CLIENTS)
        self._program: Program = lab.start_other(
            "evcharge.bench.prototype", url
        ).wait_for()

    def book(self) -> Measured:
        plenty = range(self._races + 1, self._races + CLIENTS + 1)
        seconds = 0.5 if self._lab.quick else SECONDS
        requests = [self._request(charger) for charger in plenty]
        return self._lab.drive(
            self._program, requests, CLIENTS, seconds=seconds, repeat=True
        )

    def race(self, number: int) -> int:
        """Return how many bookings one slot got."""
        charger = number + 1
        requests = [self._request(charger)] * CLIENTS
        self._lab.drive(self._program, requests, CLIENTS)
        return sold(self._app, charger)

    def _request(self, charger: int) -> bytes:
        return http_request("POST", f"/book/{charger}", {"Cookie": self._cookie}, {})


class _Ours:
    def __init__(self, lab: Lab, town: Town, url: str) -> None:
        self._lab, self._town = lab, town
        self._next = 0
        self._program = lab.start("serve", database_url=url).wait_for()

    def book(self) -> Measured:
        seconds = 0.5 if self._lab.quick else SECONDS
        requests = self._town.bookings(*self._numbers(BLOCK))
        return self._lab.drive(self._program, requests, CLIENTS, seconds=seconds)

    def race(self, number: int) -> int:
        """Return how many were told that the slot is theirs."""
        first, end = self._numbers(CLIENTS)
        requests = self._town.race(first, end, hour=HOURS_AWAY + number)
        found = self._lab.drive(self._program, requests, CLIENTS)
        check([found], 201, 409)
        return found.statuses[201]

    def _numbers(self, count: int) -> tuple[int, int]:
        first, self._next = self._next, self._next + count
        return first, self._next
