"""How much memory do the programs take, before and after they had work?"""

from evcharge.bench.databases import Databases
from evcharge.bench.lab import Lab
from evcharge.bench.load import http_request
from evcharge.bench.results import Fact, Result, check
from evcharge.bench.world import LARGE, World
from evcharge.kernel.clock import utc_now

LOCATIONS = 1_000
CLIENTS = 16
SECONDS = 1.0
MB = 1_000_000
WHEN_UP = {"gateway": "evcharge is at", "worker": "evcharge runs jobs"}
PAGES = ("/", f"/locations/{LARGE}", f"/evses/{LARGE}/book")


def memory(lab: Lab) -> Result:
    urls = lab.filled(World(utc_now(), LOCATIONS, 1))
    facts = [
        fact for kind in lab.kinds for fact in _programs(lab, kind, urls[kind.name])
    ]
    return Result("Memory (resident, all processes of a program)", facts=facts)


def _programs(lab: Lab, kind: Databases, url: str) -> list[Fact]:
    lab.say(f"  {kind.name}: each program")
    facts = [_busy(lab, f"`evcharge serve`, {kind.name}", "serve", url=url)]
    if kind.name == "SQLite":  # Serves one program, and that is this one.
        return facts
    web = "web", "--workers", "2"
    facts.append(_busy(lab, f"`evcharge {' '.join(web)}`", *web, url=url))
    for name, words in WHEN_UP.items():
        program = lab.start(name, database_url=url).wait_to_say(words)
        facts.append(Fact(f"`evcharge {name}`, idle", _mb(program.rss_bytes())))
        lab.stop_programs()
    return facts


def _busy(lab: Lab, name: str, *words: str, url: str) -> Fact:
    program = lab.start(*words, database_url=url).wait_for()
    idle = program.rss_bytes()
    requests = [http_request("GET", path) for path in PAGES]
    seconds = 0.5 if lab.quick else SECONDS
    found = lab.drive(program, requests, CLIENTS, seconds=seconds, repeat=True)
    check([found], 200)
    busy = program.rss_bytes()
    lab.stop_programs()
    pages = f"{len(found.latencies):,} pages"
    return Fact(f"{name}: idle, after {pages}", f"{_mb(idle)}, {_mb(busy)}")


def _mb(count: int) -> str:
    return f"{count / MB:.0f} MB"
