"""A table as a file for spreadsheets, which must not run what somebody typed."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from flask import Response, stream_with_context

# What makes Excel, LibreOffice and Google Sheets take a text for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# A file leaves in pieces of about this size: long ones are never held whole.
PIECE = 32_000


def csv_answer(
    filename: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> Response:
    """Numbers stay numbers; a text that looks like a formula gets an apostrophe."""
    pieces = _pieces(header, rows)
    return Response(
        stream_with_context(piece.encode() for piece in pieces),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


def _pieces(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    file = StringIO()
    writer = csv.writer(file)
    file.write("\ufeff")  # Excel asks for the mark.
    writer.writerow(header)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
        if file.tell() > PIECE:
            yield file.getvalue()
            file.seek(0)
            file.truncate()
    yield file.getvalue()


def _harmless(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(FORMULA_SIGNS):
        return f"'{cell}"
    return "" if cell is None else cell
