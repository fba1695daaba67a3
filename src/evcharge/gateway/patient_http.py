"""HTTP/1.1 from senders who are given some patience, but not without end.

Uvicorn waits for the head of a request for ever and takes in any length of it.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import (
    WebSocketsSansIOProtocol,
)

LONGEST_HEAD = 65_536
HEAD_SECONDS = 10


class PatientHttp(HttpToolsProtocol):
    """Closes a connection whose request does not come to its point."""

    _in_head = True
    _head_bytes = 0
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._stop_waiting()
        self._await_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        # To WSGI, X_Forwarded_For is X-Forwarded-For: whoever sends the first would
        # speak for the proxy. Caddy and nginx drop such names too.
        if b"_" not in name:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > LONGEST_HEAD:
            self.send_400_response("That is more than we accept at once.")

    def _await_head(self) -> None:
        self._in_head, self._head_bytes = True, 0
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class PatientOpening(WebSocketsSansIOProtocol):
    """Closes a WebSocket whose opening cannot be read.

    `websockets` takes no long header and no more than 128 of them. Uvicorn 0.54 does
    not see that it gave up, and would keep the connection open for ever.
    """

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.transport.write(
                b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
            )
            self.transport.close()
