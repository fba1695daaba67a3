"""What a value may be, said in words: a JSON schema as a person would put it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evcharge.web.api.shapes import NO_NUL

Schema = Mapping[str, Any]

LONGEST_PATTERN = 40
MOST_VALUES = 6


@dataclass(frozen=True)
class Part:
    """Some words of what a value may be; a name of ours leads to its schema."""

    text: str
    anchor: str | None = None
    is_code: bool = False


def kind(schema: Schema, schemas: Schema) -> Iterator[Part]:
    if "$ref" in schema:
        yield from _named(schema, schemas)
    elif "anyOf" in schema:
        for number, choice in enumerate(schema["anyOf"]):
            if number:
                yield Part(" or ")
            yield from kind(choice, schemas)
    elif schema.get("type") == "array":
        yield Part(f"list of {_count(schema)}")
        yield from kind(schema["items"], schemas)
    elif isinstance(schema.get("additionalProperties"), dict):
        yield Part("by name, ")
        yield from kind(schema["additionalProperties"], schemas)
    else:
        yield from _plain(schema)


def ref_name(schema: Schema) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[1]


def shown(name: str) -> str:
    """`Page_BookingAnswer_` is what pydantic makes of `Page[BookingAnswer]`."""
    return re.sub(r"^(\w+?)_(\w+)_$", r"\1 of \2", name)


def _named(schema: Schema, schemas: Schema) -> Iterator[Part]:
    name = ref_name(schema)
    values = schemas[name].get("enum", ())
    if 0 < len(values) <= MOST_VALUES:
        yield from _one_of(values)
    else:
        yield Part(shown(name), f"schema-{name}")


def _plain(schema: Schema) -> Iterator[Part]:
    if "const" in schema:
        yield Part(str(schema["const"]), is_code=True)
    elif "enum" in schema:
        yield from _one_of(schema["enum"])
    elif schema.get("type") == "string":
        yield from _text(schema)
    else:
        words = {"integer": "whole number", "boolean": "true or false"}
        name = str(schema.get("type", "anything"))
        yield Part(words.get(name, name) + _range(schema))


def _one_of(values: list[Any]) -> Iterator[Part]:
    yield Part("one of ")
    named = values if len(values) <= MOST_VALUES else values[:2]
    for number, value in enumerate(named):
        if number:
            yield Part(", ")
        yield Part(str(value), is_code=True)
    if len(values) > len(named):
        yield Part(f" and {len(values) - len(named)} more")


def _text(schema: Schema) -> Iterator[Part]:
    if "format" in schema:
        words = {"date-time": "time", "uuid": "UUID"}
        name = str(schema["format"])
        yield Part(words.get(name, name))
        return
    # That there is no NUL, nobody has to be told.
    pattern = str(schema.get("pattern", NO_NUL))
    if pattern != NO_NUL and len(pattern) <= LONGEST_PATTERN:
        yield Part("text like ")
        yield Part(pattern, is_code=True)
        return
    length = {"minimum": schema.get("minLength"), "maximum": schema.get("maxLength")}
    limits = _range({name: value for name, value in length.items() if value})
    yield Part(f"text{limits}{' characters' if limits else ''}")


def _range(schema: Schema) -> str:
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    if "exclusiveMinimum" in schema:
        words = [f"more than {schema['exclusiveMinimum']:g}"]
        words += [f"at most {schema['maximum']:g}"] if "maximum" in schema else []
        return ", " + ", ".join(words)
    if lowest is not None and highest is not None:
        return f", {lowest} to {highest}"
    if highest is not None:
        return f", at most {highest}"
    return f", at least {lowest}" if lowest is not None else ""


def _count(schema: Schema) -> str:
    lowest, highest = schema.get("minItems", 0), schema.get("maxItems")
    if highest is None:
        return ""
    return f"{lowest} to {highest}: " if lowest else f"up to {highest}: "
