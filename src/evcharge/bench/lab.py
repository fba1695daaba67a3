"""Everything a row needs to measure: databases, programs, clients. Nothing stays."""

import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from itertools import count
from multiprocessing.pool import Pool
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ParamSpec, TypeVar

from evcharge.bench.databases import (
    Databases,
    PostgresServer,
    SqliteFiles,
    migrate,
    postgres_server,
)
from evcharge.bench.fill import Source, fill
from evcharge.bench.load import LONGEST_SECONDS, Plan, drive
from evcharge.bench.measures import Measured, in_turns
from evcharge.bench.programs import EVCHARGE, Program, start, undisturbed

P = ParamSpec("P")
R = TypeVar("R")

PATIENCE_ELSEWHERE = 300  # Whatever it does is over long before, or it has died.


class Lab:
    """What one run of the benchmarks shares. Its rows come one after the other."""

    def __init__(
        self,
        stack: ExitStack,
        *,
        kinds: Sequence[str],
        settings: Mapping[str, object],
        quick: bool,
        say: Callable[[str], object],
    ) -> None:
        self.quick = quick
        self._kinds = kinds
        self._settings = settings
        self.say = say
        self.folder = Path(stack.enter_context(TemporaryDirectory(prefix="evbench-")))
        self._stack = stack
        self._names = (f"bench{number}" for number in count())
        self._running: list[Program] = []
        self._blank: dict[str, str] = {}
        stack.callback(self.stop_programs)

    # ── databases ────────────────────────────────────────────────────────────────

    @cached_property
    def sqlite(self) -> SqliteFiles:
        return SqliteFiles(self.folder)

    @cached_property
    def postgresql(self) -> PostgresServer:
        """Started when the first row asks for it. Raises: Unavailable."""
        self.say("Starting a PostgreSQL …")
        with undisturbed():
            return self._stack.enter_context(postgres_server())

    @property
    def kinds(self) -> list[Databases]:
        """SQLite and PostgreSQL, or the one that was asked for."""
        return [getattr(self, kind) for kind in self._kinds]

    def empty(self, kind: Databases) -> str:
        return kind.new(next(self._names))

    def migrated(self, kind: Databases) -> str:
        """A database with this version's tables. They are made once, then copied."""
        if kind.name not in self._blank:
            self._blank[kind.name] = self.empty(kind)
            migrate(self._blank[kind.name])
        return self.copy(kind, self._blank[kind.name])

    def filled(self, source: Source) -> dict[str, str]:
        """Return a database of each kind, by its name, that holds this world."""
        urls = {kind.name: self.migrated(kind) for kind in self.kinds}
        fill(list(urls.values()), source)
        return urls

    def copy(self, kind: Databases, url: str) -> str:
        return kind.copy(url, next(self._names))

    # ── programs ─────────────────────────────────────────────────────────────────

    def start(self, *words: str, **settings: object) -> Program:
        """Start `evcharge …`, or with "-m" a module of ours; not yet waited for."""
        command = [sys.executable, *words] if words[0] == "-m" else [EVCHARGE, *words]
        folder = self.folder / next(self._names)
        given = {"data_dir": folder, **self._settings, **settings}
        with undisturbed():
            program = start(command, folder=self.folder, settings=given)
            self._running.append(program)
        return program

    def start_other(self, module: str, url: str) -> Program:
        """Start another Flask program, behind the server that carries ours."""
        words = ("-m", "evcharge.bench.stack", "serve", module)
        return self.start(*words, database_url=url)

    def stop_programs(self) -> None:
        while self._running:
            self._running.pop().stop()

    # ── clients ──────────────────────────────────────────────────────────────────

    @cached_property
    def _elsewhere(self) -> Pool:
        # Spawned: a fork would share our connections.
        context = multiprocessing.get_context("spawn")
        with undisturbed():
            return self._stack.enter_context(context.Pool(1, _leave_interrupts))

    def elsewhere(
        self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run it in the process that belongs to the clients, and return its answer."""
        running = self._elsewhere.apply_async(function, args, kwargs)
        return running.get(PATIENCE_ELSEWHERE)

    def drive(
        self,
        program: Program,
        requests: Sequence[bytes],
        clients: int,
        *,
        seconds: float = LONGEST_SECONDS,
        repeat: bool = False,
    ) -> Measured:
        """Let so many clients send these requests, and again if they `repeat`."""
        plan = Plan(program.port, requests, clients, seconds, repeat)
        before = program.cpu_seconds()
        found = self.elsewhere(drive, plan)
        return replace(found, program_seconds=program.cpu_seconds() - before)

    def drive_in_turns(
        self,
        asked: Mapping[str, tuple[Program, Sequence[bytes]]],
        clients: int,
        *,
        seconds: float,
        rounds: int,
    ) -> dict[str, list[Measured]]:
        """Ask each over and over, in rounds, after one that only warms up."""
        runs = {
            name: partial(
                self.drive, program, requests, clients, seconds=seconds, repeat=True
            )
            for name, (program, requests) in asked.items()
        }
        for run in runs.values():
            run()
        return in_turns(runs, rounds)


def _leave_interrupts() -> None:
    """Ctrl+C is for the process that started us, which then stops us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def open_lab(
    *,
    kinds: Sequence[str],
    settings: Mapping[str, object],
    quick: bool,
    say: Callable[[str], object],
) -> Iterator[Lab]:
    stack = ExitStack()
    try:
        yield Lab(stack, kinds=kinds, settings=settings, quick=quick, say=say)
    finally:
        with undisturbed():
            stack.close()
