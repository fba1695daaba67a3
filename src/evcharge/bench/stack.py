"""Runs another Flask program behind the servers that carry ours.

    python -m evcharge.bench.stack serve evcharge.bench.constant
    python -m evcharge.bench.stack web evcharge.bench.constant

The module has a function `make` that returns the program.
"""

import os
import sys
from importlib import import_module
from secrets import token_hex

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from starlette.applications import Starlette
from starlette.routing import Mount

from evcharge.asgi import in_threads
from evcharge.gateway.server import Server, bind
from evcharge.kernel.settings import read_settings

HOST = "127.0.0.1"
# As many as ours has on the same database.
WEB_THREADS = read_settings(secret_key=token_hex(32)).threads


def serve(module: str, port: int) -> None:
    """As `evcharge serve` does it, without gateway and jobs."""
    app: Flask = import_module(module).make()
    flask = in_threads(app, WEB_THREADS)
    server = Server(
        Starlette(routes=[Mount("/", flask)]),
        when_listening=lambda: None,
        when_stopping=flask.close,
    )
    server.run(sockets=[bind(HOST, port)])


def web(module: str, port: int) -> None:
    """As `evcharge web --workers 2` does it."""
    Granian(
        f"{module}:make",
        factory=True,
        interface=Interfaces.WSGI,
        address=HOST,
        port=port,
        workers=2,
        blocking_threads=WEB_THREADS,
        websockets=False,
        log_level=LogLevels.error,
    ).serve()


if __name__ == "__main__":
    _, way, module = sys.argv
    {"serve": serve, "web": web}[way](module, int(os.environ["EVCHARGE_PORT"]))
