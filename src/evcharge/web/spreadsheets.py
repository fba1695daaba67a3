"""A table as a file for spreadsheets, which must not run what somebody typed."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import StringIO

from flask import Response
from sqlalchemy.orm import Session

from evcharge.kernel.db import Database
from evcharge.web.context import database

# What makes Excel, LibreOffice and Google Sheets take a text for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# A file leaves in pieces of about this size: long ones are never held whole.
PIECE = 32_000


def csv_answer(
    filename: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> Response:
    """Numbers stay numbers; a text that looks like a formula gets an apostrophe."""
    return _answer(filename, _pieces(header, rows))


def streamed_csv(
    filename: str,
    header: Sequence[str],
    rows: Callable[[Session], Iterable[Sequence[object]]],
) -> Response:
    """As `csv_answer`, for tables that are read while they are sent.

    They have a session of their own: the request's is closed by then.
    """
    return _answer(filename, _read(database(), header, rows))


def _read(
    database: Database,
    header: Sequence[str],
    rows: Callable[[Session], Iterable[Sequence[object]]],
) -> Iterator[bytes]:
    with database.reading() as session:
        yield from _pieces(header, rows(session))


def _answer(filename: str, pieces: Iterable[bytes]) -> Response:
    return Response(
        pieces,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


def _pieces(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    file = StringIO()
    writer = csv.writer(file)
    file.write("\ufeff")  # Excel asks for the mark.
    writer.writerow(header)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
        if file.tell() > PIECE:
            yield file.getvalue().encode()
            file.seek(0)
            file.truncate()
    yield file.getvalue().encode()


def _harmless(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(FORMULA_SIGNS):
        return f"'{cell}"
    return "" if cell is None else cell
