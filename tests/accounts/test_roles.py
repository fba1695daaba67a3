import pytest
from sqlalchemy import func, select

import make
from evcharge.accounts.models import User
from evcharge.accounts.queries import employers_of, open_logins, operators_of
from evcharge.accounts.rules import (
    LastAdmin,
    NotAnAdminNow,
    NotAnOperator,
    OperatorNotFound,
    OwnAccount,
    Role,
    UserNotFound,
    UserStatus,
)
from evcharge.accounts.service import (
    add_member,
    change_role,
    reinstate,
    remove_member,
    suspend,
)
from evcharge.kernel.clock import utc_now
from make import NOON


@pytest.fixture
def boss(session):
    return make.a_user(session, role="admin")


@pytest.fixture
def asha(session):
    return make.a_user(session)


def of(session, user):
    session.expire_all()
    return session.get_one(User, user.id)


@pytest.mark.parametrize("role", Role)
def test_an_admin_gives_people_roles(session, boss, asha, role):
    change_role(session, user_id=asha.id, role=role, actor_id=boss.id)

    session.flush()
    assert of(session, asha).role == role


def test_who_is_no_operator_any_more_works_for_nobody(session, boss):
    operator = make.an_operator(session)
    ravi = make.a_user(session, role="operator", operator=operator)

    change_role(session, user_id=ravi.id, role=Role.DRIVER, actor_id=boss.id)
    change_role(session, user_id=ravi.id, role=Role.OPERATOR, actor_id=boss.id)

    assert operators_of(session, ravi.id) == frozenset()


def test_suspending_ends_every_login_and_reinstating_opens_none(session, boss, asha):
    make.a_login(session, asha)
    make.a_login(session, asha)
    now = utc_now()

    assert suspend(session, user_id=asha.id, actor_id=boss.id, now=now) == 2
    session.flush()
    assert of(session, asha).status == UserStatus.SUSPENDED

    reinstate(session, user_id=asha.id, actor_id=boss.id)
    session.flush()
    assert of(session, asha).status == UserStatus.ACTIVE
    assert open_logins(session, asha.id, now=now) == []


ACTIONS = {
    "demote": lambda session, user, actor: change_role(
        session, user_id=user, role=Role.DRIVER, actor_id=actor
    ),
    "suspend": lambda session, user, actor: suspend(
        session, user_id=user, actor_id=actor, now=NOON
    ),
    "reinstate": lambda session, user, actor: reinstate(
        session, user_id=user, actor_id=actor
    ),
    "add": lambda session, user, actor: add_member(
        session, operator_id=1, user_id=user, actor_id=actor, now=NOON
    ),
    "remove": lambda session, user, actor: remove_member(
        session, operator_id=1, user_id=user, actor_id=actor
    ),
}


@pytest.fixture(params=ACTIONS)
def action(request):
    return ACTIONS[request.param]


def test_the_only_admin_stays_one(session, boss, action):
    make.a_user(session, role="admin", status="suspended")

    with pytest.raises(LastAdmin):
        action(session, boss.id, boss.id)


def test_an_admin_does_not_change_their_own_account(session, boss, action):
    make.a_user(session, role="admin")

    with pytest.raises(OwnAccount):
        action(session, boss.id, boss.id)


@pytest.mark.parametrize("role", ["driver", "operator"])
def test_only_an_admin_changes_others(session, boss, asha, action, role):
    actor = make.a_user(session, role=role)

    with pytest.raises(NotAnAdminNow):
        action(session, asha.id, actor.id)


def test_a_suspended_admin_changes_nobody(session, boss, asha, action):
    actor = make.a_user(session, role="admin", status="suspended")

    with pytest.raises(NotAnAdminNow):
        action(session, asha.id, actor.id)


def test_nobody_changes_who_is_not_there(session, boss, action):
    gone = make.a_user(session, status="deleted")

    with pytest.raises(UserNotFound):
        action(session, gone.id, boss.id)
    with pytest.raises(UserNotFound):
        action(session, 999_999, boss.id)


@pytest.mark.parametrize("action", [ACTIONS["demote"], ACTIONS["suspend"]])
def test_two_admins_cannot_remove_each_other_at_once(database, at_once, action):
    for _ in range(10):
        with database.transaction() as session:
            one, two = (make.a_user(session, role="admin").id for _ in range(2))

        answers = at_once(
            lambda session, one=one, two=two: action(session, one, two),
            lambda session, one=one, two=two: action(session, two, one),
        )

        assert answers.count(NotAnAdminNow.code) == 1
        with database.transaction() as session:
            left = select(User).where(
                User.role == Role.ADMIN, User.status == UserStatus.ACTIVE
            )
            assert session.scalar(select(func.count()).select_from(left.subquery()))
            session.scalars(left).one().role = Role.DRIVER


def test_an_operator_works_for_those_an_admin_names(session, boss):
    ravi = make.a_user(session, role="operator")
    first, second = (make.an_operator(session, name) for name in ("Zeta", "Alpha"))

    for operator in (first, second, first):
        add_member(
            session,
            operator_id=operator.id,
            user_id=ravi.id,
            actor_id=boss.id,
            now=NOON,
        )
    assert [one.name for one in employers_of(session, ravi.id)] == ["Alpha", "Zeta"]

    remove_member(session, operator_id=first.id, user_id=ravi.id, actor_id=boss.id)
    assert operators_of(session, ravi.id) == {second.id}


def test_a_driver_works_for_nobody(session, boss, asha):
    operator = make.an_operator(session)

    with pytest.raises(NotAnOperator):
        add_member(
            session,
            operator_id=operator.id,
            user_id=asha.id,
            actor_id=boss.id,
            now=NOON,
        )


def test_nobody_works_for_an_operator_that_is_not_there(session, boss):
    ravi = make.a_user(session, role="operator")

    with pytest.raises(OperatorNotFound):
        add_member(
            session, operator_id=999, user_id=ravi.id, actor_id=boss.id, now=NOON
        )
