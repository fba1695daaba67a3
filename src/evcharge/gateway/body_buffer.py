"""Takes in the whole body of a request before anybody works on it.

A web thread that waits for a slow sender is lost to all others: ten unfinished
posts would stop ten threads, and with them the site.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_BODY = 1_000_000
BODY_SECONDS = 10
MOST_BODIES = 500
MOST_BYTES = 64_000_000
# How long we go on reading a long body that we refuse: closing at once would reset
# the connection, and the sender would never see why.
LINGER_SECONDS = 2


class Refused(Exception):
    """The body is not taken: the status says why."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class SenderLeft(Exception):
    """Nobody waits for an answer any more."""


MESSAGES = {
    408: "Your connection was too slow to finish. Nothing was changed; try again.",
    413: "That is more than we accept at once. Nothing was changed.",
    503: "The system is very busy. Nothing was changed; try again.",
}


def in_plain_text(_path: str, status: int) -> Response:
    return PlainTextResponse(MESSAGES[status], status)


@dataclass
class BodyBuffer:
    """ASGI middleware; what it wraps sees only complete bodies of known length."""

    app: ASGIApp
    refusal: Callable[[str, int], Response] = in_plain_text
    seconds: float = BODY_SECONDS
    most_bodies: int = MOST_BODIES
    most_bytes: int = MOST_BYTES
    bodies: int = 0
    bytes: int = 0
    waits: set[asyncio.Timeout] = field(default_factory=set)

    def close(self) -> None:
        """Turn away whoever has not finished: the server is about to stop."""
        for wait in self.waits:
            wait.reschedule(asyncio.get_running_loop().time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        body = bytearray()
        self.bodies += 1
        try:
            await self._take_in(body, scope, receive)
            scope, replay = _complete(scope, bytes(body), receive)
            await self.app(scope, replay, send)
        except Refused as error:
            answer = self.refusal(scope["path"], error.status)
            await _refuse(answer, scope, receive, send)
        except SenderLeft:
            return
        finally:
            self.bodies -= 1
            self.bytes -= len(body)

    async def _take_in(self, body: bytearray, scope: Scope, receive: Receive) -> None:
        """Raises: Refused, SenderLeft."""
        if self.bodies > self.most_bodies:
            raise Refused(503)
        if _announced_length(scope) > LONGEST_BODY:
            raise Refused(413)
        try:
            async with asyncio.timeout(self.seconds) as wait:
                self.waits.add(wait)
                await self._receive_all(body, receive)
        except TimeoutError:
            raise Refused(408) from None
        finally:
            self.waits.discard(wait)

    async def _receive_all(self, body: bytearray, receive: Receive) -> None:
        is_complete = False
        while not is_complete:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise SenderLeft
            part = message.get("body", b"")
            body += part
            self.bytes += len(part)
            if len(body) > LONGEST_BODY:
                raise Refused(413)
            if self.bytes > self.most_bytes:
                raise Refused(503)
            is_complete = not message.get("more_body", False)


def _has_body(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return b"content-length" in names or b"transfer-encoding" in names


def _announced_length(scope: Scope) -> int:
    values = [value for name, value in scope["headers"] if name == b"content-length"]
    return max((int(value) for value in values if value.isdigit()), default=0)


def _complete(scope: Scope, body: bytes, receive: Receive) -> tuple[Scope, Receive]:
    """Return the request as if it had come in one piece of announced length.

    A body in chunks has no announced length, and WSGI would take it for empty.
    """
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name not in (b"content-length", b"transfer-encoding")
    ]
    headers.append((b"content-length", str(len(body)).encode()))
    waiting = [body]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop()}
        return await receive()

    return {**scope, "headers": headers}, replay


async def _refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    answer.headers["Connection"] = "close"

    async def send_but_stay(message: Message) -> None:
        await send({**message, "more_body": True} if "body" in message else message)

    if answer.status_code == 408:
        await answer(scope, receive, send)
        return
    await answer(scope, receive, send_but_stay)
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                pass
    await send({"type": "http.response.body", "body": b""})
