import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import OperationalError, StatementError
from sqlalchemy.orm import Session

from evcharge.kernel import db
from evcharge.kernel.db import Database, changed, insert_missing
from evcharge.kernel.errors import Unavailable
from evcharge.kernel.jobs import Job, Schedule, enqueue
from evcharge.kernel.live import announce
from make import NOON


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """For what only SQLite does; it has no tables."""
    database = Database(f"sqlite:///{tmp_path}/alone.db")
    yield database
    database.engine.dispose()


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(Job.name).order_by(Job.id)))


def busy() -> OperationalError:
    return OperationalError("SELECT 1", {}, Exception("database is locked"))


def lost() -> OperationalError:
    return OperationalError("COMMIT", {}, Exception(), connection_invalidated=True)


def failing(times: int, error: Callable[[], Exception]) -> Callable[[Session], int]:
    """An action that fails so often and then returns how often it was tried."""
    tries: list[int] = []

    def act(session: Session) -> int:
        tries.append(1)
        enqueue(session, f"try {len(tries)}", now=NOON)
        if len(tries) <= times:
            raise error()
        return len(tries)

    return act


def test_a_block_that_succeeds_is_kept(database: Database) -> None:
    with database.transaction() as session:
        enqueue(session, "mail", now=NOON)

    assert names(database) == ["mail"]


def test_a_block_that_fails_leaves_nothing(database: Database) -> None:
    with pytest.raises(OperationalError):
        database.perform(failing(1, lost))

    assert names(database) == []


def test_what_a_reading_session_changes_is_thrown_away(database: Database) -> None:
    with database.reading() as session:
        enqueue(session, "mail", now=NOON)
        session.flush()

    assert names(database) == []


def test_hints_are_sent_once_each_and_only_after_the_commit(database: Database) -> None:
    sent: list[str] = []
    seen_by_others: list[list[str]] = []

    def publish(topics: list[str]) -> None:
        sent.extend(topics)
        seen_by_others.append(names(database))

    database.publish = publish
    with database.transaction() as session:
        enqueue(session, "mail", now=NOON)
        announce(session, "location:7")
        announce(session, "evse:8")
        announce(session, "location:7")

    assert sent == ["location:7", "evse:8"]
    assert seen_by_others == [["mail"]]


def test_hints_of_what_failed_are_not_sent(database: Database) -> None:
    sent: list[str] = []
    database.publish = sent.extend

    def act(session: Session) -> None:
        announce(session, "location:7")
        raise lost()

    with pytest.raises(OperationalError):
        database.perform(act)

    assert sent == []


def test_who_lost_a_race_for_locks_tries_again(database: Database) -> None:
    assert database.perform(failing(2, busy)) == 3

    assert names(database) == ["try 3"]


def test_who_loses_every_race_is_told_to_come_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "MOST_TRIES", 3)

    with pytest.raises(Unavailable):
        database.perform(failing(9, busy))

    assert names(database) == []


def test_a_lost_commit_is_repeated_only_where_that_does_no_harm(
    database: Database,
) -> None:
    with pytest.raises(OperationalError):
        database.perform(failing(1, lost))

    assert database.perform(failing(1, lost), repeatable=True) == 2


def test_who_waits_too_long_for_a_row_tries_again(database: Database) -> None:
    """Somebody else holds it for longer than PostgreSQL lets us wait."""
    with database.transaction() as session:
        session.add(Schedule(name="sweep", next_at=NOON))
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with database.transaction() as session:
            session.scalars(select(Schedule).with_for_update()).one()
            held.set()
            release.wait(2.5)

    def take(session: Session) -> str:
        return session.scalars(select(Schedule).with_for_update()).one().name

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    try:
        assert database.perform(take) == "sweep"
    finally:
        release.set()
        holder.join()


def test_writers_of_sqlite_do_not_wait_for_ever(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "WRITER_TURN_SECONDS", 0.05)

    with sqlite.transaction(), pytest.raises(Unavailable):
        sqlite.perform(lambda session: enqueue(session, "mail", now=NOON))


def test_only_rows_that_clash_with_none_are_inserted_and_counted(
    database: Database,
) -> None:
    rows = [{"name": name, "next_at": NOON} for name in ("one", "two")]
    with database.transaction() as session:
        assert insert_missing(session, Schedule, rows[:1]) == 1
        assert insert_missing(session, Schedule, rows) == 1
        assert insert_missing(session, Schedule, rows) == 0


def test_changes_are_counted(database: Database) -> None:
    with database.transaction() as session:
        for _ in range(3):
            enqueue(session, "mail", now=NOON)
        session.flush()

        assert changed(session, delete(Job).where(Job.name == "mail")) == 3


@pytest.mark.parametrize(
    "instant",
    [NOON, NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))],
    ids=["UTC", "India"],
)
def test_instants_come_back_as_aware_utc(database: Database, instant: Any) -> None:
    with database.transaction() as session:
        enqueue(session, "mail", now=instant)

    with database.reading() as session:
        stored = session.scalars(select(Job.due_at)).one()
    assert stored == NOON
    assert stored.tzinfo == UTC


def test_naive_instants_are_refused(database: Database) -> None:
    with pytest.raises(StatementError), database.transaction() as session:
        enqueue(session, "mail", now=datetime(2026, 1, 15))  # noqa: DTZ001


def test_sqlite_keeps_its_promises(sqlite: Database) -> None:
    with sqlite.engine.connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("foreign_keys", "journal_mode", "synchronous")
        }

    assert values == {"foreign_keys": 1, "journal_mode": "wal", "synchronous": 2}


def test_connections_that_broke_while_idle_are_replaced(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.is_sqlite:
        return  # It has no server that could go away.
    monkeypatch.setattr(db, "FRESH_SECONDS", 0)
    with database.reading() as one, database.reading() as other:
        one.scalar(text("SELECT 1"))
        other.scalar(text("SELECT 1"))
    with database.reading() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        with database.reading() as broken:
            assert broken.scalar(text("SELECT 1")) == 1


def test_a_connection_used_a_moment_ago_is_not_asked_whether_it_lives(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine may sleep for more than a second between two lines of this test.
    monkeypatch.setattr("evcharge.kernel.db.FRESH_SECONDS", 60)
    asked: list[object] = []
    monkeypatch.setattr(
        database.engine.dialect, "do_ping", lambda each: asked.append(each) or True
    )
    for _ in range(3):
        with database.reading() as session:
            session.scalar(text("SELECT 1"))

    assert asked == []
