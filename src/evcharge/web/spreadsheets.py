"""A table as a file for spreadsheets, which must not run what somebody typed."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from flask import Response

# What makes Excel, LibreOffice and Google Sheets take a text for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_answer(
    filename: str, header: Sequence[str], rows: Iterable[Sequence[object]]
) -> Response:
    """Numbers stay numbers; a text that looks like a formula gets an apostrophe."""
    file = StringIO()
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return Response(
        file.getvalue().encode("utf-8-sig"),  # Excel asks for the mark.
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


def _harmless(cell: object) -> object:
    if isinstance(cell, str) and cell.startswith(FORMULA_SIGNS):
        return f"'{cell}"
    return "" if cell is None else cell
