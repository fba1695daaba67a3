"""Everything in one process on one port: pages, live hints and jobs.

/live              server-sent events     gateway/
/ocpp/<charger>    websocket              gateway/
everything else    Flask, in threads      app.py
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Event
from typing import cast

from a2wsgi import WSGIMiddleware
from a2wsgi.wsgi_typing import WSGIApp
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from evcharge.app import create_app
from evcharge.gateway.live_hub import LiveHub
from evcharge.gateway.server import routes
from evcharge.kernel.db import Database
from evcharge.kernel.settings import Settings
from evcharge.wiring import JOBS, SCHEDULE
from evcharge.worker import work


def pages(settings: Settings, database: Database) -> ASGIApp:
    # a2wsgi has types of its own for WSGI and ASGI; they mean the same.
    app = cast("WSGIApp", create_app(settings, database))
    return cast("ASGIApp", WSGIMiddleware(app, workers=settings.web_threads))


def all_in_one(settings: Settings, database: Database, hub: LiveHub) -> Starlette:
    @asynccontextmanager
    async def working(_: Starlette) -> AsyncIterator[None]:
        stop = Event()
        worker = asyncio.create_task(
            asyncio.to_thread(
                work,
                database,
                stop,
                handlers=JOBS,
                schedule=SCHEDULE,
                threads=settings.job_threads,
            )
        )
        try:
            yield
        finally:
            stop.set()
            await worker

    flask = Mount("/", pages(settings, database))
    return Starlette(
        routes=[*routes(hub, settings.secret_key), flask], lifespan=working
    )
