"""The one place that turns a refusal into an HTTP answer."""

import logging

from flask import Flask, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException

from evcharge.kernel.errors import (
    Conflict,
    DomainError,
    InvalidInput,
    NotAllowed,
    NotFound,
    Unavailable,
)
from evcharge.web.context import SignInRequired, reading
from evcharge.web.problems import (
    CODES,
    DETAILS,
    Malformed,
    NotJson,
    VersionMissing,
    VersionStale,
    is_for_api,
    problem,
)

log = logging.getLogger(__name__)

HTTP_STATUS: dict[type[DomainError], int] = {
    SignInRequired: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    InvalidInput: 422,
    Unavailable: 503,
    Malformed: 400,
    NotJson: 415,
    VersionStale: 412,
    VersionMissing: 428,
}

# What werkzeug's own refusals mean to a person.
MESSAGES = {
    400: "Your browser sent something we could not read. Go back and try again.",
    404: "There is nothing at this address.",
    405: "That cannot be done at this address.",
    408: "Your connection was too slow to finish. Nothing was changed; try again.",
    413: "That is more than we accept at once. Nothing was changed.",
    429: "That was a lot at once. Wait a minute, then try again.",
    500: "Something broke on our side. It is logged. Nothing you paid for is lost.",
}


def http_status(error: DomainError) -> int:
    """Return the status of the nearest kind above `error`; 500 if none is mapped."""
    kinds = (kind for kind in type(error).__mro__ if kind in HTTP_STATUS)
    return HTTP_STATUS[found] if (found := next(kinds, None)) else 500


def install(app: Flask) -> None:
    app.register_error_handler(SignInRequired, _ask_to_log_in)
    app.register_error_handler(DomainError, _answer)
    app.register_error_handler(CSRFError, _answer_stale_form)
    app.register_error_handler(DataError, _answer_unstorable)
    app.register_error_handler(OverflowError, _answer_unstorable)
    app.register_error_handler(HTTPException, _answer_http)


def _ask_to_log_in(error: SignInRequired) -> ResponseReturnValue:
    # A fragment fetched by a script must not turn into a login page.
    is_page = request.method in ("GET", "HEAD") and "fragment" not in request.args
    if is_page and not is_for_api():
        return redirect(url_for("accounts.login", next=request.full_path), code=303)
    return _answer(error)


def _answer(error: DomainError) -> ResponseReturnValue:
    status = http_status(error)
    if is_for_api():
        response = problem(status, error.code, error.message, error.details)
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response
    return _page(error.message, status)


def _answer_stale_form(_error: CSRFError) -> ResponseReturnValue:
    return _page("This form was open for too long. Go back, reload, try again.", 400)


def _answer_unstorable(error: DataError | OverflowError) -> ResponseReturnValue:
    # A number too large for any column, a date beyond the calendar, a NUL in a text:
    # no form of ours sends them. Logged all the same, in case one does.
    log.warning("refused what the database cannot hold", exc_info=error)
    reading().rollback()  # PostgreSQL answers nothing more until then, nor the page.
    return _refusal(400)


def _answer_http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:  # A redirect raised by the router.
        return error
    response = make_response(_refusal(status, error.description))
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _refusal(status: int, description: str | None = None) -> ResponseReturnValue:
    if is_for_api():
        detail = DETAILS.get(status, description or DETAILS[400])
        return problem(status, CODES.get(status, CODES[400]), detail)
    return _page(MESSAGES.get(status, description or MESSAGES[400]), status)


def _page(message: str, status: int) -> ResponseReturnValue:
    return render_template("error.html", message=message, status=status), status
