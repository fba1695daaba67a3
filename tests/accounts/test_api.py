"""Tokens over REST: logging in, logging out, and what ends them."""

from datetime import timedelta

import pytest

import make
from api import bearer, caller
from evcharge.accounts import service
from evcharge.accounts.models import Login
from evcharge.accounts.rules import UserStatus
from evcharge.accounts.rules.passwords import hash_password
from evcharge.accounts.rules.tokens import MOST_TOKENS, PREFIX
from evcharge.kernel.clock import utc_now

PASSWORD = "charge-demo-1"
LOGIN = {"email": "asha@example.com", "password": PASSWORD}


@pytest.fixture
def asha(app, database):
    with database.transaction() as session:
        hashed = hash_password(PASSWORD, method=app.config["PASSWORD_METHOD"])
        return make.a_user(session, email=LOGIN["email"], password_hash=hashed).id


@pytest.mark.usefixtures("asha")
def test_a_password_is_exchanged_for_a_token(client):
    answer = client.post("/api/v1/tokens", json=LOGIN | {"name": "My car", "days": 7})

    assert answer.status_code == 201
    assert answer.json["token"].startswith(PREFIX)
    headers = {"Authorization": f"Bearer {answer.json['token']}"}
    [listed] = client.get("/api/v1/tokens", headers=headers).json["items"]
    assert (listed["name"], listed["is_current"]) == ("My car", True)
    assert listed["expires_at"] == answer.json["expires_at"]
    assert "token" not in listed


@pytest.mark.usefixtures("asha")
def test_the_token_itself_is_kept_nowhere(client, database):
    token = client.post("/api/v1/tokens", json=LOGIN).json["token"]

    with database.reading() as session:
        login = session.query(Login).one()
    kept = [str(getattr(login, column.name)) for column in Login.__table__.columns]
    assert not any(token.removeprefix(PREFIX) in value for value in kept)


@pytest.mark.usefixtures("asha")
@pytest.mark.parametrize(
    "wrong",
    [{"password": "wrong"}, {"email": "nobody@example.com"}, {"email": "no address"}],
)
def test_a_wrong_password_gets_none(client, wrong):
    answer = client.post("/api/v1/tokens", json=LOGIN | wrong)

    assert answer.status_code == 401
    assert answer.json["code"] == "wrong_credentials"


@pytest.mark.parametrize(
    "odd",
    [{"days": 0}, {"days": 366}, {"days": "7"}, {"name": ""}, {"name": "a\0b"},
     {"name": "x" * 81}, {"password": ""}, {"email": None}],
)  # fmt: skip
def test_odd_wishes_are_refused(client, odd):
    answer = client.post("/api/v1/tokens", json=LOGIN | odd)

    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")


@pytest.mark.usefixtures("asha")
def test_a_name_of_nothing_to_see_is_refused(client):
    answer = client.post("/api/v1/tokens", json=LOGIN | {"name": " \u200b\n"})

    assert (answer.status_code, answer.json["code"]) == (422, "bad_token_name")


def test_a_suspended_person_gets_none(client, database, asha):
    with database.transaction() as session:
        session.get_one(service.User, asha).status = UserStatus.SUSPENDED

    answer = client.post("/api/v1/tokens", json=LOGIN)

    assert (answer.status_code, answer.json["code"]) == (403, "account_suspended")


def test_logging_out_ends_this_token_alone(app, database, asha):
    one = caller(app, database, user_id=asha)
    other = caller(app, database, user_id=asha)

    assert one.delete("/api/v1/tokens/current").status_code == 204

    assert one.get("/api/v1/tokens").status_code == 401
    assert other.get("/api/v1/tokens").status_code == 200


def test_a_token_can_be_revoked_by_another_of_the_same_person(app, database, asha):
    lost = caller(app, database, user_id=asha)
    [known] = lost.get("/api/v1/tokens").json["items"]
    mine = caller(app, database, user_id=asha)

    for _ in range(2):  # Twice is the same.
        assert mine.delete(f"/api/v1/tokens/{known['id']}").status_code == 204

    assert lost.get("/api/v1/tokens").status_code == 401


def test_nobody_revokes_what_is_not_theirs(app, database, asha, driver):
    theirs = caller(app, database, user_id=asha)
    [token] = theirs.get("/api/v1/tokens").json["items"]
    with database.reading() as session:
        [browser] = session.query(Login).filter_by(user_id=driver.user_id)
    stranger = caller(app, database, user_id=driver.user_id)

    for login_id in (token["id"], browser.id):
        answer = stranger.delete(f"/api/v1/tokens/{login_id}")
        assert (answer.status_code, answer.json["code"]) == (404, "token_not_found")

    assert theirs.get("/api/v1/tokens").status_code == 200
    assert driver.get("/account").status_code == 200


def test_an_old_token_is_none(client, database):
    with database.transaction() as session:
        user = make.a_user(session)
    headers = bearer(database, user_id=user.id)
    with database.transaction() as session:
        session.query(Login).update({"expires_at": utc_now() - timedelta(seconds=1)})

    assert client.get("/api/v1/tokens", headers=headers).status_code == 401


@pytest.mark.usefixtures("asha")
def test_there_is_an_end_to_how_many_tokens_one_has(client, database, asha):
    for _ in range(MOST_TOKENS):
        bearer(database, user_id=asha)

    answer = client.post("/api/v1/tokens", json=LOGIN)

    assert (answer.status_code, answer.json["code"]) == (409, "too_many_tokens")


@pytest.mark.usefixtures("asha")
def test_guessing_passwords_is_stopped_whatever_the_address(new_app):
    client = new_app(rate_limits=True).test_client()

    answers = [
        client.post(
            "/api/v1/tokens",
            json=LOGIN | {"password": f"guess-{n}"},
            environ_base={"REMOTE_ADDR": f"192.0.2.{n}"},
        )
        for n in range(6)
    ]

    assert [each.status_code for each in answers] == [401] * 5 + [429]
