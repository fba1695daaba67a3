"""How an admin adds operators and says who works for them."""

import pytest
from sqlalchemy import select

import make
from evcharge.accounts.models import Operator
from evcharge.accounts.queries import operators_of


@pytest.fixture
def zeta(database):
    with database.transaction() as session:
        return make.an_operator(session, "Zeta Power").id


@pytest.fixture
def ravi(database):
    with database.transaction() as session:
        return make.a_user(
            session, name="Ravi", email="ravi@example.com", role="operator"
        ).id


def all_names(database):
    with database.reading() as session:
        return session.scalars(select(Operator.name).order_by(Operator.id)).all()


def networks_of(database, user_id):
    with database.reading() as session:
        return operators_of(session, user_id)


PAGES = [
    ("GET", "/admin/operators"),
    ("GET", "/admin/operators/1"),
    ("GET", "/admin/operators/new"),
    ("POST", "/admin/operators/new"),
    ("GET", "/admin/operators/1/edit"),
    ("POST", "/admin/operators/1/edit"),
    ("POST", "/admin/operators/1/members"),
    ("POST", "/admin/operators/1/members/1/remove"),
]


@pytest.mark.parametrize(("method", "path"), PAGES)
@pytest.mark.parametrize("role", ["driver", "operator"])
def test_operators_are_looked_after_by_admins_only(
    sign_in, database, zeta, role, method, path
):
    answer = sign_in(role).open(path, method=method, data={"name": "Mine"})

    assert answer.status_code == 403
    assert all_names(database) == ["Zeta Power"]


def test_only_admins_see_the_way_there(admin, sign_in):
    assert 'href="/admin/operators"' in admin.get("/admin/users").text
    assert 'href="/admin/operators"' not in sign_in("operator").get("/admin/").text


def test_where_there_is_none_yet_the_list_says_what_to_do(admin):
    page = admin.get("/admin/operators").text

    assert "No operators yet." in page
    assert 'href="/admin/operators/new"' in page


def test_an_operator_is_added_and_shown(admin, database):
    answer = admin.post(
        "/admin/operators/new", data={"name": " Zeta  Power ", "phone": "98450 12345"}
    )

    assert answer.status_code == 303
    page = admin.get(answer.location).text
    assert "Zeta Power" in page
    assert "+91 98450 12345" in page
    assert "Nobody yet." in page
    listed = admin.get("/admin/operators").text
    assert f'href="{answer.location}">Zeta Power</a>' in listed


BAD = [
    ({}, 422, "Type the operator&#39;s name."),
    ({"name": "   "}, 422, "Type the operator&#39;s name."),
    ({"name": "Ze\0ta"}, 422, "without special characters."),
    ({"name": "x" * 5000}, 422, "Use at most 120 characters."),
    ({"name": "Eta", "phone": "call us"}, 422, "Type ten digits"),
    ({"name": "Eta", "phone": "9" * 5000}, 422, "Type ten digits"),
    ({"name": "zeta POWER"}, 409, "There is already an operator with this name."),
]


@pytest.mark.parametrize(("typed", "status", "sentence"), BAD)
def test_what_is_wrong_is_said_at_its_field_and_kept(
    admin, database, zeta, typed, status, sentence
):
    with database.transaction() as session:
        other = make.an_operator(session, "Other").id

    for path in ("/admin/operators/new", f"/admin/operators/{other}/edit"):
        answer = admin.post(path, data=typed)
        assert answer.status_code == status
        assert sentence in answer.text
        assert "needs another look" in answer.text
    assert all_names(database) == ["Zeta Power", "Other"]


def test_markup_in_a_name_is_only_text(admin):
    name = '<script>alert("x")</script>'

    page = admin.post("/admin/operators/new", data={"name": name})

    for path in (page.location, "/admin/operators", f"{page.location}/edit"):
        text = admin.get(path).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;" in text


def test_an_operator_is_edited(admin, database, zeta):
    form = admin.get(f"/admin/operators/{zeta}/edit").text
    assert 'value="Zeta Power"' in form

    answer = admin.post(
        f"/admin/operators/{zeta}/edit",
        data={"name": "ZETA Power", "phone": "1800 123 4567"},
    )

    assert answer.location == f"/admin/operators/{zeta}"
    page = admin.get(answer.location).text
    assert "ZETA Power" in page
    assert "18001234567" in page


@pytest.mark.parametrize("operator_id", [999_999, 2**31 - 1, 2**31, 2**63])
@pytest.mark.parametrize("path", ["", "/edit", "/members", "/members/1/remove"])
def test_what_is_not_there_is_not_found(admin, operator_id, path, ravi):
    url = f"/admin/operators/{operator_id}{path}"

    assert admin.get(url).status_code in (404, 405)
    data = {"name": "Eta", "email": "ravi@example.com"}
    if path in ("/edit", "/members"):
        assert admin.post(url, data=data).status_code in (404, 405)


def test_somebody_is_added_by_their_address_and_removed(admin, database, zeta, ravi):
    answer = admin.post(
        f"/admin/operators/{zeta}/members", data={"email": " RAVI@example.com "}
    )

    assert answer.location == f"/admin/operators/{zeta}"
    page = admin.get(answer.location).text
    assert "Ravi now sees this operator&#39;s network." in page
    assert f"/admin/operators/{zeta}/members/{ravi}/remove" in page
    assert networks_of(database, ravi) == {zeta}

    admin.post(f"/admin/operators/{zeta}/members/{ravi}/remove")

    assert networks_of(database, ravi) == frozenset()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("", "Check the e-mail address."),
        ("ravi", "Check the e-mail address."),
        ("ra\0vi@example.com", "Check the e-mail address."),
        ("x" * 5000 + "@example.com", "Check the e-mail address."),
        ("nobody@example.com", "Nobody has an account with this e-mail address."),
        ("driver@example.com", "Give this person the operator role first."),
        ("left@example.com", "Nobody has an account with this e-mail address."),
    ],
)
def test_who_cannot_work_for_an_operator_is_not_added(
    admin, database, zeta, address, sentence
):
    with database.transaction() as session:
        driver = make.a_user(session, email="driver@example.com").id
        make.a_user(session, email="left@example.com", status="deleted")

    answer = admin.post(f"/admin/operators/{zeta}/members", data={"email": address})

    assert answer.status_code == 422
    assert sentence in answer.text
    assert networks_of(database, driver) == frozenset()


@pytest.mark.parametrize("path", ["", "/{}", "/new", "/{}/edit"])
def test_pages_cost_few_statements_however_many_work_there(
    admin, database, zeta, statements, path
):
    url = "/admin/operators" + path.format(zeta)
    admin.get(url)
    statements.clear()
    admin.get(url)
    few = len(statements)
    with database.transaction() as session:
        for number in range(20):
            other = make.an_operator(session, f"Operator {number}")
            make.a_user(session, role="operator", operator=other)
            make.a_user(
                session,
                role="operator",
                operator=make.an_operator(session, "Zeta Power"),
            )
    statements.clear()

    admin.get(url)

    assert len(statements) == few <= 4


def test_a_location_needs_an_operator_first(admin, sign_in):
    page = admin.get("/admin/locations/new").text
    assert "No operators yet." in page
    assert 'href="/admin/operators/new"' in page
    assert admin.post("/admin/locations/new", data={}).status_code == 422

    page = sign_in("operator").get("/admin/locations/new").text
    assert "You work for no operator yet." in page
    assert "/admin/operators" not in page
