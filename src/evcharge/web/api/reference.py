"""The OpenAPI document as something to read: what `/api/docs` shows."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup, escape

from evcharge.web.api.examples import curl
from evcharge.web.api.shapes import ABOUT_INSTANTS
from evcharge.web.api.wording import Part, Schema, kind, ref_name, shown

CODE = re.compile(r"`([^`]+)`")
WHO = {
    "public": "Everybody",
    "login": "Any token",
    "operator": "Operators and admins",
    "admin": "Admins",
}
# Refusals that say nothing about what an operation does.
USUAL = frozenset(
    {
        "invalid_request",
        "not_found",
        "not_your_role",
        "sign_in_required",
        "too_large",
        "too_many_requests",
        "unavailable",
        "unsupported_media_type",
    }
)
PLACES = {
    "path": "In the path",
    "query": "After the question mark",
    "header": "Headers",
}


@dataclass(frozen=True)
class Entry:
    """A parameter, a header, or a field."""

    name: str
    kind: tuple[Part, ...]
    about: Markup
    is_needed: bool
    unless_said: str | None


@dataclass(frozen=True)
class Refusal:
    status: int
    code: str


@dataclass(frozen=True)
class Call:
    """An operation: one method at one address."""

    anchor: str
    method: str
    path: str
    summary: str
    about: Markup
    who: str
    parameters: tuple[tuple[str, tuple[Entry, ...]], ...]
    body: tuple[Entry, ...]
    needs_body: bool
    status: int
    answer: tuple[Part, ...]
    has_version: bool
    refusals: tuple[Refusal, ...]
    example: str


@dataclass(frozen=True)
class Group:
    anchor: str
    title: str
    about: str
    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Code:
    code: str
    status: int
    meaning: Markup


@dataclass(frozen=True)
class Shape:
    """A schema: fields, or a closed set of values."""

    anchor: str
    name: str
    about: Markup
    fields: tuple[Entry, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    groups: tuple[Group, ...]
    codes: tuple[Code, ...]
    shapes: tuple[Shape, ...]
    usual: tuple[str, ...] = tuple(sorted(USUAL))


def reference(document: Schema) -> Reference:
    return _Reading(document).whole()


def prose(text: str) -> Markup:
    """`names` as code, one space for any; everything else is only text."""
    flat = " ".join(text.split())
    return Markup(CODE.sub(r"<code>\1</code>", str(escape(flat))))  # noqa: S704


class _Reading:
    def __init__(self, document: Schema) -> None:
        self.paths: Schema = document["paths"]
        self.tags: list[Schema] = document["tags"]
        self.codes: Schema = document["x-codes"]
        self.schemas: Schema = document["components"]["schemas"]

    def whole(self) -> Reference:
        return Reference(
            groups=tuple(self._groups()),
            codes=tuple(
                Code(code, about["status"], prose(about["detail"]))
                for code, about in self.codes.items()
            ),
            shapes=tuple(
                self._shape(name, schema)
                for name, schema in sorted(self.schemas.items())
            ),
        )

    def _groups(self) -> Iterator[Group]:
        for tag in self.tags:
            if calls := tuple(self._calls(tag["name"])):
                title = tag["name"].replace("evses", "EVSEs")
                yield Group(
                    anchor="calls-" + tag["name"].replace(" ", "-"),
                    title=title[0].upper() + title[1:],
                    about=tag["description"],
                    calls=calls,
                )

    def _calls(self, tag: str) -> Iterator[Call]:
        for path, methods in self.paths.items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    yield self._call(method.upper(), path, operation)

    def _call(self, method: str, path: str, operation: Schema) -> Call:
        status, success = next(iter(operation["responses"].items()))
        body, answer = operation.get("requestBody", {}), _schema_of(success)
        return Call(
            anchor=f"call-{operation['operationId']}",
            method=method,
            path=path,
            summary=operation["summary"],
            about=prose(operation["description"]),
            who=WHO[operation["x-guard"]],
            parameters=tuple(self._parameters(operation["parameters"])),
            body=tuple(self._fields(_schema_of(body))),
            needs_body=body.get("required", False),
            status=int(status),
            answer=tuple(kind(answer, self.schemas)) if answer else (),
            has_version="ETag" in success["headers"],
            refusals=tuple(_refusals(operation["responses"])),
            example=curl(method, path, operation, self.schemas),
        )

    def _parameters(
        self, parameters: list[Schema]
    ) -> Iterator[tuple[str, tuple[Entry, ...]]]:
        for place, title in PLACES.items():
            entries = tuple(
                self._entry(
                    each["name"],
                    each["schema"],
                    about=each.get("description") or _about(each["schema"]),
                    is_needed=each["required"],
                )
                for each in parameters
                if each["in"] == place
            )
            if entries:
                yield title, entries

    def _shape(self, name: str, schema: Schema) -> Shape:
        return Shape(
            anchor=f"schema-{name}",
            name=shown(name),
            about=prose(schema.get("description", "")),
            fields=tuple(self._fields(schema)),
            values=tuple(map(str, schema.get("enum", ()))),
        )

    def _fields(self, schema: Schema) -> Iterator[Entry]:
        if "$ref" in schema:
            schema = self.schemas[ref_name(schema)]
        is_sent_to_us = schema.get("additionalProperties") is False
        needed = schema.get("required", ()) if is_sent_to_us else ()
        for name, field in schema.get("properties", {}).items():
            about, is_needed = _about(field), name in needed
            yield self._entry(name, field, about=about, is_needed=is_needed)

    def _entry(
        self, name: str, schema: Schema, *, about: str, is_needed: bool
    ) -> Entry:
        default = schema.get("default")
        return Entry(
            name=name,
            kind=tuple(kind(schema, self.schemas)),
            about=prose(about),
            is_needed=is_needed,
            unless_said=None if default in (None, [], "") else json.dumps(default),
        )


def _schema_of(message: Schema) -> Schema:
    """The JSON of a request or an answer; an empty schema where there is none."""
    schema: Schema = (
        message.get("content", {}).get("application/json", {}).get("schema", {})
    )
    return schema


def _refusals(responses: Schema) -> Iterator[Refusal]:
    """Those that are particular to an operation."""
    for status, response in responses.items():
        for code in response.get("x-codes", ()):
            if code not in USUAL:
                yield Refusal(int(status), code)


def _about(schema: Schema) -> str:
    """A description, which may stand at the part that is not null."""
    inner: Schema = next(iter(schema.get("anyOf", ())), {})
    said = str(schema.get("description") or inner.get("description", ""))
    return "" if said == ABOUT_INSTANTS else said  # The page says it once.
