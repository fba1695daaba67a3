"""A PDF as an answer to a browser."""

from flask import Response

from evcharge.invoices.models import TaxDocument
from evcharge.invoices.printing import filename, pdf


def pdf_answer(document: TaxDocument) -> Response:
    """Shown by browsers that can; saved under its number by the others."""
    return Response(
        pdf(document),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{filename(document)}"'},
    )
