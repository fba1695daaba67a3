"""The job program: what it survives and how it stops."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import text

from evcharge import worker as worker_program
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.jobs import enqueue
from evcharge.worker import Worker

PATIENCE_SECONDS = 20
Work = Callable[..., Worker]


@pytest.fixture
def work(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """Starts workers that end with the test, and look more often than others."""
    monkeypatch.setattr(worker_program, "IDLE_SECONDS", 0.1)
    workers: list[Worker] = []

    def start(handlers: dict[str, Any], *, threads: int = 1, **schedule: Any) -> Worker:
        worker = Worker(database, handlers=handlers, schedule=schedule, threads=threads)
        workers.append(worker)
        worker.start()
        return worker

    yield start
    for worker in workers:
        worker.ask_to_stop()
        worker.join(seconds=PATIENCE_SECONDS)


def ask(database: Database, name: str = "mail") -> None:
    with database.transaction() as session:
        enqueue(session, name, now=utc_now())


def rename(database: Database, old: str, new: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


def test_a_job_is_found_and_run(database: Database, work: Work) -> None:
    ran = Event()
    work({"mail": lambda _database: ran.set()})

    ask(database)

    assert ran.wait(PATIENCE_SECONDS)


def test_what_is_scheduled_runs(database: Database, work: Work) -> None:
    ran = Event()

    work({"sweep": lambda _database: ran.set()}, sweep=timedelta(hours=1))

    assert ran.wait(PATIENCE_SECONDS)


def test_work_goes_on_when_the_database_has_come_back(
    database: Database, work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    ran = Event()
    work({"mail": lambda _database: ran.set()})

    rename(database, "jobs", "elsewhere")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "trying again" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.05)
    rename(database, "elsewhere", "jobs")
    ask(database)

    assert "trying again" in caplog.text
    assert ran.wait(PATIENCE_SECONDS)


def test_as_many_jobs_run_at_once_as_there_are_threads(
    database: Database, work: Work
) -> None:
    begun, finish = [Event(), Event()], Event()

    def wait(_database: Database, number: int) -> None:
        begun[number].set()
        finish.wait(PATIENCE_SECONDS)

    work({"wait": wait}, threads=2)
    with database.transaction() as session:
        for number in range(2):
            enqueue(session, "wait", now=utc_now(), number=number)

    both = all(event.wait(PATIENCE_SECONDS) for event in begun)
    finish.set()
    assert both


def test_a_stop_lets_the_running_job_finish(database: Database, work: Work) -> None:
    begun, finished = Event(), Event()

    def take_a_while(_database: Database) -> None:
        begun.set()
        time.sleep(0.3)
        finished.set()

    worker = work({"mail": take_a_while})
    ask(database)
    assert begun.wait(PATIENCE_SECONDS)

    worker.ask_to_stop()
    worker.join(seconds=PATIENCE_SECONDS)

    assert finished.is_set()


def test_a_stop_waits_only_so_long(database: Database, work: Work) -> None:
    begun, finish = Event(), Event()

    def hang(_database: Database) -> None:
        begun.set()
        finish.wait(PATIENCE_SECONDS)

    worker = work({"mail": hang})
    ask(database)
    assert begun.wait(PATIENCE_SECONDS)
    asked_at = time.monotonic()

    worker.ask_to_stop()
    worker.join(seconds=0.2)

    waited = time.monotonic() - asked_at
    finish.set()
    assert waited < PATIENCE_SECONDS / 4
