"""A socket to the server, calls over it in both directions, and when to try again."""

import asyncio
import base64
import json
import random
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException
from websockets.typing import Subprotocol

from evcharge.simulator.box import Payload, Refusal

CALL, RESULT, ERROR = 2, 3, 4
ANSWER_SECONDS = 30.0
OPEN_SECONDS = 15.0
MOST_BYTES = 65_536

Answerer = Callable[[str, Payload], Payload]


class LinkLost(Exception):
    """There is no connection, or none any more."""


class NoAnswer(LinkLost):
    """The server says nothing; a new connection may help."""


class CallRefused(Exception):
    """The server answers with a CALLERROR."""


class Backoff:
    """Waits twice as long each time, and never all chargers alike."""

    def __init__(self, rng: random.Random, *, first: float = 1.0, most: float = 60.0):
        self._rng = rng
        self._first = first
        self._most = most
        self._tries = 0

    def next_seconds(self) -> float:
        longest: float = min(self._most, self._first * 2 ** min(self._tries, 16))
        self._tries += 1
        return longest * self._rng.uniform(0.5, 1.0)

    def succeeded(self) -> None:
        self._tries = 0


class Link:
    """One connection. `answer` is what the charger does when it is called."""

    def __init__(self, socket: ClientConnection, answer: Answerer) -> None:
        self._socket = socket
        self._answer = answer
        self._waiting: asyncio.Future[Payload] | None = None
        self._waits_for = ""
        self._count = 0
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def open(
        cls, url: str, *, identity: str, key: str, protocol: str, answer: Answerer
    ) -> "Link":
        """Raises: LinkLost."""
        token = base64.b64encode(f"{identity}:{key}".encode()).decode()
        try:
            socket = await connect(
                f"{url.rstrip('/')}/{identity}",
                subprotocols=[Subprotocol(protocol)],
                additional_headers={"Authorization": f"Basic {token}"} if key else None,
                compression=None,  # Small messages; deflate costs more than it saves.
                ping_interval=None,  # The server pings.
                open_timeout=OPEN_SECONDS,
                close_timeout=2,
                max_size=MOST_BYTES,
                user_agent_header=None,
                proxy=None,
            )
        except (OSError, InvalidHandshake, TimeoutError) as error:
            raise LinkLost(str(error)) from error
        return cls(socket, answer)

    @property
    def is_open(self) -> bool:
        return not self._listening.done()

    def when_closed(self, tell: Callable[[], None]) -> None:
        self._listening.add_done_callback(lambda _task: tell())

    async def call(self, action: str, payload: Payload) -> Payload:
        """Ask and return the answer. Raises: LinkLost, CallRefused."""
        if not self.is_open:
            raise LinkLost
        self._count += 1
        self._waits_for = str(self._count)
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._send([CALL, self._waits_for, action, payload])
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._waiting
        except TimeoutError as error:
            raise NoAnswer(action) from error
        finally:
            self._waiting = None

    async def send_unheard(self, action: str, payload: Payload) -> None:
        """Say it and be gone before the answer comes. Raises: LinkLost."""
        await self._send([CALL, "unheard", action, payload])
        self.drop()

    def drop(self) -> None:
        """As if the cable were cut: no goodbye."""
        self._socket.transport.close()

    async def close(self) -> None:
        await self._socket.close()
        await asyncio.wait([self._listening])

    async def _listen(self) -> None:
        try:
            async for frame in self._socket:
                await self._take(json.loads(frame))
        except (WebSocketException, ValueError, LinkLost):
            self.drop()  # What is no JSON comes from no server of ours.
        finally:
            if self._waiting and not self._waiting.done():
                self._waiting.set_exception(LinkLost())

    async def _take(self, frame: list[Any]) -> None:
        if frame[0] == CALL:
            await self._be_called(*frame[1:4])
            return
        waiting = self._waiting
        if waiting is None or waiting.done() or frame[1] != self._waits_for:
            return
        if frame[0] == RESULT:
            waiting.set_result(frame[2])
        else:
            waiting.set_exception(CallRefused(f"{frame[2]}: {frame[3]}"))

    async def _be_called(self, number: str, action: str, payload: Payload) -> None:
        try:
            answer: list[Any] = [RESULT, number, self._answer(action, payload)]
        except Refusal as refusal:
            answer = [ERROR, number, refusal.code, refusal.text, {}]
        except (KeyError, TypeError):
            answer = [ERROR, number, "GenericError", "Not understood", {}]
        await self._send(answer)

    async def _send(self, frame: list[Any]) -> None:
        try:
            await self._socket.send(json.dumps(frame, separators=(",", ":")))
        except WebSocketException as error:
            raise LinkLost(str(error)) from error
