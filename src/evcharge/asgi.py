"""The programs that listen by ASGI: everything on one port, or the gateway alone.

/live              server-sent events     gateway/
/ocpp/<charger>    websocket              gateway/
everything else    Flask, in threads      app.py

Nothing here may block the event loop: what touches the database runs in threads.
"""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import WSGIApp
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import ASGIApp

from evcharge.app import create_app
from evcharge.gateway.body_buffer import BodyBuffer, in_plain_text
from evcharge.gateway.gateway import Gateway
from evcharge.gateway.live_hub import LiveHub
from evcharge.gateway.server import Server, gateway_only, routes
from evcharge.gateway.versions import VERSIONS
from evcharge.kernel.db import Database
from evcharge.kernel.hints import hints_between
from evcharge.kernel.live import Publish
from evcharge.kernel.settings import Settings
from evcharge.kernel.stopping import stop_in_time
from evcharge.web.problems import MEDIA_TYPE, early_problem, is_of_api
from evcharge.wiring import ON_ANSWERED, SCHEDULE, job_handlers
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
    flask = pages(settings, database)
    worker = new_worker(settings, database)
    chargers = new_gateway(settings, database)
    app = Starlette(
        routes=routes(hub, settings.secret_key, chargers),
        lifespan=partial(_working, worker, chargers),
    )

    # Not a Mount, whose pattern lets no address with a line break through.
    app.router.default = flask

    def stop() -> None:
        stop_in_time()
        hub.close()
        flask.close()
        worker.ask_to_stop()
        chargers.ask_to_stop()

    deliver = to_both(hub.publish, chargers.hear)
    with hints_between(settings.valkey_url, deliver) as database.publish:
        server = Server(app, when_listening=when_listening, when_stopping=stop)
        collect_garbage_less_often()
        server.run(sockets=[listener])


def run_gateway(
    settings: Settings,
    database: Database,
    listener: socket.socket,
    *,
    when_listening: Callable[[], None],
) -> None:
    """Serve the long-lived connections until told to stop."""
    hub = LiveHub()
    chargers = new_gateway(settings, database)

    def stop() -> None:
        stop_in_time()
        hub.close()
        chargers.ask_to_stop()

    deliver = to_both(hub.publish, chargers.hear)
    with hints_between(settings.valkey_url, deliver) as database.publish:
        app = gateway_only(
            hub, settings.secret_key, chargers, lifespan=partial(connected_to, chargers)
        )
        server = Server(app, when_listening=when_listening, when_stopping=stop)
        collect_garbage_less_often()
        server.run(sockets=[listener])


def to_both(one: Publish, other: Publish) -> Publish:
    def deliver(topics: list[str]) -> None:
        one(topics)
        other(topics)

    return deliver


def new_gateway(settings: Settings, database: Database) -> Gateway:
    return Gateway(settings, database, versions=VERSIONS, on_answered=ON_ANSWERED)


def new_worker(settings: Settings, database: Database) -> Worker:
    return Worker(
        database,
        handlers=job_handlers(settings, database),
        schedule=SCHEDULE,
        threads=settings.job_threads,
    )


@asynccontextmanager
async def _working(
    worker: Worker, chargers: Gateway, app: Starlette
) -> AsyncIterator[None]:
    async with connected_to(chargers, app):
        await asyncio.to_thread(worker.start)
        yield
        await asyncio.to_thread(worker.join, seconds=SECONDS_FOR_LAST_JOBS)


@asynccontextmanager
async def connected_to(chargers: Gateway, _: Starlette) -> AsyncIterator[None]:
    chargers.start()
    yield
    await chargers.stop()


def collect_garbage_less_often() -> None:
    """Thousands of sockets are no garbage, and looking through them takes long.

    With 5 000 chargers the collector took a fifth of the time of the event loop.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def pages(settings: Settings, database: Database) -> BodyBuffer:
    return in_threads(create_app(settings, database), settings.threads)


def in_threads(app: Flask, threads: int) -> BodyBuffer:
    # a2wsgi has types of its own for WSGI and ASGI; they mean the same.
    wsgi = cast("WSGIApp", app)
    # Without an end to the queue, a thread is not held up by a slow reader.
    flask = WSGIMiddleware(wsgi, workers=threads, send_queue_size=0)
    return BodyBuffer(cast("ASGIApp", flask), refusal=_refusal)


def _refusal(path: str, status: int) -> Response:
    if not is_of_api(path):
        return in_plain_text(path, status)
    return Response(early_problem(status), status, media_type=MEDIA_TYPE)
