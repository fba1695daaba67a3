"""Many chargers' messages, one commit.

A message is answered when it is stored. With a commit for each, the disk would decide
how many chargers there may be; so threads take all that waits, do it in one
transaction, and wake everybody who waited for it. See docs/decisions/0013.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from threading import Condition, Event, Thread
from time import monotonic
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from evcharge.control.rules import LoggedMessage
from evcharge.control.service import record_messages
from evcharge.kernel.errors import DomainError, Unavailable
from evcharge.kernel.metrics import GROUP_COMMIT_SECONDS, GROUP_COMMITS

log = logging.getLogger(__name__)

Record = Callable[[Session, list[Any]], Sequence[Any] | None]
Transaction = Callable[[], AbstractContextManager[Session]]
Before = Callable[[Session, list["Item"]], None]

PATIENCE_SECONDS = 20  # Then a charger is told to try again.
TICK_SECONDS = 1  # How long what nobody waits for may lie about.
RETRY_SECONDS = 0.5
SECONDS_BETWEEN_WARNINGS = 60
MOST_ITEMS = 500
# What is done one by one locks more: many in one transaction would hold others up.
MOST_SINGLES = 32
MOST_NOTES = 20_000
MOST_FAILURES = 3  # Of a batch; then each of its items has a transaction of its own.


@dataclass(slots=True, eq=False)
class Item:
    """One thing to record, and who waits for it.

    `record` takes the values of many items at once, `single` is done by itself. An
    item with neither is there for its message.
    """

    waiter: "asyncio.Future[Any]"
    expires: float
    record: Record | None = None
    value: Any = None
    single: Callable[[Session], Any] | None = None
    message: LoggedMessage | None = None
    charger_id: int | None = None
    generation: int = 0
    outcome: Any = None
    error: Exception | None = None


class StaleConnection(Exception):
    """The charger has connected again: nobody listens on this socket any more."""


class NotRecorded(Unavailable):
    """A bug of ours, most likely; it is in the log."""

    code = "not_recorded"
    message = "This could not be recorded. Try again later."


class GroupFailed(Exception):
    """These items could not be recorded together."""

    def __init__(self, items: list[Item], error: Exception) -> None:
        super().__init__(str(error))
        self.items = items
        self.error = error


@dataclass
class Batch:
    items: list[Item]
    notes: list[LoggedMessage]


class GroupCommit:
    """Is asked on one event loop; works in threads of its own.

    One that fails hurts nobody else: what could not be recorded together is done
    again one by one, in a thread that nobody else waits for.
    """

    def __init__(
        self,
        transaction: Transaction,
        perform: Callable[[Callable[[Session], None]], None],
        *,
        before: Before = lambda session, items: None,
        threads: int = 1,
        name: str = "commits",
    ) -> None:
        """`before` comes first in each transaction, and may refuse items."""
        self._transaction = transaction
        self._perform = perform
        self._before = before
        self._waiting: deque[Item] = deque()
        self._alone: deque[Item] = deque()
        self._notes: deque[LoggedMessage] = deque(maxlen=MOST_NOTES)
        self._expiring: deque[Item] = deque()  # The loop's own.
        # One for each kind of thread: a call must not wake the wrong one.
        self._changed, self._left = Condition(), Condition()
        self._notes_are_due = False
        self._stopping = Event()
        self._warned_at = -float(SECONDS_BETWEEN_WARNINGS)
        tasks = [(self._work, number) for number in range(threads)]
        self._threads = [
            Thread(target=task, name=f"{name}-{number}", daemon=True)
            for task, number in [*tasks, (self._work_alone, "alone")]
        ]

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._tick()
        for thread in self._threads:
            thread.start()

    def stop(self, *, seconds: float) -> None:
        """Finish what waits, within this time."""
        self._stopping.set()
        for condition in (self._changed, self._left):
            with condition:
                condition.notify_all()
        deadline = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))

    def add(self, **details: Any) -> "asyncio.Future[Any]":
        """Give an `Item` of these; the future is its outcome once it is stored."""
        item = Item(
            self._loop.create_future(), monotonic() + PATIENCE_SECONDS, **details
        )
        self._expiring.append(item)
        with self._changed:
            self._waiting.append(item)
            self._changed.notify()
        return item.waiter

    def note(self, message: LoggedMessage) -> None:
        """Keep a message for which nobody waits; soon, and if all goes well."""
        self._notes.append(message)

    def _tick(self) -> None:
        """Nobody waits for ever, and notes do not wait for company."""
        now = monotonic()
        while self._expiring and (
            self._expiring[0].waiter.done() or self._expiring[0].expires < now
        ):
            item = self._expiring.popleft()
            if not item.waiter.done():
                item.waiter.set_exception(Unavailable())
        if self._notes:
            with self._changed:
                self._notes_are_due = True
                self._changed.notify()
        if not self._stopping.is_set():
            self._loop.call_later(TICK_SECONDS, self._tick)

    # ── in threads ────────────────────────────────────────────────────────────────

    def _work(self) -> None:
        while batch := self._next_batch():
            while not self._record(batch):
                batch.items = [each for each in batch.items if not each.waiter.done()]
                if not batch.items:  # Nobody waits any more; notes may.
                    self._notes.extendleft(reversed(batch.notes))
                    break

    def _next_batch(self) -> Batch | None:
        """Wait for something to do. None: there is nothing left, and it is over."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._waiting or self._notes_are_due or self._stopping.is_set()
            )
            if self._stopping.is_set() and not (self._waiting or self._notes):
                return None
            notes = [self._notes.popleft() for _ in range(len(self._notes))]
            self._notes_are_due = False
            return Batch(self._take(), notes)

    def _take(self) -> list[Item]:
        taken: list[Item] = []
        singles = 0
        while self._waiting and len(taken) < MOST_ITEMS and singles < MOST_SINGLES:
            item = self._waiting.popleft()
            if not item.waiter.done():
                taken.append(item)
                singles += item.single is not None
        return taken

    def _record(self, batch: Batch) -> bool:
        """Return False if the database was away, and it may be tried again."""
        try:
            self._commit(batch)
        except (DBAPIError, PoolTimeout, Unavailable) as error:
            self._warn(error)
            return self._stopping.wait(RETRY_SECONDS)
        except Exception:
            log.exception("chargers' messages could not be recorded together")
            self._set_apart(batch.items)
        else:
            self._tell(batch.items)
        return True

    def _commit(self, batch: Batch) -> None:
        """Record all that can be recorded together."""
        for _ in range(MOST_FAILURES):
            try:
                with GROUP_COMMIT_SECONDS.time(), self._transaction() as session:
                    self._run(session, batch.items, batch.notes)
            except GroupFailed as failed:
                if is_away(failed.error):
                    raise failed.error from None
                self._set_apart(failed.items)
                batch.items = [each for each in batch.items if each not in failed.items]
            else:
                GROUP_COMMITS.inc(len(batch.items))
                return
        self._set_apart(batch.items)
        batch.items = []

    def _run(
        self, session: Session, items: list[Item], notes: list[LoggedMessage]
    ) -> None:
        """Raises: GroupFailed."""
        session.connection()  # If there is none, that is nobody's fault.
        for item in items:
            item.outcome = item.error = None
        self._before(session, items)
        messages = [each.message for each in items if each.message] + notes
        for group in [*grouped(items), items]:
            try:
                if group is items:
                    record_messages(session, messages)
                else:
                    record(session, group)
            except Exception as error:
                raise GroupFailed(group, error) from error

    def _set_apart(self, items: Iterable[Item]) -> None:
        with self._left:
            self._alone.extend(items)
            self._left.notify()

    def _work_alone(self) -> None:
        while item := self._next_alone():
            if not item.waiter.done():
                self._record_alone(item)
                self._tell([item])

    def _next_alone(self) -> Item | None:
        with self._left:
            self._left.wait_for(lambda: self._alone or self._stopping.is_set())
            return self._alone.popleft() if self._alone else None

    def _record_alone(self, item: Item) -> None:
        """What fails for good still leaves its message behind."""

        def everything(session: Session) -> None:
            item.outcome = item.error = None
            self._before(session, [item])
            for group in grouped([item]):
                record(session, group)
            only_message(session)

        def only_message(session: Session) -> None:
            record_messages(session, [item.message] if item.message else [])

        failure = self._tried(everything)
        if failure is not None:
            self._tried(only_message)
            item.error = failure

    def _tried(self, action: Callable[[Session], None]) -> DomainError | None:
        try:
            self._perform(action)
        except DomainError as refusal:
            return refusal
        except Exception:
            log.exception("something that a charger said could not be recorded")
            return NotRecorded()
        return None

    def _tell(self, items: list[Item]) -> None:
        # The loop may have ended; then nobody waits any more.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(_tell_waiters, items)

    def _warn(self, error: Exception) -> None:
        if monotonic() >= self._warned_at + SECONDS_BETWEEN_WARNINGS:
            self._warned_at = monotonic()
            log.warning("chargers wait, the database cannot be used: %s", error)


def grouped(items: Iterable[Item]) -> list[list[Item]]:
    """Return what is recorded by one call each; those already refused are left out."""
    together: dict[Record, list[Item]] = {}
    singles = []
    for item in items:
        if item.error is not None:
            continue
        if item.single is not None:
            singles.append([item])
        elif item.record is not None:
            together.setdefault(item.record, []).append(item)
    return [*together.values(), *singles]


def record(session: Session, group: list[Item]) -> None:
    """Record what belongs together, up to the database, and keep the outcomes."""
    first = group[0]
    if first.single is not None:
        first.outcome = first.single(session)
    elif first.record is not None:
        outcomes = first.record(session, [each.value for each in group])
        for item, outcome in zip(group, outcomes or (), strict=outcomes is not None):
            item.outcome = outcome
    session.flush()  # What is wrong with it shows now, not at somebody else's.


def is_away(error: Exception) -> bool:
    """Is it the database that cannot be used, whoever asks?"""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, InterfaceError)
    return isinstance(error, PoolTimeout)


def _tell_waiters(items: list[Item]) -> None:
    for item in items:
        if item.waiter.done():
            continue
        if item.error is not None:
            item.waiter.set_exception(item.error)
        else:
            item.waiter.set_result(item.outcome)
