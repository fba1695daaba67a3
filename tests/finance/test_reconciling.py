"""Providers, payments and ledger side by side, and what becomes of differences."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from evcharge.finance.jobs import reconcile
from evcharge.finance.models import Difference, Reconciliation
from evcharge.finance.rules import DifferenceKind, DifferenceNotFound, NoteMissing
from evcharge.finance.service import resolve
from evcharge.kernel.clock import utc_now
from evcharge.kernel.errors import Unavailable
from evcharge.ledger.models import LedgerEntry
from evcharge.payments.models import Payment, Refund
from evcharge.payments.rules import Movement, PaymentStatus, RefundStatus
from make import PRICE_PAISE, a_slot, a_user
from old_money import forget_the_ledger

MINUTE = timedelta(minutes=1)


class Books:
    """A provider that says what a test wants it to say."""

    name = "simulated"

    def __init__(self):
        self.moved = []
        self.is_down = False

    def movements(self, since, until):
        if self.is_down:
            raise Unavailable
        return [each for each in self.moved if since <= each.at <= until]


@pytest.fixture
def books():
    return Books()


@pytest.fixture
def at():
    """Long enough ago for all news to have come; the console's days are the present."""
    return utc_now() - 30 * MINUTE


@pytest.fixture
def paid(desk, books, at):
    booking = desk.book(a_slot(now=at.replace(minute=0, second=0, microsecond=0),
                               after_hours=5), now=at)  # fmt: skip
    desk.pay(booking, now=at)
    with desk.database.reading() as session:
        payment = session.scalars(select(Payment)).one()
    books.moved.append(Movement("payment", payment.provider_ref, PRICE_PAISE, at))
    return booking


def look(database, books):
    reconcile(database, providers=[books], renew=lambda *_, **__: None)
    with database.reading() as session:
        return [
            (each.kind, each.ours_paise, each.theirs_paise)
            for each in session.scalars(
                select(Difference)
                .where(Difference.resolved_at.is_(None))
                .order_by(Difference.id)
            )
        ]


def test_where_all_agree_the_sums_are_the_same_and_nothing_is_listed(
    database, books, paid, at
):
    assert look(database, books) == []

    with database.reading() as session:
        days = session.scalars(select(Reconciliation)).all()
    sums = [
        (each.provider_in_paise, each.our_in_paise, each.ledger_in_paise)
        for each in days
    ]
    assert (PRICE_PAISE,) * 3 in sums
    assert len(days) == 2


def test_money_at_the_provider_that_we_know_nothing_of(database, books, paid, at):
    books.moved.append(Movement("payment", "pay_foreign", 500, at))
    books.moved.append(Movement("refund", "rfnd_foreign", 70, at))

    assert look(database, books) == [
        (DifferenceKind.MISSING_HERE, None, 500),
        (DifferenceKind.MISSING_HERE, None, 70),
    ]


def test_money_the_provider_took_while_we_wait_for_it(database, books, paid):
    with database.transaction() as session:
        session.execute(
            update(Payment).values(status=PaymentStatus.PENDING, paid_at=None)
        )

    assert (DifferenceKind.MISSING_HERE, PRICE_PAISE, PRICE_PAISE) in (
        look(database, books)
    )


def test_money_of_ours_that_the_provider_does_not_have(database, books, paid):
    books.moved.clear()

    assert look(database, books) == [(DifferenceKind.MISSING_THERE, PRICE_PAISE, None)]


def test_another_amount(database, books, paid, at):
    ref = books.moved[0].ref
    books.moved[:] = [Movement("payment", ref, PRICE_PAISE + 1, at)]

    assert look(database, books) == [
        (DifferenceKind.AMOUNT, PRICE_PAISE, PRICE_PAISE + 1)
    ]


def test_a_payment_that_the_ledger_does_not_have(database, books, paid):
    with database.reading() as session:
        key = session.scalars(select(LedgerEntry.key)).one()
    forget_the_ledger(database, key)

    assert look(database, books) == [(DifferenceKind.LEDGER, PRICE_PAISE, 0)]


def test_what_moved_just_now_is_given_time_to_be_told(database, books, desk):
    books.moved.append(Movement("payment", "pay_new", 500, utc_now() - MINUTE))

    assert look(database, books) == []


def test_two_clocks_that_differ_about_midnight_make_no_difference(
    database, books, paid, at
):
    ref = books.moved[0].ref
    books.moved[:] = [Movement("payment", ref, PRICE_PAISE, at - timedelta(hours=10))]

    assert look(database, books) == []


def test_a_refund_that_is_with_the_bank_is_no_difference(
    database, books, desk, paid, at
):
    desk.cancel(paid, now=at)
    with database.transaction() as session:
        refund = session.scalars(select(Refund)).one()
        refund.status = RefundStatus.SENT
        books.moved.append(Movement("refund", str(refund.id), PRICE_PAISE, at))

    assert look(database, books) == []


def test_a_refund_that_takes_more_than_a_day_or_was_refused(
    database, books, desk, paid, at
):
    desk.cancel(paid, now=at)
    assert look(database, books) == []
    with database.transaction() as session:
        session.execute(update(Refund).values(created_at=at - timedelta(days=1)))
    assert look(database, books) == [(DifferenceKind.STUCK, PRICE_PAISE, None)]
    with database.transaction() as session:
        session.execute(update(Refund).values(status=RefundStatus.FAILED))
    assert look(database, books) == [(DifferenceKind.STUCK, PRICE_PAISE, None)]


# ── until it is explained ────────────────────────────────────────────────────────


def test_a_difference_that_is_gone_is_resolved_by_itself(database, books, paid, at):
    moved = list(books.moved)
    books.moved.clear()
    look(database, books)
    books.moved[:] = moved

    assert look(database, books) == []
    with database.reading() as session:
        difference = session.scalars(select(Difference)).one()
    assert difference.resolution == "It has settled itself."
    assert difference.resolved_by is None


def test_found_again_it_is_the_same_row(database, books, paid):
    moved = list(books.moved)
    for there in ([], [], moved, []):
        books.moved[:] = there
        look(database, books)

    with database.reading() as session:
        difference = session.scalars(select(Difference)).one()
    assert difference.resolved_at is None


def test_what_a_person_has_explained_stays_explained_until_it_changes(
    database, books, paid, at
):
    books.moved.append(Movement("payment", "pay_foreign", 500, at))
    look(database, books)
    with database.transaction() as session:
        by = a_user(session, role="admin").id
        only = session.scalars(select(Difference.id)).one()
        resolve(session, only, by=by, note=" A test  payment ", now=utc_now())

    assert look(database, books) == []
    with database.reading() as session:
        assert session.scalars(select(Difference)).one().resolution == "A test payment"

    books.moved[-1] = Movement("payment", "pay_foreign", 600, at)
    assert look(database, books) == [(DifferenceKind.MISSING_HERE, None, 600)]


def test_nothing_is_explained_without_words_or_twice(database, books, paid, at):
    books.moved.append(Movement("payment", "pay_foreign", 500, at))
    look(database, books)
    with database.transaction() as session:
        by = a_user(session, role="admin").id
        only = session.scalars(select(Difference.id)).one()
        for note in ("", "   ", "x" * 301):
            with pytest.raises(NoteMissing):
                resolve(session, only, by=by, note=note, now=utc_now())
        resolve(session, only, by=by, note="A test", now=utc_now())
        session.expire_all()
        with pytest.raises(DifferenceNotFound):
            resolve(session, only, by=by, note="A test", now=utc_now())


def test_a_provider_that_does_not_answer_changes_nothing(database, books, paid, at):
    books.moved.append(Movement("payment", "pay_foreign", 500, at))
    look(database, books)
    books.is_down = True

    assert look(database, books) == [(DifferenceKind.MISSING_HERE, None, 500)]


def test_the_simulated_gateway_and_the_demo_agree(tmp_path):
    from pydantic import SecretStr

    from evcharge.demo.load import load_demo
    from evcharge.kernel.db import Database
    from evcharge.payments.providers.simulated import Simulated
    from evcharge.wiring import metadata

    demo = Database(f"sqlite:///{tmp_path}/demo.db")
    metadata.create_all(demo.engine)
    load_demo(demo, now=utc_now() - 20 * MINUTE, say=lambda text: None)
    gateway = Simulated(demo, SecretStr("only-for-tests-0123456789-abcdefgh"))

    assert look(demo, gateway) == []
    demo.engine.dispose()
