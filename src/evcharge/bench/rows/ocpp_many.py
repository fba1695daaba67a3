"""Many chargers at once: ten thousand that are silent, five thousand that come back."""

from evcharge.bench.databases import Databases
from evcharge.bench.fill import fill
from evcharge.bench.fleet import Fleet
from evcharge.bench.lab import Lab
from evcharge.bench.programs import Program
from evcharge.bench.results import Fact, Result
from evcharge.bench.rows.ocpp import COMMANDS
from evcharge.bench.talk import Came, hold, raise_file_limit, storm
from evcharge.kernel.clock import utc_now

IDLE, QUICK_IDLE = 10_000, 300
IDLE_SECONDS = 5.0
STORM, QUICK_STORM = 5_000, 300
MB = 1_000_000
MOST_BYTES = 400 * MB


def ocpp_idle(lab: Lab) -> Result:
    count = QUICK_IDLE if lab.quick else IDLE
    kind = _last_kind(lab)
    lab.say(f"  {kind.name}: {count:,} chargers connect, and stay")
    program = _start(lab, kind, _filled(lab, kind, count))
    before = program.rss_bytes()
    stayed, after = lab.elsewhere(
        hold, program.port, program.processes(), count, IDLE_SECONDS
    )
    each = (after - before) / max(stayed, 1)
    facts = [
        Fact(f"Connected, of {count:,}", f"{stayed:,}", "all", stayed == count),
        Fact(
            f"`evcharge {COMMANDS[kind.name]}`, {kind.name}: before, with them",
            f"{before / MB:.0f} MB, {after / MB:.0f} MB",
            f"≤ {MOST_BYTES // MB} MB",
            after <= MOST_BYTES,
        ),
        Fact("For each charger", f"{each / 1000:.1f} KB"),
    ]
    return Result("Idle chargers (resident memory)", facts=facts)


def ocpp_storm(lab: Lab) -> Result:
    count = QUICK_STORM if lab.quick else STORM
    kind = _last_kind(lab)
    url = _filled(lab, kind, count)
    lab.say(f"  {kind.name}: {count:,} chargers come, and once more after a restart")
    came = []
    for _ in range(2):
        program = _start(lab, kind, url)
        pids = program.processes()
        came.append(lab.elsewhere(storm, program.port, pids, count))
        program.process.kill()
        lab.stop_programs()
    facts = [_came("The first time", came[0], count), _came("Again", came[1], count)]
    facts.append(
        Fact("Memory of it, then", f"{max(c.memory_bytes for c in came) / MB:.0f} MB")
    )
    title = f"{count:,} chargers at the same moment, each until its boot is answered"
    return Result(f"{title}, `evcharge {COMMANDS[kind.name]}`", facts=facts)


def _came(when: str, came: Came, count: int) -> Fact:
    told = f"{came.seconds:.1f} s, half of them {came.median_seconds:.1f} s"
    tries = f"{came.chargers:,} in {came.tries:,} tries"
    return Fact(f"{when}: all, {tries}", told, "all", came.chargers == count)


def _last_kind(lab: Lab) -> Databases:
    """PostgreSQL, unless only SQLite was asked for: so many want a gateway."""
    return lab.kinds[-1]


def _filled(lab: Lab, kind: Databases, chargers: int) -> str:
    url = lab.migrated(kind)
    fill([url], Fleet(utc_now(), chargers))
    return url


def _start(lab: Lab, kind: Databases, url: str) -> Program:
    raise_file_limit()  # What we start has the same.
    return lab.start(COMMANDS[kind.name], database_url=url).wait_for()
