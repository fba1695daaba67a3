"""A charger that is connected: what its messages may ask of the gateway."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session
from starlette.types import Send

from evcharge.control.queries import Credentials
from evcharge.control.rules import Direction, LoggedMessage, Protocol
from evcharge.gateway.commits import GroupCommit, Record
from evcharge.gateway.wire import Failure, Result, call_text, kept
from evcharge.kernel.clock import utc_now
from evcharge.stations.rules import Plug


class ConnectionLost(Exception):
    """The charger has gone without an answer."""


class Asked:
    """A call of ours that a charger has not answered yet."""

    __slots__ = ("action", "answer", "id", "message")

    def __init__(self, action: str) -> None:
        self.id = str(uuid4())
        self.action = action
        self.answer: asyncio.Future[Result | Failure] = (
            asyncio.get_running_loop().create_future()
        )
        self.message: LoggedMessage | None = None  # The answer, as it came.


class Connected:
    """One charger's socket. Ten thousand of them are in memory at once."""

    __slots__ = (
        "_asked",
        "_commits",
        "_send",
        "_unsaved",
        "charger_id",
        "generation",
        "heartbeat_seconds",
        "identity",
        "is_closed",
        "is_heard",
        "location_id",
        "noted_at",
        "plugs",
        "protocol",
        "received_at",
    )

    def __init__(
        self,
        known: Credentials,
        *,
        plugs: list[Plug],
        protocol: Protocol,
        generation: int,
        commits: GroupCommit,
        send: Send,
    ) -> None:
        self.charger_id = known.charger_id
        self.identity = known.identity
        self.location_id = known.location_id
        self.heartbeat_seconds = known.heartbeat_seconds
        self.plugs = plugs  # In the order in which OCPP 1.6 counts them, from 1.
        self.protocol = protocol
        self.generation = generation
        self.received_at = utc_now()  # When the message that is handled now came in.
        self.is_closed = False
        self.is_heard = False  # Since it was last noted that it is there,
        self.noted_at = 0.0  # which was then.
        self._commits = commits
        self._send = send
        self._unsaved: LoggedMessage | None = None
        self._asked: Asked | None = None

    # ── for actions ───────────────────────────────────────────────────────────────

    async def commit(self, record: Record, value: Any) -> Any:
        """Record a value together with those of other chargers, and wait for it.

        `record(session, values)` is called once for many chargers' values, and
        returns as many results, or None.
        """
        return await self._add(record=record, value=value)

    async def do(self, function: Callable[..., Any], **details: Any) -> Any:
        """Do something by itself, in a transaction that others may share."""
        return await self._add(single=partial(_given_session, function, details))

    # ── for the conversation ──────────────────────────────────────────────────────

    def receive(self, action: str, text: str) -> None:
        """Begin with a message: it is stored with whatever it asks for first."""
        self.received_at = utc_now()
        self.is_heard = True
        self._unsaved = self._logged(Direction.IN, action, text)

    async def save(self) -> None:
        """Wait until the message that is handled now is stored, if it is not yet."""
        if self._unsaved is not None:
            await self._add()

    def note(self, action: str, text: str) -> None:
        """Store what the charger sent, and do not wait for that."""
        self.is_heard = True
        self._commits.note(self._logged(Direction.IN, action, text))

    async def send(self, action: str, text: str) -> None:
        """Send a frame, which is stored soon. A closed socket sends nothing."""
        if self.is_closed:
            return
        try:
            await self._send({"type": "websocket.send", "text": text})
        except (OSError, RuntimeError):  # It has just gone, or was given up.
            self.is_closed = True
        else:
            self._commits.note(self._logged(Direction.OUT, action, text))

    async def close(self, code: int, reason: str) -> None:
        """End the conversation. What is still being stored is stored."""
        if not self.is_closed:
            self.is_closed = True
            # The other side may have gone first.
            with suppress(OSError, RuntimeError):
                await self._send(
                    {"type": "websocket.close", "code": code, "reason": reason}
                )

    def end(self) -> None:
        """The socket has gone, and with it the hope for an answer."""
        self.is_closed = True
        if self._asked is not None and not self._asked.answer.done():
            self._asked.answer.set_exception(ConnectionLost())

    # ── for the sender ────────────────────────────────────────────────────────────

    async def call(self, asked: Asked, payload: Any) -> Result | Failure:
        """Ask the charger. One call at a time. Raises: ConnectionLost."""
        self._asked = asked
        try:
            await self.send(asked.action, call_text(asked.id, asked.action, payload))
            if self.is_closed:
                raise ConnectionLost
            return await asked.answer
        finally:
            self._asked = None

    def take_answer(self, frame: Result | Failure, text: str) -> bool:
        """Return False for an answer to nothing that was asked."""
        asked = self._asked
        if asked is None or asked.id != frame.id or asked.answer.done():
            return False
        self.is_heard = True
        asked.message = self._logged(Direction.IN, asked.action, text)
        asked.answer.set_result(frame)
        return True

    async def _add(self, **item: Any) -> Any:
        message, self._unsaved = self._unsaved, None
        return await self._commits.add(
            message=message,
            charger_id=self.charger_id,
            generation=self.generation,
            **item,
        )

    def _logged(self, direction: Direction, action: str, text: str) -> LoggedMessage:
        return LoggedMessage(
            self.charger_id, utc_now(), direction, action[:50], kept(text)
        )


def _given_session(
    function: Callable[..., Any], details: dict[str, Any], session: Session
) -> Any:
    return function(session, **details)
