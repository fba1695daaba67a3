"""What runs behind the pages."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from evcharge.kernel.jobs import Job
from evcharge.reports.rules import JobState


def count_jobs(session: Session, *, now: datetime) -> dict[JobState, int]:
    state = _state(now).label("state")
    counted = select(state).subquery()
    rows = session.execute(
        select(counted.c.state, func.count()).group_by(counted.c.state)
    )
    return dict.fromkeys(JobState, 0) | {JobState(word): count for word, count in rows}


def jobs_that_are(
    session: Session, state: JobState, *, limit: int, offset: int, now: datetime
) -> Sequence[Job]:
    """Return a page of jobs: what ended, the latest first; else what is due first."""
    is_over = state in (JobState.FAILED, JobState.DONE)
    order = Job.finished_at.desc() if is_over else Job.due_at.asc()
    return session.scalars(
        select(Job)
        .where(_state(now) == state.value)
        .order_by(order, Job.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


def _state(now: datetime) -> ColumnElement[str]:
    is_over = Job.finished_at.is_not(None)
    return case(
        (and_(is_over, Job.failure.is_not(None)), "failed"),
        (is_over, "done"),
        (Job.leased_until > now, "running"),
        else_="waiting",
    )
