"""GSTINs as drivers and operators type them."""

import pytest
from sqlalchemy import select

from evcharge.taxes.models import TaxCustomer, TaxRegistration
from make import an_operator
from papers import KARNATAKA, MAHARASHTRA

BUSINESS = {"gstin": MAHARASHTRA, "legal_name": "Rao and Sons", "address": "7 Fort"}


def all_of(database, table):
    with database.reading() as session:
        return session.scalars(select(table)).all()


def test_a_driver_has_invoices_made_out_to_a_business_and_back(driver, database):
    driver.post("/account/tax", data=BUSINESS)
    driver.post("/account/tax", data=BUSINESS | {"legal_name": "Rao Brothers"})

    [known] = all_of(database, TaxCustomer)
    assert (known.gstin, known.legal_name) == (MAHARASHTRA, "Rao Brothers")
    assert "Rao Brothers" in driver.get("/account/tax").get_data(as_text=True)

    driver.post("/account/tax/remove")
    assert all_of(database, TaxCustomer) == []


def test_a_wrong_gstin_is_shown_at_its_field(driver, database):
    answer = driver.post("/account/tax", data=BUSINESS | {"gstin": "27AAPFU0939F1ZX"})

    assert answer.status_code == 422
    assert "does not fit the others" in answer.get_data(as_text=True)
    assert all_of(database, TaxCustomer) == []


@pytest.fixture
def operator(database):
    with database.transaction() as session:
        return an_operator(session)


def test_an_operator_adds_its_gstin_once_and_ends_it(operator, database, sign_in):
    browser = sign_in("operator", operator=operator)
    form = BUSINESS | {"gstin": KARNATAKA.lower(), "operator_id": operator.id}

    assert browser.post("/admin/tax", data=form).status_code == 303
    assert browser.post("/admin/tax", data=form).status_code == 409
    [known] = all_of(database, TaxRegistration)
    assert (known.gstin, known.state) == (KARNATAKA, "Karnataka")

    browser.post(f"/admin/tax/{known.id}/end")
    [ended] = all_of(database, TaxRegistration)
    assert ended.ended_at is not None


def test_nobody_touches_the_gstins_of_another_operator(operator, database, sign_in):
    sign_in("admin").post("/admin/tax", data=BUSINESS | {"operator_id": operator.id})
    [known] = all_of(database, TaxRegistration)
    with database.transaction() as session:
        other = an_operator(session, "Other Power")
    stranger = sign_in("operator", operator=other)

    form = BUSINESS | {"gstin": KARNATAKA, "operator_id": operator.id}
    assert stranger.post("/admin/tax", data=form).status_code == 422
    assert stranger.post(f"/admin/tax/{known.id}/end").status_code == 404
    assert MAHARASHTRA not in stranger.get("/admin/tax").get_data(as_text=True)
    [after] = all_of(database, TaxRegistration)
    assert after.ended_at is None
