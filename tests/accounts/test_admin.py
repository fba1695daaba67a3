"""How an admin finds people and changes what they may do."""

import csv

import pytest

import make
from evcharge.accounts.models import User
from evcharge.accounts.queries import operators_of
from evcharge.accounts.rules import Role, UserStatus


@pytest.fixture
def asha(database):
    with database.transaction() as session:
        return make.a_user(
            session,
            name="Asha Rao",
            email="asha@example.com",
            phone="+919845012345",
        ).id


@pytest.fixture
def zeta(database):
    with database.transaction() as session:
        return make.an_operator(session, "Zeta Power").id


@pytest.fixture
def ravi(database):
    with database.transaction() as session:
        return make.a_user(session, name="Ravi", role="operator").id


def person(database, user_id):
    with database.reading() as session:
        return session.get_one(User, user_id)


PAGES = [
    ("GET", "/admin/users"),
    ("GET", "/admin/users.csv"),
    ("GET", "/admin/users/1"),
    ("POST", "/admin/users/1/role"),
    ("POST", "/admin/users/1/operators"),
    ("POST", "/admin/users/1/operators/1/remove"),
    ("POST", "/admin/users/1/cards"),
    ("POST", "/admin/users/1/cards/block"),
    ("POST", "/admin/users/1/cards/remove"),
    ("GET", "/admin/users/1/suspend"),
    ("POST", "/admin/users/1/suspend"),
    ("GET", "/admin/users/1/reinstate"),
    ("POST", "/admin/users/1/reinstate"),
]


@pytest.mark.parametrize(("method", "path"), PAGES)
@pytest.mark.parametrize("role", ["driver", "operator"])
def test_people_are_looked_after_by_admins_only(sign_in, role, method, path):
    assert sign_in(role).open(path, method=method).status_code == 403


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_a_stranger_is_asked_to_log_in(client, method, path):
    status = client.open(path, method=method).status_code

    assert status == (303 if method == "GET" else 401)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"Asha Rao", "Ravi"}),
        ("q=asha", {"Asha Rao"}),
        ("q=ASHA@example", {"Asha Rao"}),
        ("q=98450+12345", {"Asha Rao"}),
        ("role=operator", {"Ravi"}),
        ("role=driver&status=active", {"Asha Rao"}),
        ("status=suspended", set()),
        ("q=%25", set()),
        ("q=%00asha", {"Asha Rao"}),
        ("q=%ff%fe", set()),
        ("q=" + "x" * 5000, set()),
        ("role=emperor&status=x", {"Asha Rao", "Ravi"}),
        ("page=99999999999999999999", {"Asha Rao", "Ravi"}),
        ("page=-3", {"Asha Rao", "Ravi"}),
        ("page=x", {"Asha Rao", "Ravi"}),
        ("q[]=asha&role[]=admin", {"Asha Rao", "Ravi"}),
    ],
)
def test_people_are_found_by_the_link(sign_in, asha, ravi, query, shown):
    admin = sign_in("admin", name="Meera Iyer")

    page = admin.get(f"/admin/users?{query}")

    assert page.status_code == 200
    table = page.text.partition("<tbody>")[2]
    assert {name for name in ("Asha Rao", "Ravi") if name in table} == shown


def test_where_nobody_fits_there_is_a_way_on(admin):
    page = admin.get("/admin/users?q=nobody-like-this").text

    assert "Nobody fits." in page
    assert "Show everybody" in page


def test_long_lists_come_in_pages_that_keep_their_filters(admin, database):
    with database.transaction() as session:
        for number in range(60):
            make.a_user(session, name=f"Rao {number:02d}")

    page = admin.get("/admin/users?q=Rao&role=driver").text

    assert "60 in all" in page
    assert "page=2&amp;q=Rao&amp;role=driver" in page
    assert "Rao 59" in page
    assert "Rao 05" not in page
    assert "Rao 05" in admin.get("/admin/users?page=2&q=Rao&role=driver").text


@pytest.mark.parametrize(("path", "most"), [("/admin/users", 3), ("/admin/users/1", 6)])
def test_pages_cost_few_statements(admin, asha, statements, path, most):
    statements.clear()

    admin.get(path)

    assert len(statements) == most


def test_one_page_shows_all_about_one_person(admin, asha):
    page = admin.get(f"/admin/users/{asha}").text

    for fact in ("Asha Rao", "asha@example.com", "+91 98450 12345", "Driver", "Active"):
        assert fact in page


@pytest.mark.parametrize("user_id", [999_999, 2**31, 2**62, 2**63])
@pytest.mark.parametrize("path", ["", "/suspend", "/reinstate"])
def test_who_is_not_there_is_not_found(admin, user_id, path):
    assert admin.get(f"/admin/users/{user_id}{path}").status_code == 404
    assert admin.post(f"/admin/users/{user_id}/suspend").status_code in (404, 405)


def test_a_role_is_given(admin, asha, database):
    answer = admin.post(f"/admin/users/{asha}/role", data={"role": "operator"})

    assert answer.location == f"/admin/users/{asha}"
    assert person(database, asha).role == Role.OPERATOR
    assert "Works for" in admin.get(answer.location).text


@pytest.mark.parametrize("data", [{}, {"role": ""}, {"role": "emperor"}])
def test_a_role_there_is_not_is_refused(admin, asha, database, data):
    assert admin.post(f"/admin/users/{asha}/role", data=data).status_code == 422
    assert person(database, asha).role == Role.DRIVER


def test_an_operator_is_added_and_removed(admin, ravi, zeta, database):
    admin.post(f"/admin/users/{ravi}/operators", data={"operator_id": zeta})
    with database.reading() as session:
        assert operators_of(session, ravi) == {zeta}
    assert "Remove from Zeta Power" in admin.get(f"/admin/users/{ravi}").text

    admin.post(f"/admin/users/{ravi}/operators/{zeta}/remove")
    with database.reading() as session:
        assert operators_of(session, ravi) == frozenset()


@pytest.mark.parametrize("operator_id", ["", "x", "-1", "0", "9" * 30, "१", None])
def test_an_operator_there_is_not_is_not_found(admin, ravi, operator_id):
    data = {} if operator_id is None else {"operator_id": operator_id}

    answer = admin.post(f"/admin/users/{ravi}/operators", data=data)

    assert answer.status_code == 404


def test_suspending_shows_what_it_means_first_and_logs_out(admin, database, sign_in):
    driver = sign_in("driver", name="Asha Rao")
    path = f"/admin/users/{driver.user_id}/suspend"

    page = admin.get(path).text
    assert "logged out of one browser" in page
    assert "Their bookings stay." in page
    assert person(database, driver.user_id).status == UserStatus.ACTIVE
    assert driver.get("/account").status_code == 200

    admin.post(path)
    assert person(database, driver.user_id).status == UserStatus.SUSPENDED
    assert driver.get("/account").status_code == 303


def test_reinstating_lets_somebody_in_again(admin, asha, database):
    admin.post(f"/admin/users/{asha}/suspend")
    assert "Reinstate …" in admin.get(f"/admin/users/{asha}").text
    assert admin.get(f"/admin/users/{asha}/reinstate").status_code == 200

    admin.post(f"/admin/users/{asha}/reinstate")

    assert person(database, asha).status == UserStatus.ACTIVE


def test_an_admin_leaves_their_own_account_alone(admin, sign_in, database):
    sign_in("admin")
    own = f"/admin/users/{admin.user_id}"

    assert "This is you." in admin.get(own).text
    assert admin.get(f"{own}/suspend").location == own
    assert admin.post(f"{own}/suspend").status_code == 409
    assert admin.post(f"{own}/role", data={"role": "driver"}).status_code == 409
    assert person(database, admin.user_id).role == Role.ADMIN


def test_an_admin_who_is_none_any_more_is_stopped_at_the_next_click(admin, sign_in):
    other = sign_in("admin")

    admin.post(f"/admin/users/{other.user_id}/role", data={"role": "driver"})

    assert other.get("/admin/users").status_code == 403


def test_the_list_is_a_file_too(admin, asha, ravi):
    answer = admin.get("/admin/users.csv?q=asha@example")

    assert answer.content_type == "text/csv; charset=utf-8"
    header, row = csv.reader(answer.data.decode("utf-8-sig").splitlines())
    assert header == [
        "id", "name", "email", "phone", "role", "status", "created_at",
    ]  # fmt: skip
    assert row[:6] == [
        str(asha), "Asha Rao", "asha@example.com", "'+919845012345", "driver", "active",
    ]  # fmt: skip


@pytest.mark.parametrize("sign", "=+-@＝")
def test_no_name_becomes_a_formula(admin, database, sign):
    formula = f'{sign}HYPERLINK("http://evil.example","pay")'
    with database.transaction() as session:
        make.a_user(session, name=formula)

    answer = admin.get("/admin/users.csv").data.decode("utf-8-sig")

    names = [row[1] for row in csv.reader(answer.splitlines())]
    assert f"'{formula}" in names
    assert formula not in names


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_a_form_that_is_not_ours_is_refused(admin, app, method, path):
    app.config["WTF_CSRF_ENABLED"] = True

    status = admin.open(path, method=method).status_code

    assert status == 400 if method == "POST" else status in (200, 303)
