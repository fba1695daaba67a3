"""Work that must happen after a commit, even if the process dies in between.

A job is a row written in the same transaction as the change that calls for it.
It runs at least once, so handlers must be safe to repeat.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from evcharge.kernel.db import Base, BigId, UtcDateTime


class Job(Base):
    """Due, then leased, then done; or kept as failed after its last try."""

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
    failure: Mapped[str | None] = mapped_column(String(2000))


class Schedule(Base):
    """When a repeating job is next due. Whoever moves `next_at` on enqueues it."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)


def enqueue(session: Session, name: str, *, now: datetime, **details: Any) -> None:
    """Ask for `wiring.JOBS[name](database, **details)` once this has committed."""
    session.add(Job(name=name, created_at=now, due_at=now, details=details))
