"""A charger's side of the wire, as a test wants to speak it: right, wrong or rude."""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

KEY = "a-key-of-20-letters-"
PATIENCE_SECONDS = 10
ACCEPTED = {"status": "Accepted"}

_numbers = count(1)


def basic(identity: str, key: str | bytes = KEY) -> str:
    secret = key if isinstance(key, bytes) else key.encode()
    return "Basic " + b64encode(identity.encode() + b":" + secret).decode()


class Charger:
    """One socket. What the gateway asks meanwhile waits in `asked`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.asked: list[list[Any]] = []

    def send(self, text: str | bytes) -> None:
        self.socket.send(text)

    def receive(self, seconds: float = PATIENCE_SECONDS) -> list[Any]:
        frame: list[Any] = json.loads(self.socket.recv(timeout=seconds))
        return frame

    def say(self, action: str, payload: Any, message_id: str | None = None) -> str:
        """Send a call without waiting for its answer; return its id."""
        message_id = message_id or f"m{next(_numbers)}"
        self.send(json.dumps([2, message_id, action, payload]))
        return message_id

    def answer_to(self, message_id: str) -> list[Any]:
        while (frame := self.receive())[0] == 2:
            self.asked.append(frame)
        assert frame[1] == message_id, frame
        return frame

    def call(self, action: str, payload: Any) -> Any:
        """Return the payload of the answer."""
        frame = self.answer_to(self.say(action, payload))
        assert frame[0] == 3, frame
        return frame[2]

    def fail(self, action: str, payload: Any) -> str:
        """Return the code of the error that is the answer."""
        frame = self.answer_to(self.say(action, payload))
        assert frame[0] == 4, frame
        return str(frame[2])

    def next_asked(self) -> list[Any]:
        """Return the next call of the gateway."""
        frame = self.asked.pop(0) if self.asked else self.receive()
        assert frame[0] == 2, frame
        return frame

    def answer(self, call: list[Any], payload: Any = ACCEPTED) -> None:
        self.send(json.dumps([3, call[1], payload]))

    def refuse(self, call: list[Any], code: str, description: str = "") -> None:
        self.send(json.dumps([4, call[1], code, description, {}]))

    def close_code(self, seconds: float = PATIENCE_SECONDS) -> int:
        """Wait until the gateway hangs up; return why."""
        with suppress(ConnectionClosed):
            while True:
                self.socket.recv(timeout=seconds)
        code = self.socket.close_code
        assert code is not None
        return code

    def is_open(self) -> bool:
        answer = self.answer_to(self.say("Heartbeat", {}))
        return bool(answer[0] == 3)


@contextmanager
def connected(
    port: int,
    identity: str,
    *,
    key: str | bytes | None = KEY,
    protocols: tuple[str, ...] = ("ocpp1.6",),
    path: str | None = None,
    user: str | None = None,
    headers: dict[str, str] | None = None,
) -> Iterator[Charger]:
    with connect(
        f"ws://127.0.0.1:{port}{path or f'/ocpp/{identity}'}",
        subprotocols=list(protocols) or None,  # type: ignore[arg-type]
        additional_headers=(headers or {})
        | ({} if key is None else {"Authorization": basic(user or identity, key)}),
        compression=None,
        ping_interval=None,
        open_timeout=PATIENCE_SECONDS,
    ) as socket:
        yield Charger(socket)


def status_of_connect(port: int, identity: str, **how: Any) -> int:
    """Return the HTTP status of a connect that may be refused."""
    try:
        with connected(port, identity, **how):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code
