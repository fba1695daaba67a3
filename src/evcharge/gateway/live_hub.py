"""Live hints to browsers: who watches which topics, and how they are woken."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

from evcharge.kernel.metrics import LIVE_STREAMS

PAUSE_SECONDS = 0.2  # Several changes in a row become one hint.
SIGN_OF_LIFE_SECONDS = 15  # Below the idle timeout of common proxies.
MOST_STREAMS = 2_000


class Watcher:
    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.woken = asyncio.Event()

    async def wait(self) -> set[str]:
        """Return the topics that changed; none when it was quiet for a while."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.woken.wait(), SIGN_OF_LIFE_SECONDS)
        self.woken.clear()
        changed, self.changed = self.changed, set()
        return changed


class LiveHub:
    """Wakes the watchers of a topic. Belongs to the event loop that watches."""

    def __init__(self, most_streams: int = MOST_STREAMS) -> None:
        self.streams = 0
        self._most_streams = most_streams
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchers: dict[str, set[Watcher]] = defaultdict(set)
        self._closed = False

    @property
    def is_full(self) -> bool:
        return self._closed or self.streams >= self._most_streams

    async def hints(self, topics: Iterable[str]) -> AsyncIterator[str]:
        """Yield server-sent events for the topics until the hub closes."""
        self._loop = asyncio.get_running_loop()
        watcher = Watcher()
        for topic in topics:
            self._watchers[topic].add(watcher)
        self.streams += 1
        LIVE_STREAMS.inc()
        try:
            yield "retry: 5000\n\n"
            while not self._closed:
                changed = await watcher.wait()
                yield "".join(f"data: {topic}\n\n" for topic in changed) or ":\n\n"
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self.streams -= 1
            LIVE_STREAMS.dec()
            self._forget(watcher, topics)

    def publish(self, topics: Iterable[str]) -> None:
        """Safe from any thread; transactions commit off the loop."""
        loop, topics = self._loop, list(topics)
        if topics and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake, topics)

    def close(self) -> None:
        """End every stream. Browsers come back by themselves, in five seconds."""
        self._closed = True
        for watcher in set().union(*self._watchers.values()):
            watcher.woken.set()

    def _wake(self, topics: Iterable[str]) -> None:
        for topic in topics:
            for watcher in self._watchers.get(topic, ()):
                watcher.changed.add(topic)
                watcher.woken.set()

    def _forget(self, watcher: Watcher, topics: Iterable[str]) -> None:
        for topic in topics:
            self._watchers[topic].discard(watcher)
            if not self._watchers[topic]:
                del self._watchers[topic]
