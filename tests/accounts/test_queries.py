import pytest

import make
from evcharge.accounts.queries import (
    count_users_matching,
    user_by_id,
    users_matching,
)
from evcharge.accounts.rules import Role, UserFilter, UserNotFound, UserStatus


@pytest.fixture
def people(session):
    return {
        name: make.a_user(session, name=name, email=email, phone=phone, **columns).id
        for name, email, phone, columns in [
            ("Asha Rao", "asha@example.com", "+919845012345", {}),
            ("Ravi 100%", "ravi_k@example.com", None, {"role": "operator"}),
            ("Ravindra", "ravixk@example.com", None, {"status": "suspended"}),
        ]
    }


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (UserFilter(), {"Asha Rao", "Ravi 100%", "Ravindra"}),
        (UserFilter("rav"), {"Ravi 100%", "Ravindra"}),
        (UserFilter("ASHA"), {"Asha Rao"}),
        (UserFilter("asha@EXAMPLE"), {"Asha Rao"}),
        (UserFilter("%"), {"Ravi 100%"}),
        (UserFilter("ravi_k"), {"Ravi 100%"}),
        (UserFilter("\\"), set()),
        (UserFilter("/"), set()),
        (UserFilter("98450 12345"), {"Asha Rao"}),
        (UserFilter(role=Role.OPERATOR), {"Ravi 100%"}),
        (UserFilter(status=UserStatus.SUSPENDED), {"Ravindra"}),
        (UserFilter("rav", Role.DRIVER, UserStatus.ACTIVE), set()),
    ],
)
def test_people_are_found_by_what_an_admin_knows_of_them(
    session, people, wanted, names
):
    found = users_matching(session, wanted, limit=10)

    assert {user.name for user in found} == names
    assert count_users_matching(session, wanted) == len(names)


def test_people_are_listed_in_pages_the_newest_first(session, people):
    pages = [
        users_matching(session, UserFilter(), limit=2, offset=offset)
        for offset in (0, 2, 4)
    ]

    assert [[user.name for user in page] for page in pages] == [
        ["Ravindra", "Ravi 100%"],
        ["Asha Rao"],
        [],
    ]


def test_nobody_is_found_under_a_number_that_was_never_given(session):
    with pytest.raises(UserNotFound):
        user_by_id(session, 999_999)
