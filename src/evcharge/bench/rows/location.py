"""One location: its page, what the API tells of it, and when an EVSE is free."""

from datetime import datetime, timedelta

from evcharge.app import create_app
from evcharge.bench.databases import Databases
from evcharge.bench.lab import Lab
from evcharge.bench.load import http_request
from evcharge.bench.measures import summary
from evcharge.bench.programs import SECRET, Program
from evcharge.bench.results import Fact, Result, Speed, check, compared, reference
from evcharge.bench.rows.town import bearer, rfc3339
from evcharge.bench.tape import record, statements
from evcharge.bench.world import LARGE, World
from evcharge.kernel.clock import utc_now
from evcharge.kernel.settings import read_settings
from evcharge.wiring import open_database

LOCATIONS = 2_000
DRIVERS = 500  # Each may make 600 calls a minute.
CLIENTS = 8
ROUNDS = 3
SECONDS = 0.5
MOST_CPU_MS = 12.0
MOST_STATEMENTS = 8
EVSE = 1  # Where the world counts from: one of the large location.
PAGE = f"/locations/{LARGE}"


def location(lab: Lab) -> Result:
    world = World(utc_now(), LOCATIONS, DRIVERS)
    urls = lab.filled(world)
    speeds: list[Speed] = []
    facts: list[Fact] = []
    for kind in lab.kinds:
        lab.say(f"  {kind.name}: a page and two calls")
        _measure(lab, kind, urls[kind.name], world.now, speeds, facts)
        lab.stop_programs()
    return Result(f"A location with six EVSEs, {CLIENTS} clients", speeds, facts)


def _measure(
    lab: Lab,
    kind: Databases,
    url: str,
    now: datetime,
    speeds: list[Speed],
    facts: list[Fact],
) -> None:
    facts.append(_statements(kind, url))
    ours = lab.start("serve", database_url=url).wait_for()
    constant = lab.start_other("evcharge.bench.constant", url).wait_for()
    day = f"from={rfc3339(now)}&to={rfc3339(now + timedelta(days=1))}"
    for name, path in {
        "the page": PAGE,
        "REST, the location": f"/api/v1{PAGE}",
        "REST, a day of an EVSE": f"/api/v1/evses/{EVSE}/availability?{day}",
    }.items():
        speeds += _beside(lab, f"{kind.name}: {name}", path, ours, constant)
    each_ms = _cpu_ms(lab, ours, PAGE)
    facts += [
        Fact(
            f"{kind.name}: CPU of the server for the page",
            f"{each_ms:.1f} ms",
            f"≤ {MOST_CPU_MS:g} ms",
            each_ms <= MOST_CPU_MS,
        ),
        Fact(
            f"{kind.name}: the same for the first page",
            f"{_cpu_ms(lab, ours, '/'):.1f} ms",
        ),
    ]


def _beside(
    lab: Lab, name: str, path: str, ours: Program, constant: Program
) -> tuple[Speed, Speed]:
    size = len(ours.get(path, bearer(1)))
    found = lab.drive_in_turns(
        {
            "constant": (constant, [http_request("GET", f"/constant/{size}")]),
            "ours": (ours, _requests(path)),
        },
        CLIENTS,
        seconds=0.2 if lab.quick else SECONDS,
        rounds=2 if lab.quick else ROUNDS,
    )
    for each in found.values():
        check(each, 200)
    return (
        reference(f"{name}, constant of {size:,} B", found["constant"]),
        compared(name, found["ours"], found["constant"]),
    )


def _requests(path: str) -> list[bytes]:
    return [
        http_request("GET", path, bearer(number)) for number in range(1, DRIVERS + 1)
    ]


def _cpu_ms(lab: Lab, program: Program, path: str) -> float:
    """One client, so that nothing but this page is worked on."""
    asked = 50 if lab.quick else 200
    found = lab.drive(program, [http_request("GET", path)] * asked, 1)
    check([found], 200)
    return summary([found]).cpu_ms


def _statements(kind: Databases, url: str) -> Fact:
    settings = read_settings(database_url=url, secret_key=SECRET)
    database = open_database(settings)
    client = create_app(settings, database).test_client()
    # The second time: the first looks up what is then known.
    _, tape = record(database.engine, [lambda: client.get(PAGE)] * 2)
    database.engine.dispose()
    number = len(statements(tape))
    return Fact(
        f"{kind.name}: statements for the page",
        str(number),
        f"≤ {MOST_STATEMENTS}",
        number <= MOST_STATEMENTS,
    )
