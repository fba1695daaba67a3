import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evcharge.kernel import jobs
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.jobs import (
    DONE_JOBS_ARE_KEPT,
    LEASE,
    MOST_ATTEMPTS,
    Job,
    JobNotFailed,
    JobNotFound,
    LeaseLost,
    Schedule,
    backlog,
    enqueue,
    enqueue_scheduled,
    failed_jobs,
    purge_jobs,
    release_leases,
    renew,
    retry_job,
    run_next,
)
from make import NOON

MINUTE = timedelta(minutes=1)
LATER = timedelta(days=365 * 20)  # Handlers' ends are on the real clock.


class Crash(BaseException):
    """The process dies here: nothing of ours gets to clean up."""


def crash(_database: Database, **_details: Any) -> None:
    raise Crash


def fail(_database: Database, **_details: Any) -> None:
    raise RuntimeError("the mail server is away")


def succeed(_database: Database, **_details: Any) -> None:
    pass


def enqueue_one(database: Database, name: str = "mail", **details: Any) -> int:
    with database.transaction() as session:
        enqueue(session, name, now=NOON, **details)
        session.flush()
        return session.scalars(select(Job.id).order_by(Job.id.desc())).first() or 0


def stored(database: Database, job_id: int) -> Job:
    with database.reading() as session:
        return session.get_one(Job, job_id)


def give_up(database: Database, handler: Callable[..., None] = fail) -> int:
    """A job that has failed on its last try."""
    job_id = enqueue_one(database)
    for _ in range(MOST_ATTEMPTS):
        assert run_next(database, {"mail": handler}, now=utc_now() + LATER)
    return job_id


def test_a_job_runs_with_its_details(database: Database) -> None:
    enqueue_one(database, booking="EV-1", to="a@example.com")
    seen: list[dict[str, Any]] = []

    was_busy = run_next(
        database, {"mail": lambda _db, **details: seen.append(details)}, now=NOON
    )

    assert was_busy
    assert seen == [{"booking": "EV-1", "to": "a@example.com"}]


def test_a_job_that_is_done_does_not_run_again(database: Database) -> None:
    job_id = enqueue_one(database)
    run_next(database, {"mail": succeed}, now=NOON)

    assert not run_next(database, {"mail": succeed}, now=NOON + 10 * LEASE)

    assert stored(database, job_id).finished_at is not None


def test_a_job_of_a_transaction_that_failed_never_was(database: Database) -> None:
    def change_and_fail(session: Session) -> None:
        enqueue(session, "mail", now=NOON)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.perform(change_and_fail)

    assert not run_next(database, {"mail": succeed}, now=NOON)


def test_the_longest_due_job_comes_first(database: Database) -> None:
    with database.transaction() as session:
        enqueue(session, "mail", now=NOON, number=2)
        enqueue(session, "mail", now=NOON - MINUTE, number=1)
    order: list[int] = []
    handlers = {"mail": lambda _db, number: order.append(number)}

    run_next(database, handlers, now=NOON)
    run_next(database, handlers, now=NOON)

    assert order == [1, 2]


def test_a_failed_try_is_followed_by_another_after_a_pause(
    database: Database,
) -> None:
    job_id = enqueue_one(database)

    run_next(database, {"mail": fail}, now=NOON)

    job = stored(database, job_id)
    assert "the mail server is away" in (job.failure or "")
    assert job.due_at > utc_now()
    assert not run_next(database, {"mail": succeed}, now=utc_now())
    assert run_next(database, {"mail": succeed}, now=job.due_at)
    assert stored(database, job_id).failure is None


def test_pauses_grow(database: Database) -> None:
    job_id = enqueue_one(database)
    pauses = []
    for _ in range(4):
        run_next(database, {"mail": fail}, now=utc_now() + LATER)
        pauses.append((stored(database, job_id).due_at - utc_now()).total_seconds())

    assert pauses == pytest.approx([10, 40, 160, 640], abs=3)


def test_a_repeating_job_waits_no_longer_than_its_own_turn(
    database: Database,
) -> None:
    job_id = enqueue_one(database)
    for _ in range(4):
        run_next(
            database,
            {"mail": fail},
            now=utc_now() + LATER,
            schedule={"mail": 30 * timedelta(seconds=1)},
        )

    assert stored(database, job_id).due_at <= utc_now() + timedelta(seconds=30)


def test_after_the_last_try_a_job_is_kept_as_failed(database: Database) -> None:
    job_id = give_up(database)

    assert not run_next(database, {"mail": succeed}, now=utc_now() + 2 * LATER)
    with database.reading() as session:
        assert [job.id for job in failed_jobs(session)] == [job_id]
        assert backlog(session) == jobs.Backlog(waiting=0, failed=1)


def test_a_failed_job_can_be_tried_again(database: Database) -> None:
    job_id = give_up(database)

    with database.transaction() as session:
        retry_job(session, job_id, now=NOON)

    assert run_next(database, {"mail": succeed}, now=NOON)
    with database.reading() as session:
        assert failed_jobs(session) == []


def test_only_failed_jobs_can_be_tried_again(database: Database) -> None:
    waiting = enqueue_one(database)

    with pytest.raises(JobNotFailed), database.transaction() as session:
        retry_job(session, waiting, now=NOON)
    with pytest.raises(JobNotFound), database.transaction() as session:
        retry_job(session, 10**12, now=NOON)


def test_a_job_nobody_can_handle_fails_and_is_kept(database: Database) -> None:
    job_id = enqueue_one(database, "unheard-of")

    run_next(database, {}, now=NOON)

    assert "unheard-of" in (stored(database, job_id).failure or "")


def test_a_job_runs_again_when_its_worker_died(database: Database) -> None:
    enqueue_one(database)
    with pytest.raises(Crash):
        run_next(database, {"mail": crash}, now=NOON)

    assert not run_next(database, {"mail": succeed}, now=NOON + LEASE / 2)
    assert run_next(database, {"mail": succeed}, now=NOON + LEASE)


def test_a_job_that_kills_every_worker_is_given_up(database: Database) -> None:
    job_id = enqueue_one(database)
    for number in range(MOST_ATTEMPTS):
        with pytest.raises(Crash):
            run_next(database, {"mail": crash}, now=NOON + number * LEASE)

    assert not run_next(database, {"mail": crash}, now=NOON + MOST_ATTEMPTS * LEASE)

    assert stored(database, job_id).failure == ("The program stopped during every try.")


def test_a_sole_program_frees_the_jobs_of_the_one_that_died(
    database: Database,
) -> None:
    enqueue_one(database)
    with pytest.raises(Crash):
        run_next(database, {"mail": crash}, now=NOON)

    release_leases(database)

    assert run_next(database, {"mail": succeed}, now=NOON)


def test_a_long_handler_keeps_its_job_by_renewing(database: Database) -> None:
    enqueue_one(database)
    was_taken: list[bool] = []

    def slow(database: Database) -> None:
        renew(database, now=NOON + LEASE / 2)
        was_taken.append(run_next(database, {"mail": succeed}, now=NOON + LEASE))

    run_next(database, {"mail": slow}, now=NOON)

    assert was_taken == [False]


def test_a_handler_that_outlived_its_lease_is_told_so(database: Database) -> None:
    job_id = enqueue_one(database)

    def too_slow(database: Database) -> None:
        assert run_next(database, {"mail": fail}, now=NOON + LEASE)
        with pytest.raises(LeaseLost):
            renew(database, now=NOON + LEASE)

    run_next(database, {"mail": too_slow}, now=NOON)

    # What the second worker wrote stands; the first had lost its say.
    assert stored(database, job_id).attempts == 2
    assert stored(database, job_id).finished_at is None


def test_two_workers_racing_run_each_of_200_jobs_once(database: Database) -> None:
    with database.transaction() as session:
        for number in range(200):
            enqueue(session, "mail", now=NOON, number=number)
    ran: Counter[int] = Counter()

    def work() -> None:
        while run_next(
            database, {"mail": lambda _db, number: ran.update([number])}, now=NOON
        ):
            pass

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    # A worker may see nothing due while the other holds the last row; then go on.
    work()
    assert ran == Counter(range(200))


def test_done_jobs_are_forgotten_after_a_week_and_failed_ones_are_not(
    database: Database,
) -> None:
    failed = give_up(database)
    done = enqueue_one(database)
    recent = enqueue_one(database)
    run_next(database, {"mail": succeed}, now=NOON)
    run_next(database, {"mail": succeed}, now=NOON)
    with database.transaction() as session:
        old = utc_now() - DONE_JOBS_ARE_KEPT - MINUTE
        session.get_one(Job, failed).finished_at = old
        session.get_one(Job, done).finished_at = old

    purge_jobs(database)

    with database.reading() as session:
        assert set(session.scalars(select(Job.id))) == {failed, recent}


def test_a_repeating_job_is_enqueued_when_it_is_due(database: Database) -> None:
    schedule = {"sweep": MINUTE}
    for seconds in (0, 30, 60, 90):
        enqueue_scheduled(database, schedule, now=NOON + seconds * timedelta(seconds=1))
        while run_next(database, {"sweep": succeed}, now=utc_now()):
            pass

    with database.reading() as session:
        created = list(session.scalars(select(Job.created_at).order_by(Job.id)))
    assert created == [NOON, NOON + MINUTE]


def test_a_repeating_job_leaves_nothing_behind_when_it_is_done(
    database: Database,
) -> None:
    kept = enqueue_one(database)
    schedule = {"sweep": MINUTE}
    for minutes in range(3):
        enqueue_scheduled(database, schedule, now=NOON + minutes * MINUTE)
        handlers = {"sweep": succeed, "mail": succeed}
        while run_next(database, handlers, now=utc_now(), schedule=schedule):
            pass

    with database.reading() as session:
        assert list(session.scalars(select(Job.id))) == [kept]


def test_a_repeating_job_that_failed_is_kept_until_somebody_looks(
    database: Database,
) -> None:
    schedule = {"mail": MINUTE}
    enqueue_scheduled(database, schedule, now=NOON)
    for tried in range(1, MOST_ATTEMPTS + 1):
        run_next(
            database, {"mail": fail}, now=utc_now() + tried * LATER, schedule=schedule
        )

    with database.reading() as session:
        assert [job.name for job in failed_jobs(session)] == ["mail"]


def test_a_repeating_job_that_another_worker_has_now_is_left_alone(
    database: Database,
) -> None:
    schedule = {"mail": MINUTE}
    enqueue_scheduled(database, schedule, now=NOON)

    def too_slow(_database: Database) -> None:
        with pytest.raises(Crash):
            run_next(
                database, {"mail": crash}, now=utc_now() + LEASE, schedule=schedule
            )

    run_next(database, {"mail": too_slow}, now=utc_now(), schedule=schedule)

    with database.reading() as session:
        (job,) = session.scalars(select(Job))
    assert job.attempts == 2


def test_a_repeating_job_does_not_pile_up(database: Database) -> None:
    for minutes in range(3):
        enqueue_scheduled(database, {"sweep": MINUTE}, now=NOON + minutes * MINUTE)

    with database.reading() as session:
        assert len(session.scalars(select(Job)).all()) == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_of_many_workers_one_enqueues_a_repeating_job(
    database: Database, is_first: bool
) -> None:
    if not is_first:
        with database.transaction() as session:
            session.add(Schedule(name="sweep", next_at=NOON))
    start = threading.Barrier(6)

    def ask() -> None:
        start.wait()
        enqueue_scheduled(database, {"sweep": MINUTE}, now=NOON)

    workers = [threading.Thread(target=ask) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    with database.reading() as session:
        assert len(session.scalars(select(Job)).all()) == 1
