"""A charger that is connected: what its messages may ask of the gateway."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from evcharge.control.rules import Direction, LoggedMessage, Protocol
from evcharge.gateway.commits import GroupCommit, Record
from evcharge.gateway.wire import storable
from evcharge.kernel.clock import utc_now
from evcharge.stations.rules import Plug

SendText = Callable[[str], Awaitable[None]]


class Connected:
    """One charger's socket. Ten thousand of them are in memory at once."""

    __slots__ = (
        "_commits",
        "_send",
        "_unsaved",
        "charger_id",
        "generation",
        "heartbeat_seconds",
        "identity",
        "is_closed",
        "location_id",
        "plugs",
        "protocol",
        "received_at",
    )

    def __init__(
        self,
        *,
        charger_id: int,
        identity: str,
        location_id: int,
        protocol: Protocol,
        generation: int,
        plugs: list[Plug],
        heartbeat_seconds: int,
        commits: GroupCommit,
        send: SendText,
    ) -> None:
        self.charger_id = charger_id
        self.identity = identity
        self.location_id = location_id
        self.protocol = protocol
        self.generation = generation
        self.plugs = plugs  # In the order in which OCPP 1.6 counts them, from 1.
        self.heartbeat_seconds = heartbeat_seconds
        self.received_at = utc_now()  # When the message that is handled now came in.
        self.is_closed = False
        self._commits = commits
        self._send = send
        self._unsaved: LoggedMessage | None = None

    async def commit(self, record: Record, value: Any) -> Any:
        """Record a value together with those of other chargers, and wait for it.

        `record(session, values)` is called once for many chargers' values, and
        returns as many results, or None.
        """
        return await self._add(record=record, value=value)

    async def do(self, function: Callable[..., Any], **details: Any) -> Any:
        """Do something by itself, in a transaction that others may share."""
        return await self._add(single=partial(_given_session, function, details))

    async def save(self) -> None:
        """Wait until the message that is handled now is stored, if it is not yet."""
        if self._unsaved is not None:
            await self._add()

    def receive(self, action: str, text: str) -> None:
        """Begin with a message: it is stored with whatever it asks for first."""
        self.received_at = utc_now()
        self._unsaved = self._logged(Direction.IN, action, text)

    async def send(self, action: str, text: str) -> None:
        """Send a frame. It is stored soon; nobody waits for that."""
        await self._send(text)
        self._commits.note(self._logged(Direction.OUT, action, text))

    def note(self, action: str, text: str) -> None:
        """Store what the charger sent without waiting."""
        self._commits.note(self._logged(Direction.IN, action, text))

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
            self.charger_id, utc_now(), direction, action[:50], storable(text)
        )


def _given_session(
    function: Callable[..., Any], details: dict[str, Any], session: Session
) -> Any:
    return function(session, **details)
