"""Refusals of the REST API as `application/problem+json` (RFC 9457).

400 is what does not fit the published schema; 422 is what fits it and still breaks a
rule. So a client that follows the schema never sees the first.
"""

from typing import Any

from flask import Response, current_app, request
from pydantic import BaseModel, Field, ValidationError
from werkzeug.http import HTTP_STATUS_CODES

from evcharge.kernel.errors import DomainError, InvalidInput

API_ROOT = "/api/v1"
MEDIA_TYPE = "application/problem+json"
MOST_PROBLEMS = 20


class FieldProblem(BaseModel):
    """What is wrong with one part of a request."""

    where: str = Field(description="`body`, `query` or `header`")
    field: str = Field(description="Its path, such as `evse_id` or `from.lat`")
    message: str


class Problem(BaseModel):
    """Why a request was refused. Programs go by `code`, people by `detail`."""

    type: str = Field(description="Where the code is explained")
    title: str = Field(description="The HTTP status in words")
    status: int
    code: str = Field(description="Stable: it is never renamed")
    detail: str = Field(description="A sentence for people")
    problems: list[FieldProblem] | None = None


class Malformed(InvalidInput):
    """`details["problems"]` is a list of FieldProblem."""

    code = "invalid_request"
    message = "The request does not fit the schema of this operation."


class NotJson(DomainError):
    code = "unsupported_media_type"
    message = "Send JSON, with the header Content-Type: application/json."


class VersionMissing(DomainError):
    code = "precondition_required"
    message = "Say in If-Match which version you have seen: the ETag of your GET."


class VersionStale(DomainError):
    code = "edited_meanwhile"
    message = "Someone else changed this since you read it. Read it again, then edit."


class BadCursor(InvalidInput):
    code = "bad_cursor"
    message = "This cursor is not one of ours. Begin without one."


# Codes of what the server refuses before any operation is asked.
CODES = {
    400: Malformed.code,
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "too_large",
    415: NotJson.code,
    429: "too_many_requests",
    500: "internal_error",
    503: "unavailable",
}
DETAILS = {
    400: Malformed.message,
    404: "There is nothing at this address.",
    405: "This address does not take that method. Allow says which it takes.",
    408: "The request came too slowly to be read. Nothing was changed.",
    413: "That is more than 100 kB. Nothing was changed.",
    429: "That was a lot at once. Wait as long as Retry-After says.",
    500: "Something broke on our side. It is logged under the X-Request-Id.",
    503: "Busy, or what we depend on does not answer. Try again in a moment.",
}


def is_of_api(path: str) -> bool:
    return f"{path}/".startswith(API_ROOT + "/")


def is_for_api() -> bool:
    return is_of_api(request.path)


# A regular expression tells people nothing, and the documentation shows it anyway.
_WORDS = {"string_pattern_mismatch": "Does not have the form that is documented"}


def malformed(where: str, error: ValidationError) -> Malformed:
    """Say what did not fit, without repeating what was sent."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return Malformed(
        problems=[
            FieldProblem(
                where=where,
                field=".".join(str(part) for part in problem["loc"]),
                message=_WORDS.get(
                    problem["type"], problem["msg"].removeprefix("Value error, ")
                ),
            )
            for problem in found[:MOST_PROBLEMS]
        ]
    )


def problem(
    status: int, code: str, detail: str, details: dict[str, Any] | None = None
) -> Response:
    """Make the answer. Of `details` only those travel that the operation publishes."""
    view = current_app.view_functions.get(request.endpoint or "")
    model: type[Problem] = getattr(view, "problem", Problem)
    given = details or {}
    published = {name: given[name] for name in given.keys() & model.model_fields}
    body = model(**published | _said(status, code, detail))
    return Response(
        body.model_dump_json(exclude_none=True), status, content_type=MEDIA_TYPE
    )


def early_problem(status: int) -> str:
    """Say the same of a request that was refused before Flask was asked."""
    said = _said(status, CODES[status], DETAILS[status])
    return Problem(**said).model_dump_json(exclude_none=True)


def _said(status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": f"/api/docs#{code}",
        "title": HTTP_STATUS_CODES.get(status, "Unknown"),
        "status": status,
        "code": code,
        "detail": detail,
    }
