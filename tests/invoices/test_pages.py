"""Documents are seen by whom they were made out to, and by their operator."""

import csv
from io import StringIO

import pytest

from evcharge.accounts.models import Guest
from evcharge.invoices.rules import DocumentKind
from evcharge.invoices.service import invoice
from evcharge.kernel.clock import utc_now
from evcharge.kernel.ids import new_id
from evcharge.stations.models import Evse
from evcharge.web.links import sign
from make import NOON, an_operator
from papers import KARNATAKA, a_bill


@pytest.fixture
def paper(database, shop, sign_in):
    """The invoice of somebody who is signed in: the browser, and the document."""
    browser = sign_in("driver", name='=Rao <b>"')
    with browser.session_transaction() as cookie:
        user_id = cookie["user_id"]
    with database.transaction() as session:
        bill = a_bill(
            session,
            session.get_one(Evse, shop.evse_id),
            user_id=user_id,
            registration_id=shop.registration_id,
        )
        return browser, invoice(session, bill.id, now=utc_now())


def operator_of(database, sign_in, name):
    with database.transaction() as session:
        operator = an_operator(session, name)
    return sign_in("operator", operator=operator)


def test_its_owner_reads_it_and_opens_the_pdf(paper):
    browser, document = paper

    page = browser.get(f"/documents/{document.id}").get_data(as_text=True)
    pdf = browser.get(f"/documents/{document.id}.pdf")

    assert "TI/" in page
    assert "₹118.00" in page
    assert "One hundred" not in page
    assert "<b>&#34;" not in page
    assert pdf.content_type == "application/pdf"
    assert pdf.data.startswith(b"%PDF")


@pytest.mark.parametrize("ending", ["", ".pdf"])
def test_for_others_it_is_not_there(paper, sign_in, client, ending):
    _, document = paper
    address = f"/documents/{document.id}{ending}"

    assert sign_in("driver").get(address).status_code == 404
    assert sign_in("admin").get(address).status_code == 404
    assert client.get(address).status_code in (302, 303)


def test_a_guest_has_a_link_that_opens_their_own_and_nobody_else_s(
    database, shop, app, client, paper
):
    _, of_somebody_else = paper
    with database.transaction() as session:
        guest = Guest(id=new_id(), email=None, phone=None, created_at=NOON)
        session.add(guest)
        session.flush()
        evse = session.get_one(Evse, shop.evse_id)
        registered = {"registration_id": shop.registration_id}
        bill = a_bill(session, evse, user_id=None, guest_id=guest.id, **registered)
        document = invoice(session, bill.id, now=NOON)
    with app.app_context():
        token, other = sign("visit", guest.id), sign("visit", new_id())
        another_kind = sign("something", guest.id)
    own = f"documents/{document.id}"

    page = client.get(f"/visits/{token}/{own}")
    assert f"/visits/{token}/{own}.pdf" in page.get_data(as_text=True)
    assert client.get(f"/visits/{token}/{own}.pdf").data.startswith(b"%PDF")
    for wrong in (other, another_kind, f"{token}x", "x"):
        assert client.get(f"/visits/{wrong}/{own}").status_code == 404
        assert client.get(f"/visits/{wrong}/{own}.pdf").status_code == 404
    theirs = f"/visits/{token}/documents/{of_somebody_else.id}"
    assert client.get(theirs).status_code == 404


def test_papers_are_listed_with_the_links_of_whoever_looks(app, paper):
    _, document = paper
    with app.test_request_context():
        template = app.jinja_env.get_template("invoices/_documents.html")
        listed = template.module.documents_list

        assert f"/documents/{document.id}.pdf" in listed([document])
        assert f"/visits/abc/documents/{document.id}.pdf" in listed([document], "abc")
        assert listed([]).strip() == ""


def test_its_operator_lists_it_and_another_does_not(paper, database, sign_in):
    _, document = paper
    own = operator_of(database, sign_in, "Test Power")
    other = operator_of(database, sign_in, "Other Power")
    pdf = f"/admin/documents/{document.id}.pdf"

    assert document.number in own.get("/admin/documents").get_data(as_text=True)
    assert own.get(pdf).status_code == 200
    assert document.number not in other.get("/admin/documents").get_data(as_text=True)
    assert other.get(pdf).status_code == 404


def test_a_kind_shows_only_its_own(paper, admin):
    _, document = paper

    def shown(kind):
        page = admin.get(f"/admin/documents?kind={kind}&period=all")
        return document.number in page.get_data(as_text=True)

    assert shown(DocumentKind.TAX_INVOICE)
    assert not shown(DocumentKind.CREDIT_NOTE)


def test_the_file_for_returns_has_numbers_rates_and_places(paper, admin):
    answer = admin.get("/admin/documents.csv?period=all").get_data(as_text=True)

    [row] = csv.DictReader(StringIO(answer.lstrip("\ufeff")))
    assert row["supplier_gstin"] == KARNATAKA
    assert row["place_code"] == "29"
    assert (row["rate_percent"], row["taxable_inr"]) == ("18", "100")
    assert (row["cgst_inr"], row["sgst_inr"], row["igst_inr"]) == ("9", "9", "0")
    assert row["customer_name"].startswith("'=Rao")
