import csv
import io
import re
from datetime import timedelta

import pytest

import make
from console import a_world
from evcharge.kernel.clock import utc_now
from evcharge.kernel.jobs import Job
from evcharge.payments.models import Refund
from evcharge.payments.rules import RefundStatus
from evcharge.stations.models import Connector, Location
from evcharge.stations.rules import ReportedStatus


@pytest.fixture
def world(database):
    return a_world(database)


@pytest.fixture
def staff(database, sign_in, world):
    with database.transaction() as session:
        operator = make.an_operator(session)
    return sign_in("operator", operator=operator)


def tile(text, label):
    """What stands in a tile: the number, and what is said below it."""
    text = re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)
    tiles = re.findall(r'<div class="tile">(.*?)</div>\s*</div>', text, re.DOTALL)
    for each in tiles:
        words = [
            " ".join(word.split())
            for word in re.sub(r"<[^>]*>", "|", each).split("|")
            if word.strip()
        ]
        if words[0] == label:
            return words[1:]
    raise AssertionError(f"no tile {label} in {tiles}")


# ── the dashboard ────────────────────────────────────────────────────────────────


def test_the_dashboard_counts_what_was_booked_and_paid(staff):
    text = staff.get("/admin/").text

    # Two were booked and paid; one was cancelled and its money promised back.
    assert tile(text, "Bookings made")[0] == "2"
    assert tile(text, "Revenue") == ["₹120.00", "none in the 7 days before"]
    assert tile(text, "Bookings today") == ["2", "₹120.00 collected"]
    assert tile(text, "Charging points")[0] == "1"


def test_operators_see_nothing_of_users_and_other_networks(staff, admin, database):
    a_world(database, name="Other Power")

    theirs, everything = staff.get("/admin/").text, admin.get("/admin/").text

    assert tile(theirs, "Bookings made")[0] == "2"
    assert tile(everything, "Bookings made")[0] == "4"
    assert tile(everything, "Revenue")[0] == "₹240.00"
    assert tile(everything, "Users")[0] == "6"
    with pytest.raises(AssertionError, match="no tile Users"):
        tile(theirs, "Users")


@pytest.mark.parametrize("period", ["today", "7d", "30d", "forever", "", "\0"])
def test_the_period_is_chosen_in_the_address(staff, period):
    answer = staff.get("/admin/", query_string={"period": period})

    assert answer.status_code == 200
    days = 30 if period == "30d" else 7
    assert answer.text.count("data-bookings=") == days


def test_the_chart_has_the_numbers_of_the_table(staff):
    text = staff.get("/admin/").text

    rows = re.findall(
        r'data-bookings="(-?\d+)"\s+data-paise="(-?\d+)".*?<td class="num">(.*?)</td>'
        r'\s*<td class="num">(.*?)</td>',
        text,
        re.DOTALL,
    )
    assert len(rows) == 7
    assert (rows[-1][0], rows[-1][2]) == ("2", "2")
    assert (rows[-1][1], rows[-1][3]) == ("12000", "₹120.00")


def test_what_needs_a_look_is_listed(database, staff, admin, world):
    with database.transaction() as session:
        site = session.get_one(Location, world.location_id)
        make.an_evse(session, location=site, identity="MUTE", seen_at=None)
        session.get_one(
            Connector, world.connector_id
        ).reported_status = ReportedStatus.FAULTED

    theirs, everything = staff.get("/admin/").text, admin.get("/admin/").text

    for text in (theirs, everything):
        assert "MUTE" in text
        assert "Out of order" in text
        assert "1 refund failed" in text
    assert "1 job failed" in everything
    assert "1 job failed" not in theirs


def test_where_all_is_well_the_dashboard_says_so(database, sign_in):
    with database.transaction() as session:
        operator = make.an_operator(session, "Quiet Power")

    text = sign_in("operator", operator=operator).get("/admin/").text

    assert "nothing has failed" in text
    assert tile(text, "Utilisation")[0] == "0 %"


def test_a_fragment_is_the_numbers_alone(staff):
    text = staff.get("/admin/?fragment=1&period=30d").text

    assert "<html" not in text
    assert tile(text, "Bookings made")[0] == "2"


@pytest.mark.parametrize("worlds", [1, 4])
def test_the_dashboard_costs_the_same_few_statements(
    database, staff, admin, statements, worlds
):
    for number in range(worlds):
        a_world(database, name=f"Power {number}")

    for client in (staff, admin):
        statements.clear()
        client.get("/admin/?period=30d")
        assert len(statements) == 11


# ── payments ─────────────────────────────────────────────────────────────────────


def test_payments_and_refunds_add_up_to_the_revenue(staff, world):
    text = staff.get("/admin/payments").text

    assert tile(text, "Revenue")[0] == "₹120.00"
    assert tile(text, "Came in")[0] == "₹240.00"
    assert tile(text, "Went back")[0] == "₹120.00"
    assert world.desk.read(world.booking_id).reference in text


def test_refunds_have_a_list_of_their_own_with_what_went_wrong(staff):
    text = staff.get("/admin/payments?kind=refunds&status=FAILED").text

    assert "account closed" in text
    assert "Try again" not in text  # That is for admins.


def test_payments_are_filtered_by_state(staff):
    paid = staff.get("/admin/payments?status=PAID").text
    refunded = staff.get("/admin/payments?status=REFUNDED").text
    failed = staff.get("/admin/payments?status=FAILED").text

    assert len(re.findall(r'class="row-link"', paid)) == 1
    assert len(re.findall(r'class="row-link"', refunded)) == 1
    assert "No payments here." in failed


def test_filters_that_mean_nothing_filter_nothing(staff):
    url = "/admin/payments?kind=x&status=DONE&period=ever&page=z"

    assert len(re.findall(r'class="row-link"', staff.get(url).text)) == 2


@pytest.mark.parametrize(("kind", "count"), [("payments", 2), ("refunds", 1)])
def test_the_file_has_what_the_table_has(staff, kind, count):
    answer = staff.get(f"/admin/payments.csv?kind={kind}")

    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert len(rows) == count
    assert {row["amount_inr"] for row in rows} == {"120"}


def test_an_admin_sends_a_failed_refund_again(database, admin, world):
    page = admin.get("/admin/payments?kind=refunds&status=FAILED&period=all").text
    url = f"/admin/refunds/{world.refund_id}/retry"

    first, second = admin.post(url), admin.post(url)

    assert url in page
    assert (first.status_code, second.status_code) == (303, 409)
    with database.reading() as session:
        assert session.get_one(Refund, world.refund_id).status == RefundStatus.CREATED


def test_a_refund_nobody_owes_cannot_be_sent_again(admin, world):
    url = f"/admin/refunds/{world.booking_id}/retry"

    assert admin.post(url).status_code == 404


# ── jobs ─────────────────────────────────────────────────────────────────────────


def add_job(database, **columns):
    now = utc_now()
    defaults = {"name": "tidy", "details": {}, "created_at": now, "due_at": now}
    with database.transaction() as session:
        session.add(Job(**(defaults | columns)))


def test_failed_jobs_come_first_with_what_went_wrong(admin, world):
    text = admin.get("/admin/jobs").text

    assert "ConnectionError" in text
    assert "Try again" in text


def test_every_job_is_in_one_list(database, admin):
    now = utc_now()
    add_job(database, name="waits")
    add_job(database, name="tried-once", attempts=1, failure="TimeoutError()")
    add_job(database, name="runs", leased_until=now + timedelta(minutes=1))
    add_job(database, name="ended", finished_at=now)

    found = {
        state: set(
            re.findall(
                r'<th scope="row" class="nowrap">(.*?)</th>',
                admin.get(f"/admin/jobs?state={state}").text,
            )
        )
        for state in ("waiting", "running", "done", "failed")
    }

    assert found["waiting"] >= {"waits", "tried-once"}
    assert found["running"] == {"runs"}
    assert found["done"] == {"ended"}
    assert found["failed"] == set()


def test_a_failed_job_is_tried_again(database, admin, world):
    url = f"/admin/jobs/{world.job_id}/retry"

    first, second = admin.post(url), admin.post(url)

    assert (first.status_code, second.status_code) == (303, 409)
    with database.reading() as session:
        assert session.get_one(Job, world.job_id).finished_at is None


def test_a_job_that_does_not_exist_is_not_found(admin):
    assert admin.post("/admin/jobs/999999/retry").status_code == 404
    assert admin.post(f"/admin/jobs/{9 * 10**30}/retry").status_code == 404


def test_what_a_job_says_is_only_shown(database, admin):
    add_job(
        database,
        finished_at=utc_now(),
        failure="<script>alert(1)</script>",
        details={"to": "<b>"},
    )

    text = admin.get("/admin/jobs?state=failed").text

    assert "<script>alert" not in text
    assert "&lt;b&gt;" in text


def test_states_that_mean_nothing_are_let_pass(admin):
    for state in ("x", "", "\0"):
        answer = admin.get("/admin/jobs", query_string={"state": state})
        assert answer.status_code == 200
        assert "No jobs are waiting." in answer.text
