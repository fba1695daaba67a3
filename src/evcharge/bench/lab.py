"""Everything a row needs to measure: databases, programs, clients. Nothing stays."""

import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cached_property
from itertools import count
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
from evcharge.bench.fill import fill
from evcharge.bench.load import Plan, drive
from evcharge.bench.measures import Measured
from evcharge.bench.programs import EVCHARGE, Program, start
from evcharge.bench.world import World

P = ParamSpec("P")
R = TypeVar("R")

# Loopback carries all of it, and nobody is limited but by what they pay or hold.
SETTINGS: dict[str, object] = {"rate_limits": "on"}


class Lab:
    """What one run of the benchmarks shares. Its rows come one after the other."""

    def __init__(
        self,
        stack: ExitStack,
        *,
        kinds: Sequence[str],
        quick: bool,
        say: Callable[[str], object],
    ) -> None:
        self.quick = quick
        self._kinds = kinds
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

    def filled(self, kind: Databases, world: World) -> str:
        url = self.migrated(kind)
        fill(url, world)
        return url

    def copy(self, kind: Databases, url: str) -> str:
        return kind.copy(url, next(self._names))

    # ── programs ─────────────────────────────────────────────────────────────────

    def start(self, *words: str, **settings: object) -> Program:
        """Start `evcharge …`, or with "-m" a module of ours; not yet waited for."""
        command = [sys.executable, *words] if words[0] == "-m" else [EVCHARGE, *words]
        given = SETTINGS | {"data_dir": self.folder / next(self._names)} | settings
        program = start(command, folder=self.folder, settings=given)
        self._running.append(program)
        return program

    def stop_programs(self) -> None:
        while self._running:
            self._running.pop().stop()

    # ── clients ──────────────────────────────────────────────────────────────────

    @cached_property
    def _elsewhere(self) -> ProcessPoolExecutor:
        # Spawned: a fork would share our connections.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(1, mp_context=context, initializer=_leave_interrupts)
        self._stack.callback(pool.shutdown, cancel_futures=True)
        return pool

    def elsewhere(
        self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run it in the process that belongs to the clients, and return its answer."""
        return self._elsewhere.submit(function, *args, **kwargs).result()

    def drive(self, plan: Plan) -> Measured:
        return self.elsewhere(drive, plan)


def _leave_interrupts() -> None:
    """Ctrl+C is for the process that started us, which then stops us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def open_lab(
    *, kinds: Sequence[str], quick: bool, say: Callable[[str], object]
) -> Iterator[Lab]:
    with ExitStack() as stack:
        yield Lab(stack, kinds=kinds, quick=quick, say=say)
