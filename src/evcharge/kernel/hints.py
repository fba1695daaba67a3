"""Hints between processes, over Valkey's publish/subscribe.

They may be lost: while Valkey is away, hints within this process still work and
pages correct themselves by their slow refresh. A commit never waits for them.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

from evcharge.kernel.live import Publish

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

CHANNEL = "evcharge:hints"
MOST_WAITING = 10_000
RETRY_SECONDS = 1
LOOK_SECONDS = 0.5  # How long a stop may go unnoticed.
SECONDS_BETWEEN_WARNINGS = 60


class ValkeyMissing(Exception):
    """EVCHARGE_VALKEY_URL is set, but the client for it is not installed."""


@contextmanager
def hints_between(url: str, deliver: Publish | None = None) -> Iterator[Publish]:
    """Give what publishes hints here and, where there is a Valkey, to all processes.

    Raises: ValkeyMissing.
    """
    if not url:
        yield deliver or (lambda topics: None)
        return
    hints = ValkeyHints(url, deliver)
    hints.start()
    try:
        yield hints.publish
    finally:
        hints.stop()


class ValkeyHints:
    """Sends this process's hints to the others, and theirs to `deliver`."""

    def __init__(self, url: str, deliver: Publish | None = None) -> None:
        """Without `deliver` nobody watches in this process. Raises: ValkeyMissing."""
        self._valkey = _client(url)
        self._deliver = deliver or (lambda topics: None)
        self._tasks = [self._send, self._listen] if deliver else [self._send]
        self._origin = uuid4().hex  # Our own come back too; they are old news.
        self._waiting: Queue[str] = Queue(MOST_WAITING)
        self._stopped = Event()
        self._warned_at = -float(SECONDS_BETWEEN_WARNINGS)

    def start(self) -> None:
        for task in self._tasks:
            Thread(target=self._repeat, args=(task,), daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def publish(self, topics: list[str]) -> None:
        """Deliver here at once, and elsewhere soon. Never waits, never fails."""
        self._deliver(topics)
        try:
            for topic in topics:
                self._waiting.put_nowait(topic)
        except Full:
            log.debug("hints are lost: Valkey has been away for long")

    def _repeat(self, task: Callable[[], None]) -> None:
        from redis import RedisError

        while not self._stopped.is_set():
            try:
                task()
            except (RedisError, OSError) as error:
                self._warn(error)
                self._stopped.wait(RETRY_SECONDS)

    def _warn(self, error: Exception) -> None:
        if monotonic() >= self._warned_at + SECONDS_BETWEEN_WARNINGS:
            self._warned_at = monotonic()
            log.warning("no hints between processes just now: %s", error)

    def _send(self) -> None:
        try:
            topics = {self._waiting.get(timeout=LOOK_SECONDS)}
        except Empty:
            return
        while not self._waiting.empty():  # Nobody else takes from it.
            topics.add(self._waiting.get())
        self._valkey.publish(CHANNEL, " ".join([self._origin, *topics]))

    def _listen(self) -> None:
        channel = self._valkey.pubsub(  # type: ignore[no-untyped-call]
            ignore_subscribe_messages=True
        )
        with channel:
            channel.subscribe(CHANNEL)
            while not self._stopped.is_set():
                message = channel.get_message(timeout=LOOK_SECONDS)
                if message is not None:
                    self._receive(message["data"])

    def _receive(self, message: str) -> None:
        origin, *topics = message.split(" ")
        if origin != self._origin:
            self._deliver(topics)


def _client(url: str) -> "Redis":
    try:
        from redis import Redis
    except ImportError:
        raise ValkeyMissing(
            "EVCHARGE_VALKEY_URL needs the Valkey client: "
            "pip install 'evcharge[valkey]'."
        ) from None
    return Redis.from_url(url, decode_responses=True, socket_connect_timeout=2)
