"""Frames: what OCPP-J puts around a message, read from text and written to it.

OCPP-J 1.6, section 4.2; OCPP 2.0.1 edition 3, part 4, section 4.2.
"""

import json
import math
from contextlib import suppress
from enum import StrEnum
from typing import Any, NamedTuple, NoReturn

from evcharge.control.rules import Protocol, names_secret
from evcharge.gateway.errors import CallFailed, Code, spelling

LONGEST_ID = 36
NO_ID = "-1"  # OCPP 2.0.1 edition 3, part 4, section 4.2.3, when it cannot be read.
CALL, RESULT, ERROR = 2, 3, 4
_LENGTHS = {CALL: (4, 4), RESULT: (3, 3), ERROR: (4, 5)}
# More digits fit no number of any message, and reading very many takes long.
_MOST_DIGITS = 18


class Oddity(StrEnum):
    """What is wrong with a frame, counted and logged by these names."""

    BINARY = "binary"
    NOT_JSON = "not_json"
    NOT_AN_ARRAY = "not_an_array"
    UNKNOWN_TYPE = "unknown_type"
    WRONG_LENGTH = "wrong_length"
    BAD_ID = "bad_id"
    BAD_PARTS = "bad_parts"
    UNEXPECTED = "unexpected"


class BadFrame(Exception):
    """A frame that cannot be read. `message_id` is None where none may be answered."""

    def __init__(self, oddity: Oddity, message_id: str | None = NO_ID) -> None:
        super().__init__(oddity.value)
        self.oddity = oddity
        self.message_id = message_id

    def answer(self, protocol: Protocol) -> str | None:
        if self.message_id is None:
            return None
        if protocol == Protocol.OCPP16 and self.oddity == Oddity.UNKNOWN_TYPE:
            return None  # OCPP-J 1.6, section 4.1.3: it is ignored.
        code = _CODES.get(self.oddity, Code.FRAMEWORK)
        if protocol == Protocol.OCPP16 and self.oddity == Oddity.NOT_JSON:
            code = Code.FORMAT
        failed = CallFailed(code, f"This is no message: {self.oddity}")
        return error_text(self.message_id, failed, protocol)


_CODES = {Oddity.UNKNOWN_TYPE: Code.MESSAGE_TYPE}


class Call(NamedTuple):
    id: str
    action: str
    payload: Any


class Result(NamedTuple):
    id: str
    payload: Any


class Failure(NamedTuple):
    id: str
    code: str
    description: str


Frame = Call | Result | Failure


def read_frame(text: str) -> Frame:
    """Return what the frame says; the payload is not looked at. Raises: BadFrame."""
    parts = _parsed(text)
    if not isinstance(parts, list):
        raise BadFrame(Oddity.NOT_AN_ARRAY)
    if not parts:
        raise BadFrame(Oddity.WRONG_LENGTH)
    kind = parts[0]
    if type(kind) is not int or kind not in _LENGTHS:
        raise BadFrame(Oddity.UNKNOWN_TYPE, _readable_id(parts))
    # Nobody answers an answer, however odd it is.
    message_id = _readable_id(parts) if kind == CALL else None
    shortest, longest = _LENGTHS[kind]
    if not shortest <= len(parts) <= longest:
        raise BadFrame(Oddity.WRONG_LENGTH, message_id)
    if not _is_id(parts[1]):
        raise BadFrame(Oddity.BAD_ID, message_id)
    return _framed(kind, parts, message_id)


def _framed(kind: int, parts: list[Any], message_id: str | None) -> Frame:
    if kind == RESULT:
        return Result(parts[1], parts[2])
    if not isinstance(parts[2], str):
        raise BadFrame(Oddity.BAD_PARTS, message_id)
    if kind == CALL:
        return Call(parts[1], parts[2], parts[3])
    return Failure(parts[1], parts[2], str(parts[3]))


def call_text(message_id: str, action: str, payload: Any) -> str:
    return _written([CALL, message_id, action, payload])


def result_text(message_id: str, payload: Any) -> str:
    return _written([RESULT, message_id, payload])


def error_text(message_id: str, failed: CallFailed, protocol: Protocol | None) -> str:
    code = spelling(failed.code, protocol)
    return _written([ERROR, message_id, code, failed.description, {}])


def kept(text: str) -> str:
    """Return a frame as it may be kept and shown, without the keys of its charger."""
    if names_secret(text):
        with suppress(BadFrame):
            text = _written(_without_keys(_parsed(text)))
    return storable(text)


def _without_keys(value: Any) -> Any:
    """Blank what settings are set to whose name, in either version, is a key's."""
    if isinstance(value, list):
        return [_without_keys(each) for each in value]
    if not isinstance(value, dict):
        return value
    variable = value.get("variable")
    name = variable.get("name") if isinstance(variable, dict) else value.get("key")
    if isinstance(name, str) and names_secret(name):
        return _blanked(value)
    return {name: _without_keys(each) for name, each in value.items()}


def _blanked(value: Any) -> Any:
    if isinstance(value, list):
        return [_blanked(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: "(hidden)" if name in ("value", "attributeValue") else _blanked(each)
        for name, each in value.items()
    }


def storable(text: str) -> str:
    """Return a frame as every database can keep it: PostgreSQL has no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text


def _parsed(text: str) -> Any:
    try:
        value = _DECODER.decode(text)
        # Only by an escape can a string hold what no database can.
        return _cleaned(value) if "\\u" in text else value
    except (ValueError, RecursionError):
        raise BadFrame(Oddity.NOT_JSON) from None


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("too many digits")
    return int(digits)


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("too big a number")
    return number


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(
    parse_int=_whole_number, parse_float=_number, parse_constant=_no_number
)
_written = json.JSONEncoder(separators=(",", ":")).encode


def _cleaned(value: Any) -> Any:
    """Replace NULs and halves of characters; the rest of a message is worth keeping."""
    if isinstance(value, str):
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return storable(whole)
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(each) for name, each in value.items()}
    return value


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID


def _readable_id(parts: list[Any]) -> str:
    return parts[1] if len(parts) > 1 and _is_id(parts[1]) else NO_ID
