from datetime import timedelta

import pytest

import make
from evcharge.accounts.models import User
from evcharge.accounts.queries import open_logins
from evcharge.accounts.rules import (
    AccountSuspended,
    Credentials,
    PasswordChanged,
    UserStatus,
)
from evcharge.accounts.service import change_password, change_profile, log_in
from make import NOON


@pytest.fixture
def asha(session):
    return make.a_user(session, password_hash="old")


def seen(user):
    return Credentials(user.id, user.password_hash, user.status)


def enter(session, user):
    return log_in(session, seen(user), device="", now=NOON, lifetime=timedelta(days=1))


def test_a_new_password_ends_the_other_logins(session, asha):
    here, _phone, _laptop = (enter(session, asha) for _ in range(3))

    ended = change_password(
        session, seen(asha), password_hash="new", login_id=here, now=NOON
    )

    session.expire_all()
    assert ended == 2
    assert session.get_one(User, asha.id).password_hash == "new"
    assert [login.id for login in open_logins(session, asha.id, now=NOON)] == [here]


def test_of_two_who_change_one_password_at_once_one_does(database, at_once):
    with database.transaction() as session:
        asha = make.a_user(session, password_hash="old")
        here = enter(session, asha)

    answers = at_once(
        *[
            lambda session, new=new: change_password(
                session, seen(asha), password_hash=new, login_id=here, now=NOON
            )
            for new in ("one", "two")
        ]
    )

    assert sorted(answers, key=str) == [0, PasswordChanged.code]


def test_a_name_and_a_number_can_be_changed(session, asha):
    change_profile(session, user_id=asha.id, name="Asha Rao-Menon", phone=None)

    session.expire_all()
    assert (asha.name, asha.phone) == ("Asha Rao-Menon", None)


def test_somebody_suspended_changes_nothing(session, asha):
    asha.status = UserStatus.SUSPENDED
    session.flush()

    with pytest.raises(AccountSuspended):
        change_profile(session, user_id=asha.id, name="Asha", phone=None)
    with pytest.raises(AccountSuspended):
        change_password(
            session, seen(asha), password_hash="new", login_id=None, now=NOON
        )
