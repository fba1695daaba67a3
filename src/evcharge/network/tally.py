"""The network in a line, counted now and then: counting looks at every point."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from time import perf_counter

from evcharge.network.queries import Totals

# Nobody minds a number ten seconds old that says when it was counted. In a large
# network it is older: counting takes a twentieth of one thread's time at most.
KEPT_FOR = timedelta(seconds=10)
TIMES_ITS_COST = 20


class Tally:
    """What one process has counted, for all its threads."""

    def __init__(self) -> None:
        self._counting = Lock()
        self._kept: Totals | None = None
        self._kept_for = KEPT_FOR

    def totals(self, count: Callable[[], Totals], *, now: datetime) -> Totals:
        """Return what was counted lately. One thread counts; who can, goes on."""
        kept = self._kept
        if kept is not None:
            if self._is_fresh(kept, now) or not self._counting.acquire(blocking=False):
                return kept
        else:
            self._counting.acquire()
        try:
            kept = self._kept
            if kept is None or not self._is_fresh(kept, now):
                kept = self._kept = self._counted(count)
            return kept
        finally:
            self._counting.release()

    def _counted(self, count: Callable[[], Totals]) -> Totals:
        began = perf_counter()
        counted = count()
        cost = timedelta(seconds=perf_counter() - began)
        self._kept_for = max(KEPT_FOR, TIMES_ITS_COST * cost)
        return counted

    def _is_fresh(self, kept: Totals, now: datetime) -> bool:
        return timedelta(0) <= now - kept.counted_at < self._kept_for
