"""What goes in and out of the REST API: the models every feature builds on.

The same models validate, serialise and become the OpenAPI document.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
)

from evcharge.web.urls import HIGHEST_ID

Item = TypeVar("Item")

ABOUT_INSTANTS = "RFC 3339, with an offset; answered in UTC"
FIRST_INSTANT = datetime(1, 1, 1, tzinfo=UTC)
LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _written_out(value: Any) -> Any:
    # pydantic alone would take "2026" for seconds since 1970, half an hour into it.
    if isinstance(value, datetime) or _RFC_3339.fullmatch(str(value)):
        return value
    raise ValueError("Write it like 2026-11-24T12:30:00Z, + in an address as %2B")


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:  # The first or the last day of the calendar, elsewhere.
        return FIRST_INSTANT if at.year == 1 else LAST_INSTANT


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_written_out),
    AfterValidator(_in_utc),
    Field(
        strict=False,  # Strictly, what a validator has seen is JSON no more, but text.
        description=ABOUT_INSTANTS,
        examples=["2026-11-24T12:30:00Z"],
    ),
]


def _whole(value: Any) -> Any:
    # 3.0 is an integer to JSON Schema (2020-12, validation, section 6.1.1).
    is_whole = isinstance(value, float) and value.is_integer()
    return int(value) if is_whole else value


# For every int of a Body: Annotated[int, Field(ge=…), WHOLE]. It must come last.
WHOLE = BeforeValidator(_whole)
RowId = Annotated[int, Field(ge=1, le=HIGHEST_ID), WHOLE]
# What PostgreSQL keeps as text: everything but NUL.
NO_NUL = r"^[^\x00]*$"
Text = Annotated[str, Field(pattern=NO_NUL)]


class Body(BaseModel):
    """A request's JSON. Strict: "12" is no number, and unknown names are refused."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False
    )


class Query(BaseModel):
    """The part of an address behind the question mark; everything there is text."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Answer(BaseModel):
    """What we send."""

    model_config = ConfigDict(frozen=True)


class Versioned(Answer):
    """What can be edited. Its version is also the ETag, to be sent back as If-Match."""

    version: int


class Money(Answer):
    amount_paise: int
    currency: Literal["INR"] = "INR"

    @classmethod
    def of(cls, paise: int) -> Self:
        return cls(amount_paise=paise)


class Page(Answer, Generic[Item]):
    """Part of a list. `next_cursor` fetches the next part; null: this is the last."""

    items: list[Item]
    next_cursor: str | None


class PageQuery(Query):
    limit: int = Field(default=20, ge=1, le=100, description="How many at most")
    cursor: str | None = Field(
        default=None,
        min_length=1,
        max_length=500,
        description="`next_cursor` of the part before; the other parameters as then",
    )


class IdempotencyKey(BaseModel):
    """A header. Sent twice, the same key does the thing once."""

    model_config = ConfigDict(frozen=True)

    idempotency_key: str | None = Field(
        default=None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Yours to choose, new for each intention, such as a UUID",
    )
