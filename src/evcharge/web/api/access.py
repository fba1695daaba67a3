"""Who may call the API from where, and how often."""

from hashlib import sha256

from flask import Blueprint, Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_limiter.util import get_remote_address

from evcharge.web.context import settings, token_or_none
from evcharge.web.problems import is_for_api
from evcharge.web.shell import limiter

CALLS = "600 per minute"
CALLS_OF_ADDRESS = "6000 per minute"
A_DAY = 24 * 3600
MAY_SEND = "Authorization, Content-Type, Idempotency-Key, If-Match"
MAY_READ = (
    "ETag, Location, Retry-After, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, "
    "X-Request-Id"
)


class CookiesForPages(SecureCookieSessionInterface):
    """The API has no session: nothing a browser sends by itself can act there."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        return None if is_for_api() else super().open_session(app, request)


def install(app: Flask) -> None:
    app.session_interface = CookiesForPages()
    app.after_request(_share)


def limit(blueprint: Blueprint) -> None:
    """Count calls over the whole API: those of one token, or of one address."""
    limiter.shared_limit(CALLS, scope="api", key_func=caller)(blueprint)
    # Many phones share an address in India, so it may do more than one of them. But
    # it has an end, or whoever makes tokens up would have none.
    limiter.shared_limit(
        lambda: CALLS_OF_ADDRESS,
        scope="api tokens",
        key_func=get_remote_address,
        exempt_when=lambda: token_or_none() is None,
    )(blueprint)


def caller() -> str:
    """Whose calls count together: those of one token, however it is sent."""
    token = token_or_none()
    return sha256(token.encode()).hexdigest() if token else get_remote_address()


def _share(response: Response) -> Response:
    """Let pages of the named origins read what we answer (Fetch standard, CORS)."""
    if not is_for_api():
        return response
    allowed = settings().cors_origins.split()
    origin = request.headers.get("Origin", "")
    response.vary.add("Origin")
    if origin and (origin in allowed or "*" in allowed):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = MAY_READ
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = response.headers.get(
                "Allow", ""
            )
            response.headers["Access-Control-Allow-Headers"] = MAY_SEND
            response.headers["Access-Control-Max-Age"] = str(A_DAY)
    return response
