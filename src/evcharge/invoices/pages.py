"""Documents for whom they were made out to."""

from uuid import UUID

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from evcharge.invoices.answers import pdf_answer
from evcharge.invoices.models import TaxDocument
from evcharge.invoices.printing import in_print
from evcharge.invoices.queries import document_of_guest, document_of_user
from evcharge.web.context import current_user, login_required, public, reading
from evcharge.web.links import read

pages = Blueprint("invoices", "evcharge.invoices", template_folder="templates")


@pages.get("/documents/<uuid:document_id>")
@login_required
def document(document_id: UUID) -> ResponseReturnValue:
    found = document_of_user(reading(), document_id, current_user().id)
    return _page(found, url_for(".document_pdf", document_id=document_id))


@pages.get("/documents/<uuid:document_id>.pdf")
@login_required
def document_pdf(document_id: UUID) -> ResponseReturnValue:
    return pdf_answer(document_of_user(reading(), document_id, current_user().id))


@pages.get("/visits/<token>/documents/<uuid:document_id>")
@public
def guest_document(token: str, document_id: UUID) -> ResponseReturnValue:
    """The signed link of a guest is what a login is to others."""
    found = document_of_guest(reading(), document_id, read("visit", token))
    address = url_for(".guest_document_pdf", token=token, document_id=document_id)
    return _page(found, address)


@pages.get("/visits/<token>/documents/<uuid:document_id>.pdf")
@public
def guest_document_pdf(token: str, document_id: UUID) -> ResponseReturnValue:
    return pdf_answer(document_of_guest(reading(), document_id, read("visit", token)))


def _page(document: TaxDocument, pdf_address: str) -> str:
    return render_template(
        "invoices/document.html", printed=in_print(document), pdf_address=pdf_address
    )
