"""Tokens for programs, made and revoked on the account page."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

import make
from evcharge.accounts import service
from evcharge.accounts.models import Login, User
from evcharge.accounts.rules.tokens import MOST_TOKENS, new_token, token_hash
from evcharge.kernel.clock import utc_now
from evcharge.kernel.ids import new_id

PASSWORD = "correct horse battery"
SCRIPT = {"name": "Night script", "days": "30", "present": PASSWORD}


@pytest.fixture
def asha(sign_in, password_hash):
    """A browser in which Asha is logged in."""
    return sign_in("driver", email="asha@example.com", password_hash=password_hash)


@pytest.fixture
def token(asha):
    """A token she has just made."""
    return token_on(asha.post("/account/tokens", data=SCRIPT))


def token_on(page):
    [shown] = re.findall(r'value="(evc_[\w-]+)"', page.text)
    return shown


def who(app, token):
    """The status that a program with this token gets."""
    headers = {"Authorization": f"Bearer {token}"}
    return app.test_client().get("/api/v1/tokens", headers=headers).status_code


def tokens(database):
    with database.reading() as session:
        wanted = Login.token_hash.is_not(None)
        return list(session.scalars(select(Login).where(wanted)))


# Making one


def test_a_new_token_is_shown_once_and_works(asha, app, database):
    page = asha.post("/account/tokens", data=SCRIPT)

    assert page.status_code == 201
    assert 'aria-label="Revoke Night script"' in page.text
    token = token_on(page)
    assert who(app, token) == 200
    assert token not in asha.get("/account/tokens").text
    (kept,) = tokens(database)
    assert kept.device == "Night script"
    assert kept.token_hash == token_hash(token)


def test_nobody_keeps_the_page_that_shows_it(asha):
    page = asha.post("/account/tokens", data=SCRIPT)

    assert page.headers["Cache-Control"] == "no-store"
    assert "evc_" not in str(page.headers)


@pytest.mark.parametrize("days", [7, 30, 90, 365])
def test_it_is_valid_as_long_as_was_chosen(asha, database, days):
    asha.post("/account/tokens", data=SCRIPT | {"days": str(days)})

    (token,) = tokens(database)
    assert token.expires_at - token.created_at == timedelta(days=days)


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"name": ""}, "Give the token a name"),
        ({"name": " \t\0"}, "Give the token a name"),
        ({"name": "x" * 81}, "at most 80 characters"),
        ({"days": ""}, "Choose how long"),
        ({"days": "8"}, "Choose how long"),
        ({"days": "-30"}, "Choose how long"),
        ({"days": "9" * 400}, "Choose how long"),
        ({"present": ""}, "Type your password."),
        ({"present": "a guess"}, "That is not your present password."),
        ({"present": "x" * 10_000}, "Use at most 256 characters."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(asha, database, typed, complaint):
    page = asha.post("/account/tokens", data=SCRIPT | typed)

    assert page.status_code == 422
    (field,) = typed
    error = re.search(rf'id="{field}-error">(.*?)</p>', page.text, re.DOTALL)
    assert complaint in error[1]
    assert PASSWORD not in page.text
    assert tokens(database) == []


def test_an_empty_form_makes_nothing(asha, database):
    page = asha.post("/account/tokens")

    assert page.status_code == 422
    assert tokens(database) == []


def test_what_a_program_is_called_is_never_html(asha):
    asha.post("/account/tokens", data=SCRIPT | {"name": "<script>alert(1)</script>"})

    page = asha.get("/account/tokens").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_nobody_has_more_than_fifty(asha, database):
    now = utc_now()
    with database.transaction() as session:
        for n in range(MOST_TOKENS):
            session.add(
                Login(
                    id=new_id(),
                    user_id=asha.user_id,
                    device=f"number {n}",
                    created_at=now,
                    expires_at=now + timedelta(days=1),
                    token_hash=token_hash(new_token()),
                )
            )

    page = asha.post("/account/tokens", data=SCRIPT)

    assert page.status_code == 409
    assert "Revoke those you no longer use." in page.text
    assert len(tokens(database)) == MOST_TOKENS


# Looking


def test_the_page_lists_what_still_works(asha, database, token):
    with database.transaction() as session:
        other = make.a_user(session)
        make.a_login(session, other, device="Of others", token_hash="a" * 64)
        her = session.get(User, asha.user_id)
        now = utc_now()
        for name, about in {
            "Expired": {"expires_at": now - timedelta(seconds=1)},
            "Revoked": {"ended_at": now},
        }.items():
            hashed = token_hash(name)
            make.a_login(session, her, device=name, token_hash=hashed, **about)

    page = asha.get("/account/tokens").text

    assert "Night script" in page
    assert "Made today" in page
    listed = re.findall(r'aria-label="Revoke (.*?)"', page)
    assert listed == ["Night script"]


def test_without_tokens_the_page_says_what_they_are_for(asha):
    page = asha.get("/account/tokens").text

    assert "No tokens yet." in page
    assert "Revoke" not in re.sub(r"(?s)<p.*?</p>", "", page)


def test_the_account_says_how_many_there_are(asha):
    assert "No program acts for you." in asha.get("/account").text
    asha.post("/account/tokens", data=SCRIPT)
    assert "One program has a token of yours." in asha.get("/account").text
    asha.post("/account/tokens", data=SCRIPT)
    page = asha.get("/account").text
    assert "2 programs have a token of yours." in page
    assert 'href="/account/tokens"' in page


# How a token ends


def test_revoking_ends_it(asha, app, database, token):
    (kept,) = tokens(database)
    answer = asha.post(f"/account/tokens/{kept.id}/revoke")

    assert answer.location == "/account/tokens"
    assert who(app, token) == 401
    page = asha.get("/account/tokens").text
    assert "Revoked. The program that used it is logged out." in page
    assert "No tokens yet." in page
    # Pressed twice, it is the same.
    assert asha.post(f"/account/tokens/{kept.id}/revoke").status_code == 303


def test_nobody_revokes_a_token_of_others(asha, sign_in, app, database, token):
    stranger = sign_in("admin")
    (kept,) = tokens(database)

    stranger.post(f"/account/tokens/{kept.id}/revoke")

    assert who(app, token) == 200
    assert "There is no such token." in stranger.get("/account/tokens").text


def test_a_login_is_not_revoked_as_a_token(asha, database):
    with database.reading() as session:
        login = session.scalars(select(Login.id)).one()

    asha.post(f"/account/tokens/{login}/revoke")

    assert "There is no such token." in asha.get("/account/tokens").text


def test_a_new_password_ends_it(asha, app, token):
    asha.post(
        "/account/password", data={"present": PASSWORD, "new": "seven green rivers"}
    )

    assert who(app, token) == 401
    page = asha.get("/account").text
    assert "One other browser or program is logged out." in page


def test_logging_out_everywhere_ends_it(asha, app, token):
    asha.post("/account/logout-everywhere")

    assert who(app, token) == 401


def test_logging_out_of_the_browser_leaves_it(asha, app, token):
    asha.post("/logout")

    assert who(app, token) == 200


def test_a_suspension_ends_it_for_good(asha, app, database, sign_in, token):
    admin = sign_in("admin").user_id
    with database.transaction() as session:
        service.suspend(session, user_id=asha.user_id, actor_id=admin, now=utc_now())
    assert who(app, token) == 401

    with database.transaction() as session:
        service.reinstate(session, user_id=asha.user_id, actor_id=admin)
    assert who(app, token) == 401


def test_deleting_the_account_ends_it(asha, app, token):
    asha.post("/account/delete", data={"present": PASSWORD})

    assert who(app, token) == 401


def test_it_ends_by_itself(asha, app, database, token):
    with database.transaction() as session:
        session.execute(
            update(Login)
            .where(Login.token_hash.is_not(None))
            .values(expires_at=utc_now() - timedelta(seconds=1))
        )

    assert who(app, token) == 401


# Tokens and cookies are different things


def test_a_token_is_no_login_of_a_browser(asha, app, database, token):
    (kept,) = tokens(database)
    thief = app.test_client()
    for login_id in (str(kept.id), token, token_hash(token)):
        with thief.session_transaction() as cookie:
            cookie["user_id"], cookie["login_id"] = asha.user_id, login_id

        assert thief.get("/account").status_code == 303


def test_a_token_opens_no_page(app, token):
    headers = {"Authorization": f"Bearer {token}"}

    answer = app.test_client().get("/account", headers=headers)

    assert (answer.status_code, answer.location[:6]) == (303, "/login")


def test_neither_a_login_nor_a_hash_is_a_token(asha, app, database, token):
    with database.reading() as session:
        logins = list(session.scalars(select(Login)))

    for login in logins:
        assert who(app, str(login.id)) == 401
        assert who(app, login.token_hash or "") == 401


def test_the_cookie_of_a_browser_is_nobody_to_the_api(asha):
    assert asha.get("/account").status_code == 200
    assert asha.get("/api/v1/tokens").status_code == 401


# Guessing the password


def test_a_stolen_open_browser_cannot_guess_the_password_here(
    new_app, database, password_hash
):
    app = new_app(rate_limits=True)
    app.config["PASSWORD_METHOD"] = "pbkdf2:sha256:1"
    with database.transaction() as session:
        user = make.a_user(session, password_hash=password_hash)
        login = make.a_login(session, user)
        who = {"user_id": user.id, "login_id": str(login.id)}
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie.update(who)

    pages = [
        browser.post("/account/tokens", data=SCRIPT | {"present": "a guess"})
        for _ in range(6)
    ]

    assert [page.status_code for page in pages] == [422] * 5 + [429]
    assert "Try again in" in pages[-1].text
    assert 'value="Night script"' in pages[-1].text
