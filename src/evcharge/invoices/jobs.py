"""Documents are made, and mailed, after the commit that calls for them."""

from uuid import UUID

from evcharge.invoices import service
from evcharge.invoices.models import TaxDocument
from evcharge.invoices.printing import filename, pdf
from evcharge.invoices.queries import document_by_id
from evcharge.invoices.rules import TITLES
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.mail import Attachment, Mail, send
from evcharge.kernel.money import rupees


def invoice(database: Database, *, bill_id: str) -> None:
    """Issue the invoice of a bill."""
    database.perform(
        lambda session: service.invoice(session, UUID(bill_id), now=utc_now())
    )


def receipt(
    database: Database, *, payment_id: str, item_id: str, item_kind: str = ""
) -> None:
    """Issue the receipt voucher for an advance. Ids are unique, whatever the kind."""
    database.perform(
        lambda session: service.receipt(
            session, UUID(payment_id), UUID(item_id), now=utc_now()
        )
    )


def refund_paper(database: Database, *, refund_id: str) -> None:
    """Issue the refund voucher, the credit note, or both."""
    database.perform(
        lambda session: service.credit_or_refund_voucher(
            session, UUID(refund_id), now=utc_now()
        )
    )


def mail(database: Database, *, document_id: str) -> None:
    """Send a document to its customer, once unless we die between the two steps."""
    with database.reading() as session:
        document = document_by_id(session, UUID(document_id))
        if document.mailed_at is not None:
            return
        send(_mail(document))
    database.perform(
        lambda session: service.note_mailed(
            session, document_by_id(session, UUID(document_id)), now=utc_now()
        )
    )


def _mail(document: TaxDocument) -> Mail:
    title, customer = TITLES[document.kind], document.customer_details
    supplier = document.supplier_details["trade_name"]
    return Mail(
        to=customer["email"],
        subject=f"{title} {document.number} from {supplier}",
        text=(
            f"Hello {customer['name']},\n\n"
            f"your {title.lower()} {document.number} from {supplier} over"
            f" {rupees(document.total_paise)} is attached.\n"
        ),
        attachments=(Attachment(filename(document), "application/pdf", pdf(document)),),
    )
