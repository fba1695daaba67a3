"""A server that answers chargers by the book, and checks all they say against it."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib.resources import files

import jsonschema_rs
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

FOLDERS = {"ocpp1.6": "v16", "ocpp2.0.1": "v201"}
NO_LIMIT = 25


class Csms:
    """`says[action]` makes the answer to that action, where the usual one will not do.

    `calls` has what chargers said: (identity, action, payload), in order.
    """

    def __init__(self):
        self.calls = []
        self.says = {}
        self.sockets = {}
        self.problems = []
        self.port = 0
        self._validators = {}
        self._transactions = 0
        self._waiting = {}
        self._heard = asyncio.Event()

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/ocpp"

    def heard(self, action, identity=None):
        return [
            payload
            for who, said, payload in self.calls
            if said == action and identity in (None, who)
        ]

    async def hear(self, action, count=1):
        """Wait until that was said so often; return what."""
        async with asyncio.timeout(NO_LIMIT):
            while len(self.heard(action)) < count:
                self._heard.clear()
                await self._heard.wait()
        return self.heard(action)

    async def hear_that(self, is_it):
        """Wait for a call (action, payload) of that sort; return its payload."""
        async with asyncio.timeout(NO_LIMIT):
            while True:
                for _, action, payload in self.calls:
                    if is_it(action, payload):
                        return payload
                self._heard.clear()
                await self._heard.wait()

    async def ask(self, identity, action, payload):
        """Call the charger and return its frame."""
        number = f"ask-{len(self._waiting)}"
        future = asyncio.get_running_loop().create_future()
        self._waiting[number] = (future, action)
        socket = self.sockets[identity]
        self._check(socket.subprotocol, action, payload)
        await socket.send(json.dumps([2, number, action, payload]))
        async with asyncio.timeout(NO_LIMIT):
            return await future

    async def answer(self, socket):
        identity = socket.request.path.rpartition("/")[2]
        self.sockets[identity] = socket
        with suppress(ConnectionClosed):
            async for text in socket:
                frame = json.loads(text)
                if frame[0] == 2:
                    await self._answer(socket, identity, *frame[1:])
                else:
                    self._take(socket, frame)

    async def _answer(self, socket, identity, number, action, payload):
        self._check(socket.subprotocol, action, payload)
        self.calls.append((identity, action, payload))
        reply = self.says.get(action, self._usual)(action, payload)
        if reply is not None:
            self._check(socket.subprotocol, f"{action}Response", reply)
            await socket.send(json.dumps([3, number, reply]))
        self._heard.set()

    def _take(self, socket, frame):
        future, action = self._waiting[frame[1]]
        if frame[0] == 3:
            self._check(socket.subprotocol, f"{action}Response", frame[2])
        future.set_result(frame[2:] if frame[0] == 4 else frame[2])

    def _usual(self, action, payload):
        match action:
            case "BootNotification":
                accepted = {"status": "Accepted", "interval": 300}
                return accepted | {"currentTime": datetime.now(UTC).isoformat()}
            case "Heartbeat":
                return {"currentTime": datetime.now(UTC).isoformat()}
            case "Authorize":
                is_16 = "idTag" in payload
                return {
                    ("idTagInfo" if is_16 else "idTokenInfo"): {"status": "Accepted"}
                }
            case "StartTransaction":
                self._transactions += 1
                info = {"status": "Accepted"}
                return {"transactionId": self._transactions, "idTagInfo": info}
        return {}

    def _check(self, protocol, name, payload):
        key = protocol, name
        if key not in self._validators:
            suffix = "" if protocol == "ocpp1.6" or "Response" in name else "Request"
            folder = files("ocpp") / FOLDERS[protocol] / "schemas"
            schema = (folder / f"{name}{suffix}.json").read_text("utf-8-sig")
            self._validators[key] = jsonschema_rs.validator_for(json.loads(schema))
        for error in self._validators[key].iter_errors(payload):
            self.problems.append(f"{name}: {error.message}")


@asynccontextmanager
async def a_csms(port=0):
    csms = Csms()
    protocols = list(FOLDERS)
    async with serve(csms.answer, "127.0.0.1", port, subprotocols=protocols) as server:
        csms.port = server.sockets[0].getsockname()[1]
        yield csms
