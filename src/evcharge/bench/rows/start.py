"""How soon is it there, and how much must a phone fetch to see the first page?"""

import re
import urllib.request
from statistics import median
from time import perf_counter
from urllib.parse import urljoin

from evcharge.bench.databases import Databases
from evcharge.bench.lab import Lab
from evcharge.bench.programs import Program
from evcharge.bench.results import Fact, Result

STARTS = 2
COMMANDS: dict[str, list[tuple[str, ...]]] = {
    "SQLite": [("serve",)],
    "PostgreSQL": [("serve",), ("web", "--workers", "2")],
}
MOST_BYTES = 150_000
# What a page, a stylesheet and a module name, to be fetched with them.
NAMED = re.compile(
    r"""href="([^"#]+\.(?:css|svg)[^"#]*)"""
    r"""|src="(/[^"]+)"""
    r"""|url\(["']?([^"')#]+\.(?:woff2|svg|png))"""
    r"""|(?:from|import) *["']([^"']+\.js)["']"""
)


def start(lab: Lab) -> Result:
    facts = [
        _program(lab, kind, *words)
        for kind in lab.kinds
        for words in COMMANDS[kind.name]
    ]
    lab.say("  evcharge demo, from nothing")
    return Result("Starting", facts=facts + _demo(lab))


def _program(lab: Lab, kind: Databases, *words: str) -> Fact:
    name = f"`evcharge {' '.join(words)}`, {kind.name}"
    starts = 1 if lab.quick else STARTS
    lab.say(f"  {name}: {starts} × until it answers")
    url = lab.migrated(kind)
    seconds = []
    for _ in range(starts):
        began = perf_counter()
        lab.start(*words, database_url=url).wait_for()
        seconds.append(perf_counter() - began)
        lab.stop_programs()
    return _fact(f"{name}: start to first answer", seconds)


def _fact(name: str, seconds: list[float]) -> Fact:
    spread = f" ({min(seconds):.2f}–{max(seconds):.2f})" if len(seconds) > 1 else ""
    return Fact(name, f"{median(seconds):.2f} s{spread}")


def _demo(lab: Lab) -> list[Fact]:
    began = perf_counter()
    program = lab.start("demo").wait_for()
    seconds = perf_counter() - began
    files, total = first_page(program)
    return [
        _fact("`evcharge demo`, first start", [seconds]),
        Fact(
            f"First page, {files} files as they travel (gzip)",
            f"{total / 1000:.0f} KB",
            f"≤ {MOST_BYTES // 1000} KB",
            total <= MOST_BYTES,
        ),
    ]


def first_page(program: Program) -> tuple[int, int]:
    """Return how many files the first page names, in turn, and their bytes.

    Heads of answers count too. A browser fetches no more than that; the journeys of
    the tests weigh it in a real one.
    """
    waiting, sizes = [program.url("/")], dict[str, int]()
    while waiting:
        address = waiting.pop()
        if address in sizes:
            continue
        text, sizes[address] = _fetch(address)
        for found in NAMED.finditer(text):
            named = urljoin(address, next(filter(None, found.groups())))
            waiting.append(named)
    return len(sizes), sum(sizes.values())


def _fetch(address: str) -> tuple[str, int]:
    """Return the text, and how many bytes come over the wire with gzip."""
    asked = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})  # noqa: S310
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        size = len(answer.read()) + len(str(answer.headers))
    with urllib.request.urlopen(address) as answer:  # noqa: S310
        return answer.read().decode(errors="replace"), size
