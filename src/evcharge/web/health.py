"""Is the program alive, can it work, and what has it done so far?"""

from hmac import compare_digest
from secrets import token_hex
from time import perf_counter

from flask import Blueprint, Flask, Response, g, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from evcharge.kernel.jobs import backlog
from evcharge.kernel.logs import bind_request
from evcharge.kernel.metrics import JOBS_GIVEN_UP, JOBS_WAITING, REQUESTS
from evcharge.kernel.schema import is_current
from evcharge.web.context import database, public, settings
from evcharge.web.shell import limiter

THIS_MACHINE = ("127.0.0.1", "::1")

blueprint = Blueprint("health", __name__)
limiter.exempt(blueprint)


def install(app: Flask) -> None:
    """Install this first: it measures what the others do."""
    app.before_request(_begin)
    app.after_request(_count)


@blueprint.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """Alive means that a web thread answers; the database is not asked."""
    return {"status": "alive"}


@blueprint.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    try:
        current = is_current(database())
    except SQLAlchemyError:
        return _not_ready("The database cannot be reached.")
    return {"status": "ready"} if current else _not_ready("Run `evcharge db upgrade`.")


@blueprint.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    if not _may_read_metrics():
        return Response("Not for you.", 403, mimetype="text/plain")
    try:
        with database().reading() as session:
            jobs = backlog(session)
        JOBS_WAITING.set(jobs.waiting)
        JOBS_GIVEN_UP.set(jobs.failed)
    except SQLAlchemyError:
        pass  # All other numbers matter most just when the database is away.
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _not_ready(reason: str) -> ResponseReturnValue:
    return {"status": "not ready", "reason": reason}, 503


def _may_read_metrics() -> bool:
    token = settings().metrics_token.get_secret_value()
    if not token:
        # Behind a proxy on this machine, everybody seems to be on this machine.
        is_proxied = "X-Forwarded-For" in request.headers
        return request.remote_addr in THIS_MACHINE and not is_proxied
    given = request.headers.get("Authorization", "")
    return compare_digest(given.encode(), f"Bearer {token}".encode())


def _begin() -> None:
    g.began_at = perf_counter()
    g.request_id = token_hex(8)
    bind_request(g.request_id)


def _count(response: Response) -> Response:
    # Only what we know becomes a label: callers can make up methods and addresses.
    rule = request.url_rule
    method, route = (request.method, rule.rule) if rule else ("any", "unknown")
    seconds = perf_counter() - g.began_at
    REQUESTS.labels(method, route, response.status_code).observe(seconds)
    response.headers["X-Request-Id"] = g.request_id
    return response
