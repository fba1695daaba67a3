"""Work that must happen after a commit, even if the process dies in between.

A job is a row written in the same transaction as the change that calls for it.
It runs at least once, so handlers must be safe to repeat.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Delete,
    Index,
    String,
    Update,
    delete,
    func,
    or_,
    select,
)
from sqlalchemy import update as update_rows
from sqlalchemy.orm import Mapped, Session, mapped_column

from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import (
    Base,
    BigId,
    Database,
    UtcDateTime,
    changed,
    insert_missing,
)
from evcharge.kernel.errors import Conflict, NotFound
from evcharge.kernel.metrics import JOBS

log = logging.getLogger(__name__)

Handler = Callable[..., None]
Handlers = Mapping[str, Handler]
Timetable = Mapping[str, timedelta]

MOST_ATTEMPTS = 8
# Ten seconds, then four times as long each time: eight tries take 15 hours.
FIRST_PAUSE = timedelta(seconds=10)
# How long one try may take without a word; `renew` is the word.
LEASE = timedelta(seconds=60)
DONE_JOBS_ARE_KEPT = timedelta(days=7)
LONGEST_FAILURE = 2_000


class Job(Base):
    """Due, then leased, then done; or kept as failed after its last try.

    One of the timetable leaves no row when it is done: there are thousands a day.
    Finished with a failure is failed for good; a failure alone will be tried again.
    """

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "finished_at", "due_at"),)

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(String(80))
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failure: Mapped[str | None] = mapped_column(String(LONGEST_FAILURE))


class Schedule(Base):
    """When a repeating job is next due. Whoever moves `next_at` on enqueues it."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)


class JobNotFound(NotFound):
    code = "job_not_found"
    message = "There is no such job."


class JobNotFailed(Conflict):
    code = "job_not_failed"
    message = "This job has not failed, so there is nothing to try again."


class LeaseLost(Conflict):
    code = "lease_lost"
    message = "The job took too long and was given to another worker."


def enqueue(
    session: Session,
    name: str,
    *,
    now: datetime,
    due_at: datetime | None = None,
    **details: Any,
) -> None:
    """Ask for `wiring.JOBS[name](database, **details)` once this has committed.

    `due_at`: not before then.
    """
    due_at = due_at or now
    session.add(Job(name=name, created_at=now, due_at=due_at, details=details))


def run_next(
    database: Database,
    handlers: Handlers,
    *,
    now: datetime,
    schedule: Timetable | None = None,
) -> bool:
    """Run the longest-due job, if there is one. Return whether there was."""
    job = _claim(database, now=now)
    if job is None:
        return False
    every = (schedule or {}).get(job.name)
    running = _running.set(job)
    try:
        handlers[job.name](database, **job.details)
    except Exception as error:
        log.exception("job %s (%s) failed, try %s", job.id, job.name, job.attempts)
        JOBS.labels(job.name, "failed").inc()
        _record(database, job, _after_failure(job, repr(error), every, now=utc_now()))
    else:
        _record(database, job, _after_success(every, now=utc_now()))
        JOBS.labels(job.name, "done").inc()
    finally:
        _running.reset(running)
    return True


_running: ContextVar[Job] = ContextVar("running_job")


def renew(database: Database, *, now: datetime) -> None:
    """Called by a long handler, at least every half minute, to keep its job.

    Raises: LeaseLost when another worker has it; stop then.
    """
    lease = update_rows(Job).values(leased_until=now + LEASE)
    if not _record(database, _running.get(), lease):
        raise LeaseLost


def _claim(database: Database, *, now: datetime) -> Job | None:
    with database.reading() as session:  # Most looks find nothing: no lock for those.
        if session.scalar(select(Job.id).where(*_due(now)).limit(1)) is None:
            return None
    return database.perform(lambda session: _claim_in(session, now=now))


def _claim_in(session: Session, *, now: datetime) -> Job | None:
    next_due = (
        select(Job)
        .where(*_due(now))
        .order_by(Job.due_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    while (job := session.scalar(next_due)) is not None:
        if job.attempts < MOST_ATTEMPTS:
            job.leased_until = now + LEASE
            job.attempts += 1
            return job
        # Every try ended without a word: this job takes its program down with it.
        job.finished_at = now
        job.failure = job.failure or "The program stopped during every try."
        session.flush()
    return None


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Job.finished_at.is_(None),
        Job.due_at <= now,
        or_(Job.leased_until.is_(None), Job.leased_until <= now),
    )


def _after_success(every: timedelta | None, *, now: datetime) -> Update | Delete:
    if every is not None:
        return delete(Job)
    return update_rows(Job).values(finished_at=now, leased_until=None, failure=None)


def _after_failure(
    job: Job, failure: str, every: timedelta | None, *, now: datetime
) -> Update:
    pause = FIRST_PAUSE * 4 ** (job.attempts - 1)
    return update_rows(Job).values(
        failure=failure[:LONGEST_FAILURE],
        leased_until=None,
        # A repeating job never waits longer than its own next turn.
        due_at=now + min(pause, every or pause),
        finished_at=now if job.attempts >= MOST_ATTEMPTS else None,
    )


def _record(database: Database, job: Job, change: Update | Delete) -> bool:
    """Write unless another worker has the job by now, which its tries tell."""
    statement = change.where(
        Job.id == job.id, Job.attempts == job.attempts, Job.finished_at.is_(None)
    )
    is_ours = database.perform(lambda session: changed(session, statement) == 1)
    if not is_ours:
        log.warning("job %s (%s) outlived its lease", job.id, job.name)
    return is_ours


def enqueue_scheduled(
    database: Database, schedule: Timetable, *, now: datetime
) -> None:
    """Enqueue what the timetable says is due. Any number of workers may ask at once."""
    with database.reading() as session:
        next_at = {row.name: row.next_at for row in session.scalars(select(Schedule))}
    for name, every in schedule.items():
        seen = next_at.get(name)
        if seen is None or seen <= now:
            database.perform(
                partial(_take_turn, name=name, seen=seen, every=every, now=now)
            )


def _take_turn(
    session: Session,
    *,
    name: str,
    seen: datetime | None,
    every: timedelta,
    now: datetime,
) -> None:
    if seen is None:
        row = {"name": name, "next_at": now + every}
        is_ours = insert_missing(session, Schedule, [row]) == 1
    else:
        unmoved = (Schedule.name == name) & (Schedule.next_at == seen)
        move = update_rows(Schedule).where(unmoved).values(next_at=now + every)
        is_ours = changed(session, move) == 1
    if is_ours and not _is_waiting(session, name):
        enqueue(session, name, now=now)


def _is_waiting(session: Session, name: str) -> bool:
    waiting = select(Job.id).where(Job.name == name, Job.finished_at.is_(None))
    return session.scalar(waiting.limit(1)) is not None


def release_leases(database: Database) -> None:
    """Let jobs of a program that died run at once.

    Only for a program that knows it is the only one.
    """
    free = update_rows(Job).where(Job.finished_at.is_(None)).values(leased_until=None)
    database.perform(lambda session: changed(session, free))


def purge_jobs(database: Database) -> None:
    """Forget jobs that were done a week ago. Failed ones stay until someone looks."""
    old = utc_now() - DONE_JOBS_ARE_KEPT
    done = delete(Job).where(Job.finished_at < old, Job.failure.is_(None))
    database.perform(lambda session: changed(session, done))


def failed_jobs(session: Session, *, limit: int = 100) -> Sequence[Job]:
    """Return the jobs that were given up, the latest first."""
    return session.scalars(
        select(Job).where(*_failed()).order_by(Job.finished_at.desc()).limit(limit)
    ).all()


def retry_job(session: Session, job_id: int, *, now: datetime) -> None:
    """Give a failed job all its tries again. Raises: JobNotFound, JobNotFailed."""
    again = {"finished_at": None, "attempts": 0, "due_at": now, "leased_until": None}
    retry = update_rows(Job).where(Job.id == job_id, *_failed()).values(again)
    if changed(session, retry) == 1:
        return
    raise JobNotFailed if session.get(Job, job_id) else JobNotFound


@dataclass(frozen=True)
class Backlog:
    """How many jobs wait to run, and how many were given up."""

    waiting: int
    failed: int


def backlog(session: Session) -> Backlog:
    def count(*conditions: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count(Job.id)).where(*conditions)) or 0

    return Backlog(waiting=count(Job.finished_at.is_(None)), failed=count(*_failed()))


def _failed() -> tuple[ColumnElement[bool], ...]:
    return Job.finished_at.is_not(None), Job.failure.is_not(None)
