"""A charger's end of a WebSocket, as cheap as it can be: thousands share a process.

Frames are masked with zeros, so that a payload goes out as it is: RFC 6455 has servers
unmask whatever the key, and ours do that work here too.
"""

import asyncio
import json
import struct
from base64 import b64encode
from typing import cast

_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_NO_MASK = bytes(4)
_OPENED = b"HTTP/1.1 101"


class Refused(Exception):
    """The server did not take the charger in; the message is what it said."""


class Gone(Exception):
    """The socket closed before the answer came."""


class Charger(asyncio.Protocol):
    """One socket: one call at a time, as OCPP has it. What it is asked it declines."""

    __slots__ = ("_answer", "_count", "_opened", "_received", "_transport", "is_open")

    _transport: asyncio.WriteTransport

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._received = b""
        self.is_open = False
        self._opened: asyncio.Future[None] = loop.create_future()
        self._answer: asyncio.Future[bytes] | None = None
        self._count = 0

    @classmethod
    async def connect(cls, port: int, identity: str, key: str) -> "Charger":
        """Raises: Refused, Gone, OSError."""
        loop = asyncio.get_running_loop()
        _, charger = await loop.create_connection(cls, "127.0.0.1", port)
        charger._transport.write(_handshake(port, identity, key))
        await charger._opened
        return charger

    async def call(self, action: str, payload: str) -> bytes:
        """Return the answer as it came, with its frame. Raises: Gone."""
        if self._transport.is_closing():
            raise Gone
        self._count += 1
        self._answer = asyncio.get_running_loop().create_future()
        self._send(_TEXT, f'[2,"{self._count}","{action}",{payload}]'.encode())
        return await self._answer

    def close(self) -> None:
        self._transport.close()

    # ── what comes in ────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self.is_open and not self._read_handshake():
            return
        while (frame := self._next_frame()) is not None:
            self._take(*frame)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        for waiting in (self._opened, self._answer):
            if waiting is not None and not waiting.done():
                waiting.set_exception(Gone())

    def _read_handshake(self) -> bool:
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(_OPENED):
            if not self._opened.done():
                self._opened.set_exception(Refused(head.split(b"\r\n")[0].decode()))
            self._transport.close()
            return False
        self._received = rest
        self.is_open = True
        self._opened.set_result(None)
        return True

    def _next_frame(self) -> tuple[int, bytes] | None:
        """Return the next whole frame; those of servers are not masked."""
        data = self._received
        if len(data) < 2:
            return None
        start, size = 2, data[1]
        if size >= 126:
            start, form = (4, ">H") if size == 126 else (10, ">Q")
            if len(data) < start:
                return None
            (size,) = struct.unpack(form, data[2:start])
        if len(data) < start + size:
            return None
        self._received = data[start + size :]
        return data[0] & 0xF, data[start : start + size]

    def _take(self, kind: int, body: bytes) -> None:
        if kind == _PING:
            self._send(_PONG, body)
        elif kind == _CLOSE:
            self._transport.close()
        elif kind == _TEXT:
            self._hear(body)

    def _hear(self, body: bytes) -> None:
        if body.startswith(b"[2,"):
            asked = json.loads(body)[1]
            self._send(_TEXT, f'[4,"{asked}","NotSupported","",{{}}]'.encode())
        elif self._answer is not None and not self._answer.done():
            self._answer.set_result(body)

    def _send(self, kind: int, body: bytes) -> None:
        size = len(body)
        head = (
            bytes((0x80 | kind, 0x80 | size))
            if size < 126
            else struct.pack(">BBH", 0x80 | kind, 0x80 | 126, size)
        )
        self._transport.write(head + _NO_MASK + body)


def _handshake(port: int, identity: str, key: str) -> bytes:
    token = b64encode(f"{identity}:{key}".encode()).decode()
    lines = (
        f"GET /ocpp/{identity} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
        "Sec-WebSocket-Protocol: ocpp1.6",
        f"Authorization: Basic {token}",
        "",
        "",
    )
    return "\r\n".join(lines).encode()
