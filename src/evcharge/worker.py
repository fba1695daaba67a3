"""The job program: runs due jobs and the timetable until told to stop."""

import logging
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic

from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.jobs import (
    Handlers,
    Timetable,
    enqueue_scheduled,
    release_leases,
    run_next,
)

log = logging.getLogger(__name__)

IDLE_SECONDS = 1


class Worker:
    """Threads that run jobs, and one that enqueues what the timetable says."""

    def __init__(
        self,
        database: Database,
        *,
        handlers: Handlers,
        schedule: Timetable,
        threads: int,
    ) -> None:
        self._database = database
        self._handlers = handlers
        self._schedule = schedule
        self._stop = Event()
        # None of them keeps the program alive: a job may hang, a stop must not.
        self._threads = [
            Thread(target=self._repeat, args=(task,), name=name, daemon=True)
            for name, task in [
                ("timetable", self._enqueue),
                *((f"jobs-{number}", self._run) for number in range(threads)),
            ]
        ]

    def start(self) -> None:
        if self._database.is_sqlite:  # No other program holds a lease that counts.
            release_leases(self._database)
        for thread in self._threads:
            thread.start()

    def ask_to_stop(self) -> None:
        """Begin nothing new. What runs goes on; see `join`."""
        self._stop.set()

    def join(self, *, seconds: float) -> None:
        """Wait so long at most. A job that takes longer runs again after a start."""
        deadline = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def _run(self) -> bool:
        return run_next(
            self._database, self._handlers, now=utc_now(), schedule=self._schedule
        )

    def _enqueue(self) -> bool:
        enqueue_scheduled(self._database, self._schedule, now=utc_now())
        return False

    def _repeat(self, task: Callable[[], bool]) -> None:
        while not self._stop.is_set():
            try:
                was_busy = task()
            except Exception:
                # The database may be away for a while; jobs wait for it.
                log.exception("the job queue cannot be worked on; trying again")
                was_busy = False
            if not was_busy:
                self._stop.wait(IDLE_SECONDS)
