import pytest
from sqlalchemy import func, select

from evcharge.accounts.models import User
from evcharge.accounts.rules import EmailTaken, Profile, Role, UserStatus
from evcharge.accounts.service import create_admin, sign_up
from make import NOON, a_user

ASHA = Profile("Asha Rao", "Asha@example.com", "+919845012345")


def test_who_signs_up_is_an_active_driver(session):
    user_id = sign_up(session, ASHA, password_hash="!", now=NOON)

    user = session.get_one(User, user_id)
    assert (user.name, user.email, user.phone) == ASHA
    assert (user.role, user.status) == (Role.DRIVER, UserStatus.ACTIVE)
    assert user.created_at == NOON


def test_an_address_is_taken_in_whatever_case(session):
    sign_up(session, ASHA, password_hash="!", now=NOON)

    with pytest.raises(EmailTaken):
        sign_up(
            session,
            ASHA._replace(email="aSHA@EXAMPLE.com"),
            password_hash="!",
            now=NOON,
        )


def test_the_address_of_somebody_suspended_stays_taken(session):
    a_user(session, email="asha@example.com", status="suspended")

    with pytest.raises(EmailTaken):
        sign_up(session, ASHA, password_hash="!", now=NOON)


def test_of_eight_who_want_one_address_at_once_one_has_it(database, at_once):
    answers = at_once(
        *[
            lambda session, n=n: sign_up(
                session, ASHA._replace(name=f"Asha {n}"), password_hash="!", now=NOON
            )
            for n in range(8)
        ]
    )

    assert answers.count("email_taken") == 7
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1


def test_an_admin_can_be_made_from_nothing(session):
    user_id = create_admin(session, ASHA, password_hash="!", now=NOON)

    assert session.get_one(User, user_id).role == Role.ADMIN
