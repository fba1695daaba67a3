"""Numbers are consecutive: nobody at work at the same time makes a gap or a double."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from evcharge.invoices.models import TaxDocument
from evcharge.invoices.rules import (
    DocumentKind,
    SeriesFull,
    financial_year,
    issued_on,
    number_of,
)
from evcharge.invoices.service import invoice
from evcharge.kernel.db import Database
from evcharge.stations.models import Evse
from make import NOON, a_user
from papers import a_bill, a_registration

INVOICES = 200
AT_ONCE = 16


class Crash(Exception):
    """The process died before its commit."""


def some_bills(database, shop, count):
    with database.transaction() as session:
        evse = session.get_one(Evse, shop.evse_id)
        return [
            a_bill(
                session,
                evse,
                user_id=shop.user_id,
                registration_id=shop.registration_id,
            ).id
            for _ in range(count)
        ]


def issue_all(database: Database, bill_ids, *, fail_every=0):
    """Issue each bill's invoice in threads; some die once after taking a number."""
    died = []

    def issue_one(place, bill_id):
        def action(session):
            invoice(session, bill_id, now=NOON)
            if fail_every and place % fail_every == 0 and place not in died:
                died.append(place)
                raise Crash

        try:
            database.perform(action)
        except Crash:
            database.perform(action)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(issue_one, *zip(*enumerate(bill_ids), strict=True)))
    return died


def sequences(database):
    with database.reading() as session:
        return sorted(session.scalars(select(TaxDocument.sequence)))


def test_200_invoices_at_once_have_no_gap_and_no_double(database, shop):
    issue_all(database, some_bills(database, shop, INVOICES))

    assert sequences(database) == list(range(1, INVOICES + 1))


def test_those_who_die_after_taking_a_number_leave_no_gap(database, shop):
    died = issue_all(database, some_bills(database, shop, INVOICES), fail_every=5)

    assert len(died) == INVOICES // 5
    assert sequences(database) == list(range(1, INVOICES + 1))


def test_without_the_lock_of_the_series_two_take_one_number(
    database, shop, monkeypatch
):
    """What the lock is for. SQLite has one writer at a time anyway."""
    if database.is_sqlite:
        return
    monkeypatch.setattr(Select, "with_for_update", lambda self: self)

    with pytest.raises(IntegrityError, match="tax_documents"):
        issue_all(database, some_bills(database, shop, INVOICES))


def test_one_bill_asked_for_by_many_at_once_has_one_invoice(database, shop):
    issue_all(database, some_bills(database, shop, 1) * 20)

    assert sequences(database) == [1]


@pytest.mark.parametrize(
    ("at", "day", "year"),
    [
        (datetime(2027, 3, 31, 18, 29, tzinfo=UTC), date(2027, 3, 31), 2026),
        (datetime(2027, 3, 31, 18, 30, tzinfo=UTC), date(2027, 4, 1), 2027),
    ],
)
def test_the_financial_year_ends_at_midnight_in_india(at, day, year):
    assert issued_on(at) == day
    assert financial_year(day) == year


def test_each_financial_year_begins_with_one(database, shop):
    bills = some_bills(database, shop, 3)
    moments = [
        NOON,
        datetime(2026, 3, 31, 18, 29, tzinfo=UTC),
        datetime(2026, 3, 31, 18, 30, tzinfo=UTC),
    ]
    with database.transaction() as session:
        numbers = [
            invoice(session, bill, now=at).number
            for bill, at in zip(bills, moments, strict=True)
        ]

    assert numbers == ["TI/25-26/0000001", "TI/25-26/0000002", "TI/26-27/0000001"]


def test_each_gstin_and_each_kind_has_its_own_series(database, shop):
    with database.transaction() as session:
        evse = session.get_one(Evse, shop.evse_id)
        second = a_registration(
            session, evse.charger.location, gstin="27AAPFU0939F1ZV", state="Maharashtra"
        )
        who = {"user_id": a_user(session).id}
        papers = [
            invoice(session, a_bill(session, evse, **who, **more).id, now=NOON)
            for more in (
                {"registration_id": shop.registration_id},
                {"registration_id": second.id},
                {"registration_id": None},
            )
        ]

        assert [paper.sequence for paper in papers] == [1, 1, 1]
        assert papers[2].kind == DocumentKind.BILL_OF_SUPPLY
        assert papers[2].supplier == f"operator-{shop.operator_id}"


def test_numbers_have_at_most_16_characters():
    for kind in DocumentKind:
        assert len(number_of(kind, 2026, 9_999_999)) == 16

    with pytest.raises(SeriesFull):
        number_of(DocumentKind.TAX_INVOICE, 2026, 10_000_000)
