"""How fast one charger may talk. Who talks faster is listened to more slowly.

Nothing is dropped: what is not read waits in the network, at the charger's cost.
"""

import asyncio
from time import monotonic

from starlette.types import Message, Receive

BURST = 200  # What a charger has queued in a day without network, and then some.
PER_SECOND = 20
FLOOD_SECONDS = 10


class Flood(Exception):
    """It goes on sending without waiting for answers, as OCPP would have it wait."""


class Pace:
    """A bucket of tokens, and since when messages have come faster than answers."""

    __slots__ = ("_filled_at", "_flooded_since", "_tokens")

    def __init__(self) -> None:
        self._tokens = float(BURST)
        self._filled_at = monotonic()
        self._flooded_since = 0.0

    async def next_message(self, receive: Receive) -> Message:
        """Return the next message when its turn has come. Raises: Flood."""
        if self._tokens >= 1:
            message = await receive()
            self._count()
            return message
        was_waiting, message = await _received(receive)
        self._count()
        if not was_waiting:
            self._flooded_since = 0.0
        elif not self._flooded_since:
            self._flooded_since = monotonic()
        elif monotonic() - self._flooded_since > FLOOD_SECONDS:
            raise Flood
        if self._tokens < 1 and message["type"] == "websocket.receive":
            await asyncio.sleep((1 - self._tokens) / PER_SECOND)
        return message

    def _count(self) -> None:
        now = monotonic()
        filled = self._tokens + (now - self._filled_at) * PER_SECOND
        self._tokens = min(filled, BURST) - 1
        self._filled_at = now


async def _received(receive: Receive) -> tuple[bool, Message]:
    """Return a message, and whether it had come before anybody asked for it."""
    turns: list[None] = []
    # Runs as soon as the loop has a turn, which it only gets if we wait.
    asyncio.get_running_loop().call_soon(turns.append, None)
    message = await receive()
    return not turns, message
