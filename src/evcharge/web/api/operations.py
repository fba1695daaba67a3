"""An operation of the REST API: what it takes, what it answers, how it refuses.

    api = Api("bookings")

    @api.post("/bookings", guard=login_required, status=201, refuses=(SlotTaken,))
    def create_booking(body: NewBooking, key: IdempotencyKey) -> BookingAnswer:
        '''Book a slot.'''

The signature says the rest: a Body is the JSON, a Query the part of the address behind
the question mark, an IdempotencyKey or SeenVersion a header, anything else a part
of the path. It is read once, when the module is imported.
"""

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from flask import Blueprint, Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict

from evcharge.kernel.errors import DomainError
from evcharge.web.api.access import limit
from evcharge.web.api.shapes import Body, IdempotencyKey, Query, Versioned
from evcharge.web.problems import (
    API_ROOT,
    MOST_PROBLEMS,
    FieldProblem,
    Malformed,
    NotJson,
    Problem,
    VersionMissing,
    malformed,
)

# Many times what any operation needs; each byte of nonsense costs time to refuse.
LONGEST_BODY = 100_000

View = Callable[..., Any]
Guard = Callable[[View], View]
Q = TypeVar("Q", bound=Query)
B = TypeVar("B", bound=Body)


class SeenVersion(int):
    """The version named by If-Match: what the caller has seen of what they edit.

    What was never an ETag of ours is a version that nothing has.
    """


NO_VERSION = SeenVersion(-1)
# Whoever compresses an answer marks its ETag: we by "3:br", Apache by "3-gzip", nginx
# by W/"3". It is the same version all the same.
_ETAG = re.compile(r'(?:W/)?"?(?P<version>[0-9]{1,9})(?:[:-][a-z]+)?"?')


@dataclass(frozen=True)
class Operation:
    """One method at one address."""

    method: str
    rule: str
    view: View
    guard: str
    status: int
    refuses: Sequence[type[DomainError]]
    problem: type[Problem]
    answer: type[BaseModel] | None
    location: str | None = None
    body: tuple[str, type[Body]] | None = None
    needs_body: bool = True
    query: tuple[str, type[Query]] | None = None
    key: str | None = None
    seen: str | None = None

    @property
    def name(self) -> str:
        return self.view.__name__

    def respond(self, path: dict[str, Any]) -> Response:
        answer = self.view(**path, **self._arguments())
        if answer is None:
            empty = Response(status=self.status)
            del empty.headers["Content-Type"]
            return empty
        response = Response(
            answer.__pydantic_serializer__.to_json(answer, by_alias=True),
            self.status,
            mimetype="application/json",
        )
        if isinstance(answer, Versioned):
            response.headers["ETag"] = f'"{answer.version}"'
        if self.location is not None:
            place = self.location.format_map(vars(answer))
            response.headers["Location"] = API_ROOT + place
        return response

    def _arguments(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self.query is not None:
            name, query = self.query
            found[name] = query_from(query, request.args)
        elif request.args:
            unknown = islice(request.args, MOST_PROBLEMS)
            raise Malformed(problems=[_unknown(name) for name in unknown])
        if self.key is not None:
            found[self.key] = _key()
        if self.body is not None:
            name, body = self.body
            found[name] = _body(body, is_needed=self.needs_body)
        # Last: what is refused anyway has no precondition (RFC 9110, section 13.2.1).
        if self.seen is not None:
            found[self.seen] = _seen_version()
        return found


def _unknown(name: str) -> FieldProblem:
    return FieldProblem(where="query", field=name, message="There is no such parameter")


def query_from(model: type[Q], given: MultiDict[str, str]) -> Q:
    """Read parameters; only those that are lists may come more than once.

    Raises: Malformed.
    """
    values: dict[str, Any] = {}
    for name, texts in given.lists():
        is_list = name in model.model_fields and _is_list(
            model.model_fields[name].annotation
        )
        values[name] = texts if is_list or len(texts) > 1 else texts[0]
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise malformed("query", error) from error


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) in (list, tuple, frozenset)


def _key() -> IdempotencyKey:
    given = request.headers.get("Idempotency-Key")
    try:
        return IdempotencyKey.model_validate(
            {} if given is None else {"Idempotency-Key": given}
        )
    except ValidationError as error:
        raise malformed("header", error) from error


def _seen_version() -> SeenVersion:
    """Raises: VersionMissing."""
    given = request.headers.get("If-Match")
    if given is None:
        raise VersionMissing
    found = _ETAG.fullmatch(given.strip())
    return SeenVersion(found["version"]) if found else NO_VERSION


def _body(model: type[B], *, is_needed: bool) -> B | None:
    """Raises: NotJson, Malformed."""
    request.max_content_length = LONGEST_BODY
    content = request.get_data()
    if not content and not is_needed:
        return None
    if request.mimetype != "application/json":
        raise NotJson
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise malformed("body", error) from error


@dataclass
class Api:
    """The operations of one feature."""

    feature: str
    operations: list[Operation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.blueprint = Blueprint(f"{self.feature}_api", __name__, url_prefix=API_ROOT)
        limit(self.blueprint)

    def get(self, rule: str, **about: Any) -> Callable[[View], View]:
        return self._operation("GET", rule, **about)

    def post(self, rule: str, **about: Any) -> Callable[[View], View]:
        return self._operation("POST", rule, **about)

    def patch(self, rule: str, **about: Any) -> Callable[[View], View]:
        return self._operation("PATCH", rule, **about)

    def delete(self, rule: str, **about: Any) -> Callable[[View], View]:
        return self._operation("DELETE", rule, **about)

    def _operation(
        self,
        method: str,
        rule: str,
        *,
        guard: Guard,
        status: int = 200,
        refuses: Sequence[type[DomainError]] = (),
        problem: type[Problem] = Problem,
        location: str | None = None,
    ) -> Callable[[View], View]:
        def add(view: View) -> View:
            def respond(**path: Any) -> Response:
                return operation.respond(path)

            respond.__name__ = view.__name__
            guarded = guard(respond)
            guarded.problem = problem  # type: ignore[attr-defined]
            operation = Operation(
                method=method,
                rule=rule,
                view=view,
                guard=guarded.guard,  # type: ignore[attr-defined]
                status=status,
                refuses=refuses,
                problem=problem,
                location=location,
                **_signature(view),
            )
            self.operations.append(operation)
            self.blueprint.add_url_rule(rule, view_func=guarded, methods=[method])
            return view

        return add


def _signature(view: View) -> dict[str, Any]:
    hints = get_type_hints(view)
    answer = hints.pop("return", NoneType)
    found: dict[str, Any] = {"answer": None if answer is NoneType else answer}
    for name in inspect.signature(view).parameters:
        kind, is_optional = _without_none(hints[name])
        if issubclass(kind, Body):
            found |= {"body": (name, kind), "needs_body": not is_optional}
        elif issubclass(kind, Query):
            found["query"] = (name, kind)
        elif issubclass(kind, IdempotencyKey):
            found["key"] = name
        elif issubclass(kind, SeenVersion):
            found["seen"] = name
    return found


def _without_none(hint: Any) -> tuple[type, bool]:
    if get_origin(hint) not in (Union, UnionType):
        return hint, False
    return next(each for each in get_args(hint) if each is not NoneType), True
