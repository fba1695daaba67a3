"""What every answer carries: security headers, and what every template may use."""

from flask import Flask, Response, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from evcharge.kernel.clock import utc_now
from evcharge.web.context import current_user_or_none, settings

# Nothing from elsewhere, nothing inline: a script injected into a page cannot run.
# Forms may also lead to where people pay, if that is elsewhere.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action {forms}",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

# A Valkey that hangs would keep a web thread for 15 seconds by the client's own rules.
IMPATIENT = {"socket_timeout": 1, "socket_connect_timeout": 1, "retry": None}

limiter = Limiter(get_remote_address, headers_enabled=True)


def install(app: Flask) -> None:
    limits = app.extensions["evcharge.settings"]
    app.config.update(
        RATELIMIT_ENABLED=limits.rate_limits,
        RATELIMIT_STORAGE_URI=limits.valkey_url or "memory://",
        RATELIMIT_STORAGE_OPTIONS=IMPATIENT if limits.valkey_url else {},
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=bool(limits.valkey_url),
        # Two counters for each caller. A moving window keeps the time of every call,
        # which took longer than answering most of them.
        RATELIMIT_STRATEGY="sliding-window-counter",
    )
    forms = " ".join(("'self'", *app.extensions["evcharge.page_origins"]))
    policy = CONTENT_SECURITY_POLICY.format(forms=forms)
    app.extensions["evcharge.headers"] = HEADERS | {"Content-Security-Policy": policy}
    app.after_request(_protect)  # Before the limiter's own, so that it runs after it.
    limiter.init_app(app)
    app.context_processor(_context)


def _protect(response: Response) -> Response:
    for name, value in current_app.extensions["evcharge.headers"].items():
        response.headers.setdefault(name, value)
    if response.status_code not in (429, 503):
        response.headers.pop("Retry-After", None)  # The limiter always says when.
    if request.endpoint != "static":
        # Pages show who is signed in and what is free just now.
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _context() -> dict[str, object]:
    return {
        "current_user": current_user_or_none(),
        "demo": settings().demo,
        "now": utc_now(),
    }
