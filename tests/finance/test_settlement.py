"""What operators and hosts are owed, worked out from the ledger."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

import make
from evcharge.billing.models import ShareAgreement
from evcharge.billing.rules import Basis, Party
from evcharge.finance.models import Payout
from evcharge.finance.queries.settlement import settlements
from evcharge.finance.rules import (
    BadPayout,
    BadShare,
    Month,
    MoreThanOwed,
    ShareNotFound,
)
from evcharge.finance.service import agree, record_payout, take_back_agreement
from evcharge.kernel.ids import new_id
from evcharge.ledger.queries import balances, owed_to_host, owed_to_operator
from evcharge.ledger.rules import Account, Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.stations.rules import LocationNotFound
from make import NOON

MONTH = Month.of(NOON)
LAST_MONTH = NOON - timedelta(days=31)


@pytest.fixture
def site(session):
    location = make.a_location(session)
    by = make.a_user(session, role="admin")
    return location.operator_id, location.id, by.id


def sell(session, location_id, *, at=NOON, **paise):
    item = new_id()
    post(
        session,
        (
            Entry(kind, f"{kind}:{item}", amount, at, "booking", item, location_id)
            for kind, amount in paise.items()
        ),
    )


def a_sale(session, location_id, *, at=NOON):
    """₹118: tax ₹18, platform ₹5, host ₹10, so the operator gets ₹85."""
    sell(
        session, location_id, at=at,
        **{EntryKind.SALE: 11_800, EntryKind.GST: 1_800, EntryKind.FEE: 500,
           EntryKind.HOST: 1_000, EntryKind.OPERATOR: 8_500},
    )  # fmt: skip


def settled(session, scope=None, month=MONTH):
    return settlements(session, scope, since=month.since, until=month.until)


def test_a_month_is_one_of_the_clock_in_india():
    january = Month(2026, 1)

    assert january.since == datetime(2025, 12, 31, 18, 30, tzinfo=UTC)
    assert january.until == datetime(2026, 1, 31, 18, 30, tzinfo=UTC)
    assert Month.of(datetime(2025, 12, 31, 18, 30, tzinfo=UTC)) == january
    assert january.plus(-1) == Month(2025, 12)
    assert Month.read(str(january)) == january
    assert Month.read("2026-13") is None


def test_a_sale_is_shared_as_the_ledger_says(session, site):
    _, location_id, _ = site
    a_sale(session, location_id)

    [operator] = settled(session)
    figures = operator.figures

    assert (figures.net_paise, figures.gst_paise) == (10_000, 1_800)
    assert (figures.fee_paise, figures.host_paise) == (500, 1_000)
    assert figures.operator_paise == 8_500
    assert figures.net_paise == 8_500 + 500 + 1_000
    assert operator.sites[0].owed_to_host_paise == 1_000


def test_what_went_back_and_what_was_waived_is_taken_off(session, site):
    _, location_id, _ = site
    a_sale(session, location_id)
    sell(
        session, location_id,
        **{EntryKind.GST_BACK: 180, EntryKind.FEE_BACK: 50, EntryKind.HOST_BACK: 100,
           EntryKind.OPERATOR_BACK: 850, EntryKind.DUE_WAIVED: 300},
    )  # fmt: skip

    [operator] = settled(session)

    assert operator.figures.gross_paise == 11_800 - 1_180
    assert operator.figures.gst_paise == 1_620
    assert operator.figures.operator_paise == 8_500 - 850 - 300
    assert operator.closing_paise == owed_to_operator(session, operator.operator_id)


def test_what_is_owed_from_before_is_carried_on(session, site):
    operator_id, location_id, by = site
    a_sale(session, location_id, at=LAST_MONTH)
    a_sale(session, location_id)
    pay(session, operator_id, by, 8_000)

    [operator] = settled(session)
    [before] = settled(session, month=MONTH.plus(-1))

    assert before.closing_paise == operator.opening_paise == 8_500
    assert operator.figures.operator_paise == 8_500
    assert operator.closing_paise == 9_000
    assert operator.closing_paise == -balances(session)[Account.OPERATOR_PAYABLE]


def test_others_are_not_in_it(session, site):
    operator_id, location_id, _ = site
    other = make.an_operator(session, "Other Power")
    a_sale(session, make.a_location(session, operator=other).id)
    a_sale(session, location_id)

    [operator] = settled(session, frozenset({operator_id}))

    assert operator.operator_id == operator_id
    assert operator.closing_paise == 8_500


# ── payouts ──────────────────────────────────────────────────────────────────────


def pay(session, operator_id, by, paise, **options):
    options = {
        "payout_id": new_id(),
        "location_id": None,
        "reference": "UTR1",
    } | options
    record_payout(
        session, operator_id=operator_id, amount_paise=paise, by=by, now=NOON, **options
    )


def test_a_payout_is_written_once_however_often_it_is_sent(session, site):
    operator_id, location_id, by = site
    a_sale(session, location_id)
    key = new_id()

    for _ in range(2):
        pay(session, operator_id, by, 8_500, payout_id=key)

    assert owed_to_operator(session, operator_id) == 0
    assert session.scalars(select(Payout.amount_paise)).all() == [8_500]


def test_a_host_is_paid_out_of_what_hosts_get(session, site):
    operator_id, location_id, by = site
    a_sale(session, location_id)

    pay(session, operator_id, by, 1_000, location_id=location_id)

    assert owed_to_host(session, location_id) == 0
    assert owed_to_operator(session, operator_id) == 8_500
    [operator] = settled(session)
    assert operator.sites[0].owed_to_host_paise == 0


def test_no_more_is_paid_than_is_owed(database, site, session):
    operator_id, location_id, by = site
    a_sale(session, location_id)

    with pytest.raises(MoreThanOwed):
        pay(session, operator_id, by, 8_501)


@pytest.mark.parametrize("wrong", [{"reference": ""}, {"reference": "x" * 61}])
def test_a_payout_has_a_reference(session, site, wrong):
    operator_id, location_id, by = site
    a_sale(session, location_id)

    with pytest.raises(BadPayout):
        pay(session, operator_id, by, 100, **wrong)
    with pytest.raises(BadPayout):
        pay(session, operator_id, by, 0)


def test_a_host_is_one_of_the_operators_locations(session, site):
    operator_id, _, by = site
    other = make.a_location(session, operator=make.an_operator(session, "Other"))

    with pytest.raises(LocationNotFound):
        pay(session, operator_id, by, 100, location_id=other.id)


# ── agreements ───────────────────────────────────────────────────────────────────


def settle_on(session, operator_id, **options):
    defaults = {
        "location_id": None,
        "party": Party.PLATFORM,
        "payee": "",
        "basis": Basis.PERCENT,
        "value": 500,
        "valid_from": NOON,
    }
    return agree(session, operator_id=operator_id, now=NOON, **(defaults | options))


def test_an_agreement_never_reaches_back(session, site):
    operator_id, *_ = site

    agreement = settle_on(session, operator_id, valid_from=LAST_MONTH)

    assert agreement.valid_from == NOON


@pytest.mark.parametrize(
    "wrong",
    [
        {"value": 10_001},
        {"value": -1},
        {"basis": Basis.PER_KWH, "value": 100_001},
        {"party": Party.HOST, "payee": "The mall"},
        {"party": Party.HOST, "location_id": 1},
        {"payee": "x" * 121},
    ],
)
def test_a_share_that_cannot_be_is_refused(session, site, wrong):
    operator_id, *_ = site

    with pytest.raises(BadShare):
        settle_on(session, operator_id, **wrong)


def test_only_what_has_not_begun_is_dropped(session, site):
    operator_id, *_ = site
    begun = settle_on(session, operator_id)
    later = settle_on(session, operator_id, valid_from=NOON + timedelta(days=1))

    take_back_agreement(session, later.id, now=NOON)
    with pytest.raises(ShareNotFound):
        take_back_agreement(session, begun.id, now=NOON)

    assert session.scalars(select(ShareAgreement.id)).all() == [begun.id]
