"""Documents for whom they were made out to."""

from uuid import UUID

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from evcharge.invoices.models import TaxDocument
from evcharge.invoices.printing import filename, in_print, pdf
from evcharge.invoices.queries import document_of_user
from evcharge.web.context import current_user, login_required, reading

pages = Blueprint("invoices", "evcharge.invoices", template_folder="templates")


@pages.get("/documents/<uuid:document_id>")
@login_required
def document(document_id: UUID) -> ResponseReturnValue:
    found = document_of_user(reading(), document_id, current_user().id)
    return render_template(
        "invoices/document.html", document=found, printed=in_print(found)
    )


@pages.get("/documents/<uuid:document_id>.pdf")
@login_required
def document_pdf(document_id: UUID) -> ResponseReturnValue:
    return pdf_answer(document_of_user(reading(), document_id, current_user().id))


def pdf_answer(document: TaxDocument) -> Response:
    """Shown by browsers that can; saved under its number by the others."""
    return Response(
        pdf(document),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{filename(document)}"'},
    )
