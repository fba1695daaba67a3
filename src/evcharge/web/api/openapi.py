"""The OpenAPI 3.1 document, made from the models that validate and serialise."""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from evcharge.kernel.errors import DomainError
from evcharge.web.api.operations import Operation
from evcharge.web.api.shapes import IdempotencyKey, PageQuery, Versioned
from evcharge.web.context import NO_LIVE_LOGIN, NotYourRole, SignInRequired
from evcharge.web.errors import http_status
from evcharge.web.problems import (
    API_ROOT,
    CODES,
    DETAILS,
    MEDIA_TYPE,
    BadCursor,
    Malformed,
    NotJson,
    VersionMissing,
    VersionStale,
)
from evcharge.web.urls import HIGHEST_ID

Schema = dict[str, Any]
Named = Mapping[Any, Schema]
REF = "#/components/schemas/{model}"
PART = re.compile(r"<(\w+):(\w+)>")
PATH_SCHEMAS: dict[str, Schema] = {
    "int": {"type": "integer", "minimum": 1, "maximum": HIGHEST_ID},
    "uuid": {"type": "string", "format": "uuid"},
}
WORDS = {
    200: "Done",
    201: "Made",
    202: "Asked of the charger",
    204: "Done; there is nothing to say",
    400: "Does not fit this schema",
    401: "No token, or one that has ended",
    403: "Not for this role",
    404: "Not there, or not yours",
    409: "Clashes with how things are now",
    412: "If-Match names another version",
    413: "More than 100 kB",
    415: "Not JSON",
    422: "Fits this schema, and breaks a rule",
    428: "If-Match is missing",
    429: "Too many requests",
    503: "Busy or out of reach; try again",
}
# The parts of the API, in the order in which one comes to need them.
TAGS = {
    "tokens": "How a program logs in and out",
    "locations": "Where to charge",
    "map": "What is where, for a map",
    "places": "Towns, localities and pincodes by name",
    "evses": "When a charging point is free",
    "bookings": "Book a slot, pay, move, cancel, start to charge",
    "dues": "What is still to pay",
    "sessions": "Charge: start, look how it goes, stop",
    "admin locations": "Places, for those who run them",
    "admin chargers": "The devices at a place: their keys, commands and messages",
    "admin evses": "Charging points, their prices, plugs and maintenance",
    "admin commands": "What became of what a charger was asked for",
    "admin blocks": "The end of maintenance",
    "admin bookings": "What drivers have booked at your stations",
    "admin sessions": "Who charges at your stations, and who did",
    "admin tariffs": "What charging costs, where, and what it would come to",
    "admin stats": "How your network does",
}
LIMITS = {
    "X-RateLimit-Limit": "How many calls are allowed in the present stretch",
    "X-RateLimit-Remaining": "How many are left of them",
    "X-RateLimit-Reset": "When the stretch ends, in seconds since 1970",
}


def openapi(operations: Sequence[Operation]) -> Schema:
    """Return the whole document. Operations keep their order."""
    models = list(dict.fromkeys(_models(operations)))
    named, shared = models_json_schema(models, ref_template=REF)
    paths: defaultdict[str, Schema] = defaultdict(dict)
    codes: Schema = {}
    for operation in operations:
        describing = _Describing(operation, named)
        described = describing.operation()
        paths[_path(operation.rule)][operation.method.lower()] = described
        codes |= describing.codes()
    queries = {
        operation.query[1].__name__ for operation in operations if operation.query
    }
    schemas = shared["$defs"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "evcharge",
            "version": version("evcharge"),
            "description": _about(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": API_ROOT}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "x-codes": dict(sorted((codes | _codes_of_any_address()).items())),
        "paths": dict(paths),
        "components": {
            # Queries are taken apart into parameters; as a whole nobody sends them.
            "schemas": {
                name: schema for name, schema in schemas.items() if name not in queries
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "From POST /tokens or the account page",
                }
            },
        },
    }


def _codes_of_any_address() -> Schema:
    """Those of what is refused before an operation is asked."""
    return {
        code: {"status": status, "detail": DETAILS[status]}
        for status, code in CODES.items()
        if code not in (Malformed.code, NotJson.code)
    }


def _about() -> str:
    return (
        "Find a charger, book a slot, pay for it; run a network. Instants are RFC 3339 "
        "in UTC, money is whole paise. A request that does not fit this document is "
        "refused with 400; one that fits and breaks a rule with 422."
    )


def _models(
    operations: Iterable[Operation],
) -> Iterator[tuple[type[BaseModel], JsonSchemaMode]]:
    for operation in operations:
        for taken in (operation.body, operation.query):
            if taken is not None:
                yield taken[1], "validation"
        if operation.answer is not None:
            yield operation.answer, "serialization"
        yield operation.problem, "serialization"


def _path(rule: str) -> str:
    return PART.sub(r"{\2}", rule)


@dataclass(frozen=True)
class _Describing:
    """One operation in OpenAPI's words."""

    of: Operation
    named: Named

    def operation(self) -> Schema:
        summary, _, more = (inspect.getdoc(self.of.view) or "").partition("\n\n")
        found: Schema = {
            "operationId": self.of.name,
            "summary": summary.rstrip("."),
            "description": more,
            "tags": [self._tag()],
            "parameters": list(self._parameters()),
            "responses": self._responses(),
            "security": [] if self.of.guard == "public" else [{"token": []}],
            "x-guard": self.of.guard,
        }
        if self.of.body is not None:
            schema = self.named[(self.of.body[1], "validation")]
            found["requestBody"] = {
                "required": self.of.needs_body,
                "content": {"application/json": {"schema": schema}},
            }
        return found

    def _tag(self) -> str:
        parts = self.of.rule.strip("/").split("/")
        return " ".join(parts[:2]) if parts[0] == "admin" else parts[0]

    def _parameters(self) -> Iterator[Schema]:
        for kind, name in PART.findall(self.of.rule):
            yield {
                "name": name,
                "in": "path",
                "required": True,
                "schema": PATH_SCHEMAS[kind],
            }
        if self.of.query is not None:
            yield from _headers_or_query(self.of.query[1], "query")
        if self.of.key is not None:
            yield from _headers_or_query(IdempotencyKey, "header")
        if self.of.seen is not None:
            yield {
                "name": "If-Match",
                "in": "header",
                "required": True,
                "description": "The ETag of what you read",
                "schema": {"type": "string", "examples": ['"3"']},
            }

    def _responses(self) -> Schema:
        found: Schema = {str(self.of.status): self._success()}
        by_status: defaultdict[int, set[str]] = defaultdict(set)
        for status, code, _ in self._refusals():
            by_status[status].add(code)
        for status in sorted(by_status):
            found[str(status)] = self._refusal(status, sorted(by_status[status]))
        return found

    def _success(self) -> Schema:
        headers = _headers(LIMITS)
        found: Schema = {"description": WORDS[self.of.status], "headers": headers}
        if self.of.answer is None:
            return found
        if issubclass(self.of.answer, Versioned):
            etag = {"ETag": "Its version, for If-Match when editing"}
            found["headers"] |= _headers(etag)
        if self.of.location is not None:
            found["headers"] |= _headers({"Location": "Where it can be read again"})
        schema = self.named[(self.of.answer, "serialization")]
        found["content"] = {"application/json": {"schema": schema}}
        return found

    def _refusal(self, status: int, codes: list[str]) -> Schema:
        schema = self.named[(self.of.problem, "serialization")]
        listed = ", ".join(f"`{code}`" for code in codes)
        return {
            "description": f"{WORDS[status]}: {listed}",
            "x-codes": codes,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }

    def codes(self) -> Schema:
        return {
            code: {"status": status, "detail": detail}
            for status, code, detail in self._refusals()
        }

    def _refusals(self) -> Iterator[tuple[int, str, str]]:
        refuses: list[type[DomainError]] = [*self.of.refuses, Malformed]
        refuses += self._by_guard()
        refuses += self._by_input()
        for refusal in refuses:
            detail = NO_LIVE_LOGIN if refusal is SignInRequired else refusal.message
            yield http_status(refusal()), refusal.code, detail
        statuses = [429, 503]
        statuses += [413] if self.of.body else []
        statuses += [404] if PART.search(self.of.rule) else []
        for status in statuses:
            yield status, CODES[status], DETAILS[status]

    def _by_guard(self) -> Iterator[type[DomainError]]:
        if self.of.guard != "public":
            yield SignInRequired
        if self.of.guard in ("operator", "admin"):
            yield NotYourRole

    def _by_input(self) -> Iterator[type[DomainError]]:
        if self.of.body is not None:
            yield NotJson
        if self.of.query is not None and issubclass(self.of.query[1], PageQuery):
            yield BadCursor
        if self.of.seen is not None:
            yield VersionMissing
            yield VersionStale


def _headers(described: dict[str, str]) -> Schema:
    return {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in described.items()
    }


def _headers_or_query(
    model: type[BaseModel], where: Literal["header", "query"]
) -> Iterator[Schema]:
    whole = model.model_json_schema(ref_template=REF)
    required = whole.get("required", ())
    for name, schema in whole["properties"].items():
        schema.pop("title", None)
        yield {
            "name": name,
            "in": where,
            "required": name in required,
            "description": schema.pop("description", ""),
            "schema": _not_null(schema),
        }


def _not_null(schema: Schema) -> Schema:
    """In an address nothing is null: it is left out."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    left_out = ("anyOf", "default")
    kept = {name: value for name, value in schema.items() if name not in left_out}
    return {**kinds[0], **kept}
