"""The programs that listen by ASGI; `all_in_one` is pages, hints and jobs together.

/live              server-sent events     gateway/
/ocpp/<charger>    websocket              gateway/
everything else    Flask, in threads      app.py

Nothing here may block the event loop: what touches the database runs in threads.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import WSGIApp
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from evcharge.app import create_app
from evcharge.gateway.body_buffer import BodyBuffer
from evcharge.gateway.live_hub import LiveHub
from evcharge.gateway.server import Server, gateway_only, routes
from evcharge.kernel.db import Database
from evcharge.kernel.hints import hints_between
from evcharge.kernel.settings import Settings
from evcharge.kernel.stopping import stop_in_time
from evcharge.wiring import job_handlers, timetable
from evcharge.worker import Worker

SECONDS_FOR_LAST_JOBS = 1  # After requests had their time, during which jobs ended too.


def run_all_in_one(
    settings: Settings,
    database: Database,
    listener: socket.socket,
    *,
    when_listening: Callable[[], None],
) -> None:
    """Serve everything on one port until told to stop."""
    hub = LiveHub()
    worker = new_worker(settings, database)

    def stop() -> None:
        stop_in_time()
        hub.close()
        worker.ask_to_stop()

    with hints_between(settings.valkey_url, hub.publish) as database.publish:
        app = all_in_one(settings, database, hub, worker)
        server = Server(app, when_listening=when_listening, when_stopping=stop)
        server.run(sockets=[listener])


def run_gateway(
    settings: Settings, listener: socket.socket, *, when_listening: Callable[[], None]
) -> None:
    """Serve the long-lived connections until told to stop."""
    hub = LiveHub()

    def stop() -> None:
        stop_in_time()
        hub.close()

    with hints_between(settings.valkey_url, hub.publish):
        app = gateway_only(hub, settings.secret_key)
        server = Server(app, when_listening=when_listening, when_stopping=stop)
        server.run(sockets=[listener])


def new_worker(settings: Settings, database: Database) -> Worker:
    return Worker(
        database,
        handlers=job_handlers(settings, database),
        schedule=timetable(settings),
        threads=settings.job_threads,
    )


def all_in_one(
    settings: Settings, database: Database, hub: LiveHub, worker: Worker
) -> Starlette:
    @asynccontextmanager
    async def working(_: Starlette) -> AsyncIterator[None]:
        await asyncio.to_thread(worker.start)
        yield
        worker.ask_to_stop()
        await asyncio.to_thread(worker.join, seconds=SECONDS_FOR_LAST_JOBS)

    flask = Mount("/", pages(settings, database))
    return Starlette(
        routes=[*routes(hub, settings.secret_key), flask], lifespan=working
    )


def pages(settings: Settings, database: Database) -> ASGIApp:
    # a2wsgi has types of its own for WSGI and ASGI; they mean the same.
    app = cast("WSGIApp", create_app(settings, database))
    # Without an end to the queue, a thread is not held up by a slow reader.
    flask = WSGIMiddleware(app, workers=settings.web_threads, send_queue_size=0)
    return BodyBuffer(cast("ASGIApp", flask))
