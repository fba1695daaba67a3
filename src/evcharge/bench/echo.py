"""A gateway that keeps nothing: the reference for ours.

The same server, frames read and written as JSON, requests and answers checked by the
same compiled schemas. What it lacks is all that ours is for.
"""

import json
import os

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from evcharge.control.rules import Protocol
from evcharge.gateway.schemas import check_request, check_response
from evcharge.gateway.server import Server, bind

PROTOCOL = Protocol.OCPP16
# What is well formed and cheap; nobody looks at it but the schema.
ANSWERS: dict[str, object] = {
    "StartTransaction": {"transactionId": 1, "idTagInfo": {"status": "Accepted"}}
}


class Echo:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept", "subprotocol": PROTOCOL.value})
        while (message := await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": _answer(message["text"])})


def _answer(text: str) -> str:
    _, number, action, payload = json.loads(text)
    check_request(PROTOCOL, action, payload)
    answer = ANSWERS.get(action, {})
    check_response(PROTOCOL, action, answer)
    return json.dumps([3, number, answer], separators=(",", ":"))


def serve(port: int) -> None:
    app = Starlette(routes=[WebSocketRoute("/ocpp/{charger}", Echo())])
    server = Server(app, when_listening=lambda: None, when_stopping=lambda: None)
    server.run(sockets=[bind("127.0.0.1", port)])


if __name__ == "__main__":
    serve(int(os.environ["EVCHARGE_PORT"]))
