import pytest
from click.testing import CliRunner
from sqlalchemy import select

import make
from evcharge.accounts.cli import operators, users
from evcharge.accounts.models import Operator, User
from evcharge.accounts.rules import Role
from evcharge.accounts.rules.passwords import is_password

PASSWORD = "correct horse battery"


@pytest.fixture
def run(database):
    def invoke(*arguments, typed=""):
        return CliRunner().invoke(users, arguments, obj=database, input=typed)

    return invoke


def admins(database):
    with database.reading() as session:
        return list(session.scalars(select(User).where(User.role == Role.ADMIN)))


def test_the_first_admin_is_asked_for_everything(run, database):
    answer = run(
        "create-admin", typed=f"meera@example.com\nMeera Iyer\n{PASSWORD}\n{PASSWORD}\n"
    )

    assert answer.exit_code == 0, answer.output
    (meera,) = admins(database)
    assert (meera.name, meera.email) == ("Meera Iyer", "meera@example.com")
    assert is_password(PASSWORD, meera.password_hash)
    assert PASSWORD not in answer.output


def test_a_script_gives_the_password_on_standard_input(run, database):
    answer = run(
        "create-admin", "--email", "meera@example.com", "--name", "Meera",
        "--password-stdin", typed=f"{PASSWORD}\n",
    )  # fmt: skip

    assert answer.exit_code == 0, answer.output
    assert is_password(PASSWORD, admins(database)[0].password_hash)


@pytest.mark.parametrize(
    ("email", "name", "password", "sentence"),
    [
        ("meera", "Meera", PASSWORD, "It looks like name@example.com"),
        ("meera@example.com", "", PASSWORD, "Type your name."),
        ("meera@example.com", "Meera", "password", "Many people use that one."),
        ("meera@example.com", "Meera", "", "Use at least 8 characters."),
        ("Taken@example.com", "Meera", PASSWORD, "There is already an account"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_made(
    run, database, email, name, password, sentence
):
    with database.transaction() as session:
        make.a_user(session, email="taken@example.com")

    answer = run(
        "create-admin", "--email", email, "--name", name,
        "--password-stdin", typed=f"{password}\n",
    )  # fmt: skip

    assert answer.exit_code == 1
    assert sentence in answer.output
    assert admins(database) == []


def test_accounts_are_listed_by_role(run, database):
    with database.transaction() as session:
        make.a_user(session, email="asha@example.com")
        make.a_user(session, email="meera@example.com", role="admin")

    everybody, only_admins = run("list"), run("list", "--role", "admin")

    assert "asha@example.com" in everybody.output
    assert "meera@example.com" in only_admins.output
    assert "asha@example.com" not in only_admins.output


@pytest.fixture
def run_operators(database):
    def invoke(*arguments):
        return CliRunner().invoke(operators, arguments, obj=database)

    return invoke


def test_the_first_operator_is_added_where_the_program_runs(run_operators, database):
    answer = run_operators("add", "  Zeta   Power ", "--phone", "1800 123 4567")

    assert answer.exit_code == 0, answer.output
    with database.reading() as session:
        zeta = session.scalars(select(Operator)).one()
    assert (zeta.name, zeta.support_phone) == ("Zeta Power", "18001234567")
    assert answer.output == f"Zeta Power is operator {zeta.id}.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["ZETA POWER"], "There is already an operator with this name."),
        ([" "], "Type the operator's name."),
        (["Other", "--phone", "12"], "Type ten digits"),
    ],
)
def test_an_operator_that_cannot_be_is_not_added(
    run_operators, database, arguments, sentence
):
    run_operators("add", "Zeta Power")

    answer = run_operators("add", *arguments)

    assert answer.exit_code == 1
    assert sentence in answer.output
    with database.reading() as session:
        assert session.scalars(select(Operator.name)).all() == ["Zeta Power"]


def test_operators_are_listed_with_how_many_work_for_them(run_operators, database):
    with database.transaction() as session:
        make.a_user(
            session, role="operator", operator=make.an_operator(session, "Zeta")
        )
        make.an_operator(session, "Alpha")

    alpha, zeta = run_operators("list").output.splitlines()

    assert alpha.split()[1:] == ["0", "–", "Alpha"]
    assert zeta.split()[1:] == ["1", "–", "Zeta"]
