"""From what a charger says to the page of whoever watches its location."""

from evcharge.bench.databases import Databases
from evcharge.bench.fill import fill
from evcharge.bench.fleet import Fleet, location_of
from evcharge.bench.lab import Lab
from evcharge.bench.measures import MS, percentile
from evcharge.bench.results import Fact, Result, WrongAnswers
from evcharge.bench.rows.ocpp import ANSWERED, COMMANDS
from evcharge.bench.watch import Watch, watch
from evcharge.kernel.clock import utc_now

CHARGERS, QUICK_CHARGERS = 1_000, 100
PER_LOCATION = 5
EVERY_SECONDS = 5.0
SECONDS = 6.0
MOST_MS = 250.0


def ocpp_live(lab: Lab) -> Result:
    chargers = QUICK_CHARGERS if lab.quick else CHARGERS
    facts = [_measure(lab, kind, chargers) for kind in lab.kinds]
    title = f"From a status to the open page, {chargers:,} chargers"
    return Result(title, facts=facts)


def _measure(lab: Lab, kind: Databases, chargers: int) -> Fact:
    fleet = Fleet(utc_now(), chargers, PER_LOCATION)
    url = lab.migrated(kind)
    fill([url], fleet)
    command = COMMANDS[kind.name]
    lab.say(f"  {kind.name}: {command}, watched")
    program = lab.start(command, database_url=url).wait_for()
    half = chargers // 2  # At places that are watched; the others talk at others.
    watched = [
        (number, location_of(fleet, number))
        for number in range(1, half + 1, PER_LOCATION)
    ]
    seconds = 2.0 if lab.quick else SECONDS
    others = range(half + 1, chargers + 1)
    plan = Watch(program.port, chargers, watched, others, seconds, EVERY_SECONDS)
    found = lab.elsewhere(watch, plan)
    lab.stop_programs()
    if found.errors or not found.latencies:
        raise WrongAnswers(f"hints that never came: {found.errors}")
    middle, most = (percentile(found.latencies, each) / MS for each in (50, 99))
    beside = found.statuses[ANSWERED] / found.seconds
    counted = f"{len(found.latencies):,} hints to {len(watched)} pages"
    return Fact(
        f"{kind.name}, `{command}`: {counted}, {beside:.0f} other statuses per s",
        f"p50 {middle:.1f} ms, p99 {most:.0f} ms",
        f"p99 ≤ {MOST_MS:g} ms",
        most <= MOST_MS,
    )
