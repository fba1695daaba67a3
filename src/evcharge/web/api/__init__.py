"""The REST API's own shell: what an operation is, and what every one of them shares."""

from evcharge.web.api.cursors import cursor_of, position_or_none
from evcharge.web.api.operations import Api, SeenVersion
from evcharge.web.api.shapes import (
    WHOLE,
    Answer,
    Body,
    IdempotencyKey,
    Instant,
    Money,
    Page,
    PageQuery,
    Query,
    RowId,
    Text,
    Versioned,
)
from evcharge.web.problems import Problem

__all__ = [
    "WHOLE",
    "Answer",
    "Api",
    "Body",
    "IdempotencyKey",
    "Instant",
    "Money",
    "Page",
    "PageQuery",
    "Problem",
    "Query",
    "RowId",
    "SeenVersion",
    "Text",
    "Versioned",
    "cursor_of",
    "position_or_none",
]
