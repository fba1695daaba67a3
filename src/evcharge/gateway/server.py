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
from starlette.types import ASGIApp, Lifespan

from evcharge.gateway.live_hub import LiveHub
from evcharge.gateway.patient_http import PatientHttp, PatientOpening
from evcharge.kernel.errors import DomainError, NotAllowed
from evcharge.kernel.topics import check_topics

GRACE_SECONDS = 5  # For open requests; with the rest of the stop, under eight.
# The longest message of a charger: a stop that tells a charge again, with four values
# for each minute of twelve hours, has 276 KiB. Refused, it would be sent for ever.
LONGEST_FRAME = 512 * 1024
ONLY_SOCKETS = "Chargers connect here by WebSocket, with OCPP 1.6 or 2.0.1."


def routes(
    hub: LiveHub, secret: SecretStr, chargers: ASGIApp | None = None
) -> list[BaseRoute]:
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

    found: list[BaseRoute] = [Route("/live", live)]
    if chargers is not None:
        found.append(WebSocketRoute("/ocpp/{charger:path}", chargers))
        found.append(Route("/ocpp/{charger:path}", _refuse_request))
    return found


def gateway_only(
    hub: LiveHub,
    secret: SecretStr,
    chargers: ASGIApp | None = None,
    lifespan: Lifespan[Starlette] | None = None,
) -> Starlette:
    return Starlette(
        routes=[Route("/healthz", _alive), *routes(hub, secret, chargers)],
        lifespan=lifespan,
    )


async def _alive(_request: Request) -> Response:
    """The pages answer here where both run in one program."""
    return JSONResponse({"status": "alive"})


async def _refuse_request(_request: Request) -> Response:
    return PlainTextResponse(ONLY_SOCKETS, 426, {"Upgrade": "websocket"})


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
            ws=PatientOpening,
            ws_per_message_deflate=False,  # Small messages; some chargers botch it.
            ws_ping_interval=20,
            ws_ping_timeout=20,
            ws_max_size=LONGEST_FRAME,
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
