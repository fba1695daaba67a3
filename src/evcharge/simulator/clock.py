"""Time in the simulator: seconds since the epoch, at the speed it is asked to run.

Numbers, not datetimes: every charger compares a few of them at each of its steps.
"""

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """`speed` seconds go by in one second of ours."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._began = time.time()
        self._monotonic = time.monotonic()

    def now(self) -> float:
        return self._began + (time.monotonic() - self._monotonic) * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds) / self.speed)


def rfc3339(seconds: float) -> str:
    """Return the instant as chargers write it, to the millisecond."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """Read an instant as servers write it. Raises: ValueError."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
