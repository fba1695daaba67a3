"""Is the program alive, can it work, and what has it done so far?"""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from evcharge.kernel.schema import is_current
from evcharge.web.context import database, public
from evcharge.web.shell import limiter

health = Blueprint("health", __name__)
limiter.exempt(health)


@health.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """Alive means that a web thread answers; the database is not asked."""
    return {"status": "alive"}


@health.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    try:
        current = is_current(database())
    except SQLAlchemyError:
        return {"status": "not ready", "reason": "The database cannot be reached."}, 503
    if not current:
        return {"status": "not ready", "reason": "Run `evcharge db upgrade`."}, 503
    return {"status": "ready"}
