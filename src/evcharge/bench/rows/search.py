"""Finding a charger among 30 000 and 300 000, beside a route that looks for nothing."""

import json
import random
from collections.abc import Iterator
from datetime import timedelta

from evcharge.bench.databases import Databases
from evcharge.bench.lab import Lab
from evcharge.bench.load import http_request
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
from evcharge.bench.rows.town import bearer
from evcharge.bench.world import SEED, World
from evcharge.demo.places import places
from evcharge.kernel.clock import utc_now

SIZES = (30_000, 300_000)
QUICK_SIZES = (300, 3_000)
CLIENTS = 8
ROUNDS = 3
SECONDS = 0.6
AT_LEAST = 0.25
MOST_GROWTH = 3.0
LIMIT = 20
FILTERS = f"connector=ccs2&min_kw=50&limit={LIMIT}"
BOX_DEGREES = 0.2
# Many questions, by many drivers: 600 calls a minute are what one of them may make.
QUESTIONS = 1_000
DRIVERS = 500
LOCATIONS, MAP = "/api/v1/locations", "/api/v1/map"
RARE = f"connector=chademo&limit={LIMIT}"
# A country, a state and a town, each as wide as a screen at that zoom.
VIEWS = ((15.0, 5), (4.0, 8), (0.25, 12))


def search(lab: Lab) -> Result:
    found: dict[tuple[str, int], list[Speed]] = {}
    sizes = QUICK_SIZES if lab.quick else SIZES
    for locations in sizes:
        lab.say(f"  {locations:,} locations")
        urls = lab.filled(World(utc_now(), locations, DRIVERS))
        for kind in lab.kinds:
            lab.say(f"  {kind.name}: searches among {locations:,}")
            where = f"{kind.name}, {locations:,}"
            found[kind.name, locations] = _measure(lab, where, urls[kind.name])
            lab.stop_programs()
    speeds = [
        speed
        for kind in lab.kinds
        for locations in sizes
        for speed in found[kind.name, locations]
    ]
    facts = [
        _growth(kind, *(found[kind.name, locations][1] for locations in sizes))
        for kind in lab.kinds
    ]
    return Result(f"Search through REST with filters, {CLIENTS} clients", speeds, facts)


def _measure(lab: Lab, where: str, url: str) -> list[Speed]:
    constant = lab.start_other("evcharge.bench.constant", url).wait_for()
    ours = lab.start("serve", database_url=url).wait_for()
    size = _usual_size(lab, ours, list(_near(FILTERS)))
    same = [http_request("GET", f"/constant/{size}")]
    speeds: list[Speed] = []
    for questions in _questions():
        found = lab.drive_in_turns(
            {"constant": (constant, same)}
            | {name: (ours, asked) for name, asked in questions.items()},
            CLIENTS,
            seconds=0.3 if lab.quick else SECONDS,
            rounds=2 if lab.quick else ROUNDS,
        )
        for each in found.values():
            check(each, 200)
        if not speeds:
            about = f"{where}: constant of {size:,} B"
            speeds.append(reference(about, found["constant"]))
        speeds += [
            compared(
                f"{where}: {name}",
                found[name],
                found["constant"],
                at_least=AT_LEAST if name == GOAL else None,
            )
            for name in questions
        ]
        # From one address come no more than 6,000 calls a minute: it counts anew.
        ours.stop()
        ours = lab.start("serve", database_url=url).wait_for()
    return speeds


GOAL = "nearest 20"


def _questions() -> list[dict[str, list[bytes]]]:
    """Return what is asked in turns, the first part with what has a goal."""
    return [
        {GOAL: list(_near(FILTERS)), "map section": list(_boxes())},
        {
            "nearest 20 with a rare plug": list(_near(RARE)),
            "nearest 20 free at a time": list(_near(f"{FILTERS}&{_slot()}")),
            "clusters of a map": list(_views()),
        },
    ]


def _near(filters: str) -> Iterator[bytes]:
    for number, (lat, lon) in enumerate(_positions()):
        yield _get(f"{LOCATIONS}?near={lat:.5f},{lon:.5f}&{filters}", number)


def _slot() -> str:
    """An hour from the hour after next, as an address has it."""
    hour = utc_now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    ends_at = hour + timedelta(hours=1)
    return f"free_from={hour:%Y-%m-%dT%H:%M:%SZ}&free_to={ends_at:%Y-%m-%dT%H:%M:%SZ}"


def _views() -> Iterator[bytes]:
    for number, (lat, lon) in enumerate(_positions()):
        half, zoom = VIEWS[number % len(VIEWS)]
        box = f"{lon - half:.5f},{lat - half:.5f},{lon + half:.5f},{lat + half:.5f}"
        yield _get(f"{MAP}?bbox={box}&zoom={zoom}&connector=ccs2", number)


def _boxes() -> Iterator[bytes]:
    half = BOX_DEGREES / 2
    for number, (lat, lon) in enumerate(_positions()):
        box = f"{lon - half:.5f},{lat - half:.5f},{lon + half:.5f},{lat + half:.5f}"
        yield _get(f"{LOCATIONS}?bbox={box}&{FILTERS}", number)


def _positions() -> Iterator[tuple[float, float]]:
    rng = random.Random(SEED)  # noqa: S311 - the same questions each time.
    towns = places()
    for _ in range(QUESTIONS):
        town = rng.choice(towns)
        yield rng.gauss(town.lat, 0.1), rng.gauss(town.lon, 0.1)


def _get(path: str, number: int) -> bytes:
    return http_request("GET", path, bearer(number % DRIVERS + 1))


def _usual_size(lab: Lab, program: Program, requests: list[bytes]) -> int:
    """Return how long our answers are, on average. Raises: WrongAnswers."""
    town = places()[0]
    near = f"{LOCATIONS}?near={town.lat},{town.lon}&{FILTERS}"
    items = json.loads(program.get(near, bearer(1)))["items"]
    if len(items) != LIMIT:
        raise WrongAnswers(f"{len(items)} of {LIMIT} locations were found")
    found = lab.drive(program, requests[:100], CLIENTS)
    check([found], 200)
    return found.body_bytes // len(found.latencies)


def _growth(kind: Databases, small: Speed, large: Speed) -> Fact:
    growth = large.summary.median_ms / small.summary.median_ms
    return Fact(
        f"{kind.name}: median of the nearest 20, large against small",
        f"{growth:.1f} ×",
        f"≤ {MOST_GROWTH:g} ×",
        growth <= MOST_GROWTH,
    )
