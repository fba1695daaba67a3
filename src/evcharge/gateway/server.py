"""Accepts long-lived connections: browsers on /live, chargers on /ocpp/<charger>."""

import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from evcharge.gateway.live_hub import LiveHub
from evcharge.gateway.patient_http import PatientHttp
from evcharge.kernel.errors import DomainError, NotAllowed
from evcharge.kernel.topics import check_topics

GRACE_SECONDS = 5  # For open requests; with the rest of the stop, under eight.
NO_CHARGERS = "This server does not take chargers yet."


def routes(hub: LiveHub, secret: SecretStr) -> list[BaseRoute]:
    async def live(request: Request) -> Response:
        """`GET /live?topic=location:7&topic=...&token=...&token=...`"""
        topics = list(dict.fromkeys(request.query_params.getlist("topic")))
        try:
            check_topics(secret, topics, request.query_params.getlist("token"))
        except DomainError as error:
            status = 403 if isinstance(error, NotAllowed) else 422
            return PlainTextResponse(error.message, status)
        if hub.is_full:
            return PlainTextResponse("Too many people are watching.", 503)
        return StreamingResponse(
            hub.hints(topics),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return [
        Route("/live", live),
        WebSocketRoute("/ocpp/{charger:path}", _refuse_charger),
        Route("/ocpp/{charger:path}", _refuse_request),
    ]


def gateway_only(hub: LiveHub, secret: SecretStr) -> Starlette:
    return Starlette(routes=[Route("/healthz", _alive), *routes(hub, secret)])


async def _alive(_request: Request) -> Response:
    """The pages answer here where both run in one program."""
    return JSONResponse({"status": "alive"})


async def _refuse_charger(websocket: WebSocket) -> None:
    await websocket.send_denial_response(PlainTextResponse(NO_CHARGERS, 503))


async def _refuse_request(_request: Request) -> Response:
    return PlainTextResponse(NO_CHARGERS, 503)


class Server(uvicorn.Server):
    """Uvicorn with settings that suit chargers, and an end to endless streams."""

    def __init__(
        self,
        app: Any,
        *,
        when_listening: Callable[[], None],
        when_stopping: Callable[[], None],
    ) -> None:
        config = uvicorn.Config(
            app,
            http=PatientHttp,
            ws="websockets-sansio",
            ws_per_message_deflate=False,  # Small messages; some chargers botch it.
            ws_ping_interval=20,
            ws_ping_timeout=20,
            timeout_graceful_shutdown=GRACE_SECONDS,
            lifespan="on",  # Left to guess, it would go on without our jobs.
            access_log=False,
            log_config=None,
            proxy_headers=False,  # The pages see to them, as EVCHARGE_PROXIES says.
            server_header=False,
        )
        super().__init__(config)
        self._when_listening = when_listening
        self._when_stopping = when_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Uvicorn would raise the signal again at the end and exit as if killed.
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Before Uvicorn waits for open requests: hints would keep it waiting.
        self._when_stopping()
        await super().shutdown(sockets)


class AddressTaken(Exception):
    """Another program listens there already."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that will listen there. Raises: AddressTaken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise AddressTaken(
            f"Cannot listen on {host}:{port}: {error.strerror}. "
            "Stop the program that does, or set EVCHARGE_PORT to another port."
        ) from None
    return listener
