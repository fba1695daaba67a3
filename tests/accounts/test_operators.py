"""Adding the organisations that run chargers, and changing what is said of them."""

import pytest
from sqlalchemy import select

import make
from evcharge.accounts.models import Operator
from evcharge.accounts.queries import member_counts, members_of
from evcharge.accounts.rules import (
    InvalidName,
    InvalidPhone,
    OperatorNameTaken,
    OperatorNotFound,
    operator_name_from_text,
    support_phone_from_text,
)
from evcharge.accounts.service import create_operator, edit_operator
from make import NOON


def create(database, name="Zeta Power", phone=None):
    return database.perform(
        lambda session: create_operator(session, name=name, phone=phone, now=NOON)
    )


def edit(database, operator_id, name, phone=None):
    database.perform(
        lambda session: edit_operator(
            session, operator_id=operator_id, name=name, phone=phone
        )
    )


def names(database):
    with database.reading() as session:
        return session.scalars(select(Operator.name).order_by(Operator.id)).all()


def test_an_operator_is_added(database):
    operator_id = create(database, phone="18001234567")

    with database.reading() as session:
        zeta = session.get_one(Operator, operator_id)
    assert (zeta.name, zeta.support_phone) == ("Zeta Power", "18001234567")
    assert zeta.created_at == NOON


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Zeta Power", "Zeta Power"),
        ("Zeta Power", "ZETA power"),
        ("Énergie", "éNERGIE"),
        ("Straße", "STRASSE"),
    ],
)
def test_two_operators_cannot_have_one_name_whatever_its_case(database, first, second):
    create(database, first)
    other = create(database, "Other")

    with pytest.raises(OperatorNameTaken):
        create(database, second)
    with pytest.raises(OperatorNameTaken):
        edit(database, other, second)

    assert names(database) == [first, "Other"]


def test_a_name_that_was_given_up_is_free_and_the_new_one_is_not(database):
    zeta = create(database, "Zeta")

    edit(database, zeta, "Eta")

    with pytest.raises(OperatorNameTaken):
        create(database, "ETA")
    create(database, "zeta")
    assert names(database) == ["Eta", "zeta"]


def test_the_case_of_ones_own_name_may_change(database):
    zeta = create(database, "Zeta power", phone="18001234567")

    edit(database, zeta, "Zeta Power")

    with database.reading() as session:
        changed = session.get_one(Operator, zeta)
    assert (changed.name, changed.support_phone) == ("Zeta Power", None)


def test_what_is_not_there_is_not_edited(database):
    with pytest.raises(OperatorNotFound):
        edit(database, 999, "Zeta")


def creating(name):
    return lambda session: create_operator(session, name=name, phone=None, now=NOON)


def renaming(operator_id, name):
    return lambda session: edit_operator(
        session, operator_id=operator_id, name=name, phone=None
    )


def test_of_many_who_want_one_name_at_once_one_gets_it(database, at_once):
    known = [create(database, f"Operator {number}") for number in range(3)]

    answers = at_once(
        *(creating(name) for name in ("Zeta", "ZETA", "zeta")),
        *(renaming(operator_id, "zETA") for operator_id in known),
    )

    assert answers.count("operator_name_taken") == 5
    assert [name.lower() for name in names(database)].count("zeta") == 1


def test_people_are_listed_and_counted_with_the_operator_they_work_for(database):
    with database.transaction() as session:
        zeta = make.an_operator(session, "Zeta")
        eta = make.an_operator(session, "Eta")
        idle = make.an_operator(session, "Idle")
        for name in ("Ravi", "Asha"):
            make.a_user(session, name=name, role="operator", operator=zeta)
        make.a_user(session, name="Meera", role="operator", operator=eta)

    with database.reading() as session:
        assert [user.name for user in members_of(session, zeta.id)] == ["Asha", "Ravi"]
        assert members_of(session, idle.id) == []
        assert member_counts(session) == {zeta.id: 2, eta.id: 1}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  Zeta   Power ", "Zeta Power"),
        ("ज़ेटा पावर", "ज़ेटा पावर"),
        ("<b>Zeta</b>", "<b>Zeta</b>"),
        ("x" * 120, "x" * 120),
    ],
)
def test_names_are_kept_as_people_write_them(text, name):
    assert operator_name_from_text(text) == name


@pytest.mark.parametrize(
    "text", ["", "   ", "—", "Ze\0ta", "Ze\u202eta", "x" * 121, "ß" * 61]
)
def test_what_is_no_name_is_refused(text):
    with pytest.raises(InvalidName):
        operator_name_from_text(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", None),
        ("1800 123 4567", "18001234567"),
        ("1860-266-4567", "18602664567"),
        ("1800-11-4000", "1800114000"),
        ("98450 12345", "+919845012345"),
        ("080 6789 0123", "+918067890123"),
        ("+91 11 2345 6789", "+911123456789"),
    ],
)
def test_support_numbers_are_those_of_people_and_companies(text, number):
    assert support_phone_from_text(text) == number


@pytest.mark.parametrize(
    "text", ["12", "1800 12", "1800 123 45678", "1900 123 4567", "call us", "1" * 9999]
)
def test_what_nobody_could_call_is_refused(text):
    with pytest.raises(InvalidPhone):
        support_phone_from_text(text)
