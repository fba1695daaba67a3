"""Cursors: where a list goes on, packed so that nobody comes to rely on what is in it.

They hold positions that the items show anyway, so they are not signed. What comes
back is validated like any other input.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from evcharge.web.problems import BadCursor

T = TypeVar("T")


def cursor_of(position: Any) -> str:
    """Pack a position: a dataclass or tuple of plain values."""
    packed = _packing(position.__class__).dump_json(position)
    return urlsafe_b64encode(packed).decode().rstrip("=")


@cache
def _packing(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)  # Takes longer to make than a page of a list to find.


def position_or_none(cursor: str | None, kind: TypeAdapter[T]) -> T | None:
    """Unpack one of `kind`. Raises: BadCursor."""
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return kind.validate_json(urlsafe_b64decode(padded), strict=True)
    except (ValueError, ValidationError) as error:
        raise BadCursor from error
