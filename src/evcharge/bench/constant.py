"""The least that Flask can do: the same JSON every time. What ours is compared with."""

from functools import cache
from json import dumps

from flask import Flask, Response

SHORTEST = len('{"items": ""}')


@cache
def constant(size: int) -> bytes:
    """Return JSON of that many bytes."""
    return dumps({"items": "x" * max(0, size - SHORTEST)}).encode()


def make() -> Flask:
    app = Flask(__name__)

    @app.get("/constant/<int:size>")
    def answer(size: int) -> Response:
        return Response(constant(size), mimetype="application/json")

    return app
