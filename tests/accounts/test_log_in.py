from contextlib import suppress
from datetime import timedelta

import pytest

import make
from evcharge.accounts.models import Login
from evcharge.accounts.queries import open_logins, signed_in_user_or_none
from evcharge.accounts.rules import (
    AccountSuspended,
    Credentials,
    PasswordChanged,
    UserNotFound,
    UserStatus,
    WrongCredentials,
    passwords,
)
from evcharge.accounts.service import (
    check_credentials,
    log_in,
    log_out,
    log_out_everywhere,
)
from make import NOON

PASSWORD = "correct horse battery"
DAY = timedelta(days=1)


@pytest.fixture
def asha(session, password_hash):
    return make.a_user(session, email="asha@example.com", password_hash=password_hash)


def check(session, *, email="asha@example.com", password=PASSWORD):
    return check_credentials(
        session, email=email, password=password, method="pbkdf2:sha256:1"
    )


def enter(session, user, **seen):
    credentials = Credentials(user.id, user.password_hash, user.status)
    return log_in(
        session,
        credentials._replace(**seen),
        device="Firefox/140.0",
        now=NOON,
        lifetime=14 * DAY,
    )


def who(session, user, login_id, *, now=NOON):
    return signed_in_user_or_none(session, user_id=user.id, login_id=login_id, now=now)


@pytest.mark.parametrize("email", ["asha@example.com", " ASHA@Example.com "])
def test_the_right_password_opens_the_account(session, asha, email):
    assert check(session, email=email).user_id == asha.id


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("asha@example.com", "wrong"),
        ("asha@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("not an address", PASSWORD),
        ("asha\0@example.com", PASSWORD),
        ("", ""),
        ("a" * 10_000, "b" * 10_000),
    ],
)
def test_there_is_one_answer_to_everything_else(session, asha, email, password):
    with pytest.raises(WrongCredentials):
        check(session, email=email, password=password)


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
@pytest.mark.parametrize("email", ["asha@example.com", "nobody@example.com", "asha"])
@pytest.mark.parametrize("status", ["active", "suspended", "deleted"])
def test_every_answer_costs_one_hash(
    session, asha, email, password, status, monkeypatch
):
    compare, hashes = passwords.check_password_hash, []
    monkeypatch.setattr(
        passwords,
        "check_password_hash",
        lambda stored, typed: hashes.append(stored) or compare(stored, typed),
    )
    asha.status = UserStatus(status)

    with suppress(WrongCredentials, AccountSuspended):
        check(session, email=email, password=password)

    methods = [stored.partition("$")[0] for stored in hashes]
    assert methods == ["pbkdf2:sha256:1"]


def test_somebody_suspended_is_told_so_if_they_know_the_password(session, asha):
    asha.status = UserStatus.SUSPENDED

    with pytest.raises(AccountSuspended):
        check(session)
    with pytest.raises(WrongCredentials):
        check(session, password="wrong")


def test_a_deleted_account_is_unknown(session, asha):
    asha.status = UserStatus.DELETED

    with pytest.raises(WrongCredentials):
        check(session)


def test_a_login_is_somebody_until_it_runs_out(session, asha):
    login_id = enter(session, asha)

    assert who(session, asha, login_id) == asha
    assert who(session, asha, login_id, now=NOON + 14 * DAY) is None


def test_a_login_of_somebody_else_is_nobody(session, asha):
    login_id = enter(session, make.a_user(session))

    assert who(session, asha, login_id) is None


@pytest.mark.parametrize(
    ("status", "refusal"),
    [("suspended", AccountSuspended), ("deleted", UserNotFound)],
)
def test_nobody_gets_in_who_was_shut_out_while_the_password_was_compared(
    session, asha, status, refusal
):
    asha.status = UserStatus(status)
    session.flush()

    with pytest.raises(refusal):
        enter(session, asha, status=UserStatus.ACTIVE)


def test_nobody_gets_in_with_a_password_changed_while_it_was_compared(session, asha):
    with pytest.raises(PasswordChanged):
        enter(session, asha, password_hash="an older one")


def test_logging_out_ends_that_login_only(session, asha):
    phone, laptop = enter(session, asha), enter(session, asha)

    log_out(session, login_id=phone, now=NOON)

    assert who(session, asha, phone) is None
    assert who(session, asha, laptop) == asha


def test_logging_out_twice_keeps_the_first_time(session, asha):
    login_id = enter(session, asha)

    log_out(session, login_id=login_id, now=NOON)
    log_out(session, login_id=login_id, now=NOON + DAY)

    session.expire_all()
    assert session.get_one(Login, login_id).ended_at == NOON


def test_logging_out_everywhere_ends_all_logins_of_one_person(session, asha):
    other = make.a_user(session)
    mine, theirs = [enter(session, asha), enter(session, asha)], enter(session, other)

    assert log_out_everywhere(session, user_id=asha.id, now=NOON) == 2

    assert [who(session, asha, login_id) for login_id in mine] == [None, None]
    assert who(session, other, theirs) == other


def test_only_open_logins_are_listed_the_newest_first(session, asha):
    enter(session, make.a_user(session))
    ended, older, newer = (enter(session, asha) for _ in range(3))
    log_out(session, login_id=ended, now=NOON)
    session.get_one(Login, older).created_at = NOON - DAY

    listed = open_logins(session, asha.id, now=NOON)

    assert [login.id for login in listed] == [newer, older]
    assert open_logins(session, asha.id, now=NOON + 14 * DAY) == []
