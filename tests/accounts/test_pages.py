"""Signing up, logging in and looking after an account, as a browser does it."""

import io
import re

import pytest
from sqlalchemy import select, update

import make
from evcharge.accounts.models import Login, User
from evcharge.accounts.rules import UserStatus

PASSWORD = "correct horse battery"
ASHA = {"name": "Asha Rao", "email": "asha@example.com", "password": PASSWORD}


@pytest.fixture
def asha(database, password_hash):
    with database.transaction() as session:
        return make.a_user(
            session, email="asha@example.com", password_hash=password_hash
        )


def log_in(client, *, next=None, **typed):
    return client.post(
        "/login",
        query_string={"next": next} if next else None,
        data={"email": "asha@example.com", "password": PASSWORD} | typed,
    )


def people(database):
    with database.reading() as session:
        return list(session.scalars(select(User)))


def logins(database):
    with database.reading() as session:
        return list(session.scalars(select(Login)))


def token(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]


# Signing up


def test_who_signs_up_is_logged_in(client, database):
    answer = client.post("/signup", data=ASHA | {"phone": "98450 12345"})

    assert (answer.status_code, answer.location) == (303, "/")
    (user,) = people(database)
    assert (user.name, user.email, user.phone) == (
        "Asha Rao",
        "asha@example.com",
        "+919845012345",
    )
    assert user.password_hash.startswith("pbkdf2")
    assert "asha@example.com" in client.get("/account").text


def test_after_signing_up_one_goes_on_where_one_was(client):
    answer = client.post("/signup?next=/account", data=ASHA)

    assert answer.location == "/account"


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"name": ""}, "Type your name."),
        ({"name": "x" * 10_000}, "Use at most 120 characters."),
        ({"name": "A\0sha"}, "Type your name without special characters."),
        ({"email": "asha"}, "It looks like name@example.com"),
        ({"email": "a\0sha@example.com"}, "It looks like name@example.com"),
        ({"phone": "12"}, "Type ten digits"),
        ({"phone": "9" * 10_000}, "Type ten digits"),
        ({"password": "short"}, "Use at least 8 characters."),
        ({"password": "x" * 10_000}, "Use at most 256 characters."),
        ({"password": "password123"}, "Many people use that one."),
        ({"password": "asha1234"}, "too close to your e-mail address"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_kept(
    client, database, typed, complaint
):
    page = client.post("/signup", data=ASHA | typed)

    assert page.status_code == 422
    (field,) = typed
    error = re.search(rf'id="{field}-error">(.*?)</p>', page.text, re.DOTALL)
    assert complaint in error[1]
    for kept in {"name", "email"} - {field}:
        assert f'value="{ASHA[kept]}"' in page.text
    assert PASSWORD not in page.text
    assert people(database) == []


@pytest.mark.parametrize(
    "body",
    [
        {"data": {}},
        {"json": ASHA},
        {"data": {f"{name}[]": value for name, value in ASHA.items()}},
        {"data": {name: ["", value] for name, value in ASHA.items()}},
        {"data": b"name=%ff%fe&email=%ff&password=%ff%ff%ff%ff%ff%ff%ff%ff",
         "content_type": "application/x-www-form-urlencoded"},
        {"data": b"\xff\xfe\x00", "content_type": "application/x-www-form-urlencoded"},
        {"data": b"--x\r\nbroken", "content_type": "multipart/form-data; boundary=x"},
        {"data": b"", "content_type": "multipart/form-data"},
        {"data": b"{", "content_type": "application/json"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/signup", "/login"])
def test_whatever_arrives_is_answered_at_the_fields(client, database, path, body):
    page = client.post(path, **body)

    assert page.status_code == 422
    assert 'class="field-error"' in page.text or 'role="alert"' in page.text
    assert people(database) == []


def test_a_file_instead_of_a_name_is_no_name(client):
    page = client.post("/signup", data=ASHA | {"name": (io.BytesIO(b"x"), "x.txt")})

    assert page.status_code == 422
    assert "Type your name." in page.text


@pytest.mark.parametrize("email", ["asha@example.com", "ASHA@EXAMPLE.COM"])
def test_a_taken_address_is_said_at_its_field(client, asha, database, email):
    page = client.post("/signup", data=ASHA | {"email": email})

    assert page.status_code == 409
    assert "There is already an account with this e-mail address." in page.text
    assert 'value="Asha Rao"' in page.text
    assert len(people(database)) == 1
    assert logins(database) == []


def test_what_people_call_themselves_is_never_html(client):
    client.post("/signup", data=ASHA | {"name": "<script>alert(1)</script>"})

    page = client.get("/account").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


# Logging in


def test_the_right_password_logs_in(client, asha, database):
    answer = log_in(client, email=" ASHA@example.com ")

    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/account").status_code == 200
    (login,) = logins(database)
    assert (login.user_id, login.ended_at) == (asha.id, None)
    assert (login.expires_at - login.created_at).days == 14


@pytest.mark.parametrize(
    "typed",
    [
        {"password": "wrong password"},
        {"email": "nobody@example.com"},
        {"email": "not an address"},
        {"email": "asha\0@example.com"},
        {"email": "a" * 10_000},
    ],
)
def test_there_is_one_answer_to_a_wrong_address_and_a_wrong_password(
    client, asha, typed
):
    page = log_in(client, **typed)

    assert page.status_code == 422
    assert "That e-mail address and password do not belong together." in page.text
    assert PASSWORD not in page.text
    assert client.get("/account").status_code == 303


def test_the_address_typed_is_kept_when_the_password_was_wrong(client, asha):
    page = log_in(client, password="wrong password")

    assert 'value="asha@example.com"' in page.text
    assert "wrong password" not in page.text


@pytest.mark.parametrize(
    ("password", "status", "sentence"),
    [
        (PASSWORD, 403, "This account is suspended."),
        ("wrong", 422, "That e-mail address and password do not belong together."),
    ],
)
def test_only_who_knows_the_password_hears_of_a_suspension(
    client, asha, database, password, status, sentence
):
    with database.transaction() as session:
        session.execute(update(User).values(status=UserStatus.SUSPENDED))

    page = log_in(client, password=password)

    assert page.status_code == status
    assert sentence in page.text
    assert logins(database) == []


@pytest.mark.parametrize(
    ("next", "location"),
    [
        ("/account", "/account"),
        ("/evses/7/book?day=2026-11-24", "/evses/7/book?day=2026-11-24"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: a=b", "/"),
    ],
)
def test_a_login_leads_to_pages_of_ours_only(client, asha, next, location):
    assert log_in(client, next=next).location == location
    # The same for somebody who is logged in already.
    assert client.get("/login", query_string={"next": next}).location == location


def test_a_page_that_needs_a_login_is_where_one_arrives(client, asha):
    asked = client.get("/account?from=menu")
    page = client.get(asked.location)
    action = re.search(r'action="(/login[^"]*)"', page.text)[1]

    answer = client.post(
        action, data={"email": "asha@example.com", "password": PASSWORD}
    )

    assert answer.location == "/account?from=menu"


@pytest.mark.parametrize("path", ["/login", "/signup"])
def test_who_is_logged_in_need_not_do_so_again(driver, path):
    assert driver.get(path).location == "/"


def test_a_second_login_in_one_browser_ends_the_first(client, asha, database):
    log_in(client)
    log_in(client)

    first, second = sorted(logins(database), key=lambda login: login.id)
    assert first.ended_at is not None
    assert second.ended_at is None


# The cookie


def cookie_of(client):
    with client.session_transaction() as cookie:
        return dict(cookie)


def test_the_cookie_holds_who_and_which_login_and_nothing_else(client, asha, database):
    log_in(client)

    (login,) = logins(database)
    assert cookie_of(client) == {
        "user_id": asha.id,
        "login_id": str(login.id),
        "_permanent": True,
    }


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client, asha):
    answer = log_in(client)

    session_cookie, device_cookie = sorted(
        answer.headers.getlist("Set-Cookie"), key=lambda text: "device" in text
    )
    for cookie in (session_cookie, device_cookie):
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
    assert "Expires" in session_cookie
    assert "Path=/login" in device_cookie


def test_outside_the_demo_cookies_travel_encrypted_only(app, asha):
    app.config["SESSION_COOKIE_SECURE"] = True
    client = app.test_client()

    cookies = client.post(
        "/login",
        data={"email": "asha@example.com", "password": PASSWORD},
        base_url="https://localhost",
    ).headers.getlist("Set-Cookie")

    assert len(cookies) == 2
    assert all("Secure" in cookie for cookie in cookies)


def test_a_cookie_from_before_the_login_is_worth_nothing_after_it(client, asha):
    with client.session_transaction() as cookie:
        cookie["planted"] = "by somebody else"
        cookie["csrf_token"] = "known to somebody else"

    log_in(client)

    assert {"planted", "csrf_token"}.isdisjoint(cookie_of(client))


def test_a_forged_cookie_is_nobody(client, app, asha):
    log_in(client)
    genuine = client.get_cookie("evcharge").value
    head, _, signature = genuine.rpartition(".")
    forged = f"{head}.{signature[:-4]}AAAA"

    stranger = app.test_client()
    for value in (forged, head, "", "....", "\xff" * 9, "e30.e30.e30", "x" * 3000):
        stranger.set_cookie("evcharge", value)
        assert stranger.get("/account").status_code == 303


@pytest.mark.parametrize(
    "content",
    [
        {"user_id": "x", "login_id": "y"},
        {"user_id": None, "login_id": None},
        {"user_id": [1], "login_id": {}},
        {"user_id": 1},
        {"login_id": "0" * 32},
    ],
)
def test_a_cookie_of_ours_that_means_nothing_is_nobody(client, content):
    with client.session_transaction() as cookie:
        cookie.update(content)

    assert client.get("/account").status_code == 303


@pytest.mark.parametrize("status", ["suspended", "deleted"])
def test_the_live_cookie_of_an_ended_account_is_simply_logged_out(
    driver, database, status
):
    assert driver.get("/account").status_code == 200
    with database.transaction() as session:
        session.execute(update(User).values(status=UserStatus(status)))

    answer = driver.get("/account")

    assert answer.status_code == 303
    assert answer.location.startswith("/login?next=")
    assert "user_id" not in cookie_of(driver)
    assert driver.post("/account/profile", data={"name": "x"}).status_code == 401


def test_a_login_counts_for_its_own_person_only(client, database, sign_in):
    sign_in("admin")
    (login,) = logins(database)
    with database.transaction() as session:
        other = make.a_user(session).id
    with client.session_transaction() as cookie:
        cookie["user_id"], cookie["login_id"] = other, str(login.id)

    assert client.get("/account").status_code == 303


def test_the_account_page_costs_six_statements(driver, statements):
    statements.clear()

    driver.get("/account")

    # The last two ask what they owe, and whether they are charging just now.
    assert len(statements) == 6


# Logging out


def test_logging_out_ends_the_login_for_good(client, asha, database):
    log_in(client)
    kept = client.get_cookie("evcharge").value

    assert client.post("/logout").location == "/"

    client.set_cookie("evcharge", kept)
    assert client.get("/account").status_code == 303
    assert all(login.ended_at for login in logins(database))


def test_logging_out_is_not_a_link(driver):
    assert driver.get("/logout").status_code == 405
    assert driver.get("/account").status_code == 200


def test_who_is_logged_out_may_log_out(client):
    assert client.post("/logout").status_code == 303


def test_logging_out_everywhere_ends_every_browser(client, app, asha):
    phone = app.test_client()
    log_in(client)
    log_in(phone)

    assert client.post("/account/logout-everywhere").location == "/login"

    assert client.get("/account").status_code == 303
    assert phone.get("/account").status_code == 303


# The account


def test_the_account_lists_the_browsers_that_are_logged_in(client, app, asha):
    log_in(app.test_client())
    client.post(
        "/login",
        data={"email": "asha@example.com", "password": PASSWORD},
        headers={"User-Agent": "Mozilla/5.0 (Android 15) Firefox/140.0\t" + "x" * 9000},
    )

    page = client.get("/account").text

    assert "Firefox on Android" in page
    assert page.count("this browser") == 1


def test_a_name_and_a_number_can_be_changed(driver, database):
    answer = driver.post(
        "/account/profile", data={"name": " Asha  Menon ", "phone": "+44 20 7946 0958"}
    )

    assert answer.location == "/account"
    (user,) = people(database)
    assert (user.name, user.phone) == ("Asha Menon", "+442079460958")
    page = driver.get("/account").text
    assert 'value="Asha Menon"' in page
    assert "Saved." in page


@pytest.mark.parametrize(
    "typed", [{"name": "", "phone": ""}, {"name": "Asha", "phone": "x"}, {}]
)
def test_a_refused_profile_changes_nothing(driver, database, typed):
    page = driver.post("/account/profile", data=typed)

    assert page.status_code == 422
    assert "field-error" in page.text
    assert people(database)[0].name == "Asha Rao"


def test_a_role_cannot_be_typed_into_the_profile(driver, database):
    driver.post("/account/profile", data={"name": "Asha", "role": "admin"})

    assert people(database)[0].role == "driver"


def test_a_new_password_counts_and_ends_the_other_browsers(client, app, asha):
    phone = app.test_client()
    log_in(client)
    log_in(phone)

    answer = client.post(
        "/account/password", data={"present": PASSWORD, "new": "seven green rivers"}
    )

    assert answer.location == "/account"
    assert "One other browser or program is logged out." in client.get("/account").text
    assert phone.get("/account").status_code == 303
    assert log_in(phone).status_code == 422
    assert log_in(phone, password="seven green rivers").status_code == 303


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"present": "wrong", "new": "seven green rivers"}, "present"),
        ({"present": "", "new": "seven green rivers"}, "present"),
        ({"new": "seven green rivers"}, "present"),
        ({"present": PASSWORD, "new": "short"}, "new"),
        ({"present": PASSWORD, "new": "asha@1234"}, "new"),
        ({"present": PASSWORD}, "new"),
        ({"present": "x" * 10_000, "new": "seven green rivers"}, "present"),
    ],
)
def test_a_refused_password_is_said_at_its_field(client, asha, typed, field):
    log_in(client)

    page = client.post("/account/password", data=typed)

    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert "seven green rivers" not in page.text
    assert client.get("/account").status_code == 200


# Forms of other sites


@pytest.mark.parametrize(
    "path",
    [
        "/signup",
        "/login",
        "/logout",
        "/account/profile",
        "/account/password",
        "/account/logout-everywhere",
        "/account/delete",
    ],
)
def test_a_form_that_is_not_ours_is_refused(driver, app, path):
    app.config["WTF_CSRF_ENABLED"] = True

    assert driver.post(path, data=ASHA).status_code == 400
    assert driver.post(path, data=ASHA | {"csrf_token": "x"}).status_code == 400
    assert driver.get("/account").status_code == 200


def test_our_own_forms_carry_what_they_need(client, app, asha):
    app.config["WTF_CSRF_ENABLED"] = True
    page = client.get("/login")

    answer = log_in(client, csrf_token=token(page))
    assert answer.status_code == 303

    # The token from before the login is worth nothing after it.
    name = {"name": "Asha Menon"}
    stale = client.post("/account/profile", data=name | {"csrf_token": token(page)})
    fresh = token(client.get("/account"))
    saved = client.post("/account/profile", data=name | {"csrf_token": fresh})
    assert (stale.status_code, saved.status_code) == (400, 303)
