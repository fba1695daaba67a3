"""What is printed: in words and on paper, whatever somebody is called."""

from dataclasses import asdict

import pytest

from evcharge.invoices.jobs import mail
from evcharge.invoices.models import TaxDocument
from evcharge.invoices.printing import in_print, pdf, png
from evcharge.invoices.rules.words import in_words
from evcharge.invoices.service import invoice
from evcharge.stations.models import Evse
from evcharge.tariffs.rules import Reading, Terms, Usage, cost_of
from evcharge.taxes.rules import Treatment, take_tax_out
from make import HOUR, NOON, a_user
from papers import a_bill

HINDI = "आशा राव — विद्युत क्षेत्र"
ENERGY_AT_19 = {"components": [{"type": "ENERGY", "price_paise": 1_900}]}
HOSTILE = '#panic("x") $a^2$ *b* \\ "] #read("/etc/passwd") <b> @me'


@pytest.fixture
def issue(database, shop):
    def make(name="Asha Rao", **columns):
        with database.transaction() as session:
            user = a_user(session, name=name)
            registered = {"registration_id": shop.registration_id}
            bill = a_bill(
                session,
                session.get_one(Evse, shop.evse_id),
                user_id=user.id,
                **(registered | columns),
            )
            return invoice(session, bill.id, now=NOON)

    return make


def test_the_same_document_is_the_same_file_each_time(issue):
    document = issue()

    assert pdf(document) == pdf(document)


@pytest.mark.parametrize("name", [HOSTILE, "]", '"', "\\", "#", "A" * 120])
def test_what_somebody_is_called_is_never_read_as_markup(issue, name):
    document = issue(name)

    assert pdf(document).startswith(b"%PDF")
    assert in_print(document)["customer"]["name"] == name


def test_hindi_is_set_in_a_font_that_has_it(issue):
    """Shapes it does not have would be boxes, all alike."""
    one, other = png(issue(HINDI)), png(issue("क" * len(HINDI)))

    assert one != other
    assert b"Devanagari" in pdf(issue(HINDI))
    assert b"Devanagari" not in pdf(issue("Asha Rao"))


def test_within_the_state_two_taxes_are_stated_and_across_it_one(issue):
    across = {"cgst_paise": 0, "sgst_paise": 0, "igst_paise": 1_800}

    assert in_print(issue())["sums"] == [
        ("Taxable value", "₹100.00"),
        ("CGST 9 %", "₹9.00"),
        ("SGST 9 %", "₹9.00"),
        ("Rounding", "₹0.00"),
    ]
    assert ("IGST 18 %", "₹18.00") in in_print(issue(**across))["sums"]


@pytest.mark.parametrize("terms", [{"min_price_paise": 2_000}, {"max_price_paise": 50}])
def test_a_least_or_highest_price_is_a_line_without_quantity_and_price(issue, terms):
    tariff = Terms.from_json({"elements": [ENERGY_AT_19], **terms})
    readings = (Reading(NOON, 0), Reading(NOON + HOUR, 656))
    usage = Usage(NOON, NOON + HOUR, readings, NOON + HOUR, None)
    cost = cost_of(tariff, usage, "Asia/Kolkata")
    document = issue(lines=[asdict(line) for line in cost.lines])

    [_, limited] = in_print(document)["lines"]

    assert limited[1:3] == ["", ""]
    assert pdf(document).startswith(b"%PDF")


def test_rounding_is_stated(issue):
    total = next(
        paise
        for paise in range(1, 1_000)
        if take_tax_out(paise, Treatment(18)).rounding_paise == -1
    )
    taxed = take_tax_out(total, Treatment(18))

    printed = in_print(issue(**vars(taxed), includes_tax=True))

    assert ("Rounding", "−₹0.01") in printed["sums"]
    assert any("stated as rounding" in note for note in printed["notes"])
    assert printed["lines_heading"] == "Amount with tax"


def test_what_is_still_owed_is_said(issue):
    assert ("Still to pay", "₹18.00") in in_print(
        issue(paid_paise=10_000, due_paise=1_800)
    )["settled"]


@pytest.mark.parametrize(
    ("paise", "words"),
    [
        (0, "Zero rupees only"),
        (100, "One rupee only"),
        (4_28_06, "Four hundred twenty-eight rupees and six paise only"),
        (
            1_23_456_50,
            "One lakh twenty-three thousand four hundred fifty-six rupees"
            " and fifty paise only",
        ),
        (2_00_00_000_00, "Two crore rupees only"),
    ],
)
def test_amounts_are_put_in_lakh_and_crore(paise, words):
    assert in_words(paise) == words


def test_a_document_is_mailed_once_with_the_pdf(issue, database, caplog):
    document = issue()

    with caplog.at_level("INFO", "evcharge.kernel.mail"):
        mail(database, document_id=str(document.id))
        mail(database, document_id=str(document.id))

    [said] = [record.getMessage() for record in caplog.records]
    assert document.customer_details["email"] in said
    assert "TI-25-26-0000001.pdf" in said
    with database.reading() as session:
        assert session.get_one(TaxDocument, document.id).mailed_at is not None
