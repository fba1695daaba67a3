"""The job program: runs due jobs and the timetable until told to stop."""

import logging
from collections.abc import Callable
from threading import Event, Thread

from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.jobs import Handlers, Timetable, enqueue_scheduled, run_next

log = logging.getLogger(__name__)

IDLE_SECONDS = 1


def work(
    database: Database,
    stop: Event,
    *,
    handlers: Handlers,
    schedule: Timetable,
    threads: int,
) -> None:
    """Run jobs in so many threads; return when told to stop and the last is done."""

    def run() -> bool:
        return run_next(database, handlers, now=utc_now(), schedule=schedule)

    def enqueue() -> bool:
        enqueue_scheduled(database, schedule, now=utc_now())
        return False

    workers = [
        Thread(target=_repeat, args=(task, stop), name=f"jobs-{number}", daemon=True)
        for number, task in enumerate([enqueue, *[run] * threads])
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def _repeat(task: Callable[[], bool], stop: Event) -> None:
    while not stop.is_set():
        try:
            was_busy = task()
        except Exception:
            # The database may be away for a while; jobs wait for it.
            log.exception("the job queue cannot be worked on; trying again")
            was_busy = False
        if not was_busy:
            stop.wait(IDLE_SECONDS)
