"""The console's pages about money."""

import pytest
from sqlalchemy import func, select

import make
import money_rows
from evcharge.billing.models import ShareAgreement
from evcharge.finance.models import Difference, Payout
from evcharge.kernel.clock import utc_now
from evcharge.kernel.ids import new_id
from evcharge.kernel.jobs import Job
from evcharge.ledger.rules import Entry, EntryKind
from evcharge.ledger.service import post
from evcharge.payments.models import Due


@pytest.fixture
def site(database):
    """A location whose operator is owed ₹85 and whose host ₹10."""
    with database.transaction() as session:
        operator = make.an_operator(session)
        location = make.a_location(session, operator=operator)
        item, now = new_id(), utc_now()
        for kind, paise in {
            EntryKind.SALE: 9_500,
            EntryKind.HOST: 1_000,
            EntryKind.OPERATOR: 8_500,
        }.items():
            about = ("booking", item, location.id)
            post(session, [Entry(kind, f"{kind}:1", paise, now, *about)])
        return operator.id, location.id


def count(database, model):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(model))


def test_operators_see_their_own_month_only(database, sign_in, site):
    operator_id, _ = site
    with database.transaction() as session:
        other = make.an_operator(session, "Other Power")
    staff = sign_in("operator", operator=other)

    assert "₹85.00" not in staff.get("/admin/settlement").text
    assert staff.get(f"/admin/settlement/{operator_id}").status_code == 404


def test_an_operator_sees_shares_and_cannot_change_them(database, sign_in, site):
    operator_id, _ = site
    with database.transaction() as session:
        operator = make.an_operator(session)
    staff = sign_in("operator", operator=operator)

    text = staff.get(f"/admin/settlement/{operator_id}").text

    assert "₹85.00" in text
    assert "Write down a payout" not in text
    assert staff.post(f"/admin/settlement/{operator_id}/payouts").status_code == 403


def test_the_file_has_a_line_for_each_location(admin, site):
    lines = admin.get("/admin/settlement.csv").text.splitlines()

    assert len(lines) == 2
    assert lines[1].split(",")[1:3] == ["Test Power", "MG Road"]
    assert lines[1].split(",")[4:] == [
        "95", "0", "95", "0", "10", "0", "85", "0", "0",
    ]  # fmt: skip


def test_a_payout_is_written_down(database, admin, site):
    operator_id, _ = site
    url = f"/admin/settlement/{operator_id}"
    form = {"to": "", "amount": "₹80.50", "reference": "UTR 42", "key": str(new_id())}

    for _ in range(2):
        assert admin.post(f"{url}/payouts", data=form).status_code == 303

    assert "UTR 42" in admin.get(url).text
    assert "₹4.50" in admin.get(url).text
    assert count(database, Payout) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": "9,000"}, "more than is owed"),
        ({"amount": "lots"}, "Write it like 1,234.50."),
        ({"reference": ""}, "Say what the bank calls it"),
    ],
)
def test_a_payout_that_cannot_be_says_why_at_its_field(
    database, admin, site, wrong, said
):
    operator_id, _ = site
    form = {"to": "", "amount": "80", "reference": "UTR 42"} | wrong

    answer = admin.post(f"/admin/settlement/{operator_id}/payouts", data=form)

    assert answer.status_code == 422
    assert said in answer.text
    assert count(database, Payout) == 0


def test_a_share_is_agreed_and_dropped_before_it_begins(database, admin, site):
    operator_id, location_id = site
    url = f"/admin/settlement/{operator_id}"
    form = {
        "party": "host",
        "location": str(location_id),
        "payee": "The mall",
        "basis": "per_kwh",
        "value": "1.50",
        "valid_from": "2199-01-01",
    }

    assert admin.post(f"{url}/agreements", data=form).status_code == 303
    text = admin.get(url).text
    assert "The mall" in text
    assert "₹1.50 per kWh" in text

    with database.reading() as session:
        agreement = session.scalars(select(ShareAgreement)).one()
    admin.post(f"{url}/agreements/{agreement.id}/drop")
    assert count(database, ShareAgreement) == 0


def test_a_share_of_more_than_everything_is_refused(database, admin, site):
    operator_id, _ = site
    form = {"party": "platform", "location": "", "basis": "percent", "value": "101"}

    answer = admin.post(f"/admin/settlement/{operator_id}/agreements", data=form)

    assert answer.status_code == 422
    assert "between 0 and 100" in answer.text
    assert count(database, ShareAgreement) == 0


# ── reconciliation ───────────────────────────────────────────────────────────────


@pytest.fixture
def difference(database):
    with database.transaction() as session:
        return money_rows.a_difference(session).id


def test_a_difference_is_listed_and_needs_a_look(admin, difference):
    assert "Not in our books" in admin.get("/admin/reconciliation").text
    assert "1 amount does not agree" in admin.get("/admin/").text


def test_it_is_kept_with_what_it_was(database, admin, difference):
    url = f"/admin/reconciliation/{difference}/resolve"

    admin.post(url, data={"note": " "})
    assert "Not in our books" in admin.get("/admin/reconciliation").text
    admin.post(url, data={"note": "Paid at the counter"})

    assert "payments, ledger and papers agree" in (
        admin.get("/admin/reconciliation").text
    )
    resolved = admin.get("/admin/reconciliation?state=resolved").text
    assert "Paid at the counter" in resolved
    with database.reading() as session:
        assert session.get(Difference, difference).resolved_by == admin.user_id
    assert admin.post(url, data={"note": "Again"}).status_code == 404


def test_comparing_now_asks_for_it_once(database, admin):
    for _ in range(2):
        admin.post("/admin/reconciliation/check")

    with database.reading() as session:
        assert session.scalars(select(Job.name)).all() == ["finance.reconcile"]
    assert "Being compared" in admin.get("/admin/reconciliation").text


# ── dues ─────────────────────────────────────────────────────────────────────────


def test_a_due_is_waived_by_its_operator_with_a_reason(database, sign_in, site):
    _, location_id = site
    with database.transaction() as session:
        driver = make.a_user(session, name="Ravi")
        due = money_rows.a_due(session, location_id, driver.id)
        operators = [make.an_operator(session, n) for n in ("Test Power", "Other")]
    staff, stranger = (sign_in("operator", operator=each) for each in operators)
    url = f"/admin/dues/{due.id}/waive"

    assert "Ravi" in staff.get("/admin/dues").text
    assert "Ravi" not in stranger.get("/admin/dues").text
    assert stranger.post(url, data={"reason": "Why not"}).status_code == 404
    staff.post(url, data={"reason": ""})
    with database.reading() as session:
        assert session.get(Due, due.id).is_open

    staff.post(url, data={"reason": "The meter was wrong"})

    assert "Nobody owes anything." in staff.get("/admin/dues").text
    assert "The meter was wrong" in staff.get("/admin/dues?state=over").text
