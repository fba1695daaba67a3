"""How often one may try, with the limits on."""

import re
from time import perf_counter

import pytest

import make

PASSWORD = "correct horse battery"


@pytest.fixture
def app(new_app):
    app = new_app(rate_limits=True)
    app.config["PASSWORD_METHOD"] = "pbkdf2:sha256:1"
    return app


@pytest.fixture(autouse=True)
def asha(database, password_hash):
    with database.transaction() as session:
        return make.a_user(
            session, email="asha@example.com", password_hash=password_hash
        )


GUESS = "wrong guess"


def try_login(client, *, address, email="asha@example.com", password=GUESS):
    return client.post(
        "/login",
        data={"email": email, "password": password},
        environ_base={"REMOTE_ADDR": address},
    )


def statuses(answers):
    return [answer.status_code for answer in answers]


def test_one_address_tries_ten_times_a_minute(app):
    client = app.test_client()

    tries = [
        try_login(client, address="10.0.0.1", email=f"{n}@example.com")
        for n in range(11)
    ]

    assert statuses(tries) == [422] * 10 + [429]
    elsewhere = try_login(client, address="10.0.0.2", email="x@example.com")
    assert elsewhere.status_code == 422


def test_one_account_is_tried_five_times_a_minute_from_wherever(app):
    tries = [
        try_login(
            app.test_client(),
            address=f"10.0.0.{n}",
            email=("ASHA@example.com", "asha@example.com ")[n % 2],
        )
        for n in range(6)
    ]

    assert statuses(tries) == [422] * 5 + [429]
    other = try_login(app.test_client(), address="10.0.0.9", email="b@example.com")
    assert other.status_code == 422


def test_other_spellings_of_a_domain_are_no_other_account(app):
    spellings = ("asha@example.com", "asha@\u24d4xample.com", "asha@example\u3002com")
    sent = [
        {"address": f"10.0.0.{n}", "email": spellings[n % 3], "password": GUESS}
        for n in range(6)
    ]

    tries = [try_login(app.test_client(), **each) for each in sent]
    by_programs = [
        app.test_client().post(
            "/api/v1/tokens",
            json={"email": each["email"], "password": GUESS},
            environ_base={"REMOTE_ADDR": each["address"]},
        )
        for each in sent
    ]

    assert statuses(tries) == [422] * 5 + [429]
    assert statuses(by_programs) == [401] * 5 + [429]


def test_the_owner_gets_in_where_they_were_before_while_others_guess(app):
    own_phone = app.test_client()
    try_login(own_phone, address="10.1.0.1", password=PASSWORD)
    own_phone.post("/logout")
    for n in range(6):
        guess = try_login(app.test_client(), address=f"10.0.0.{n}")
    assert guess.status_code == 429

    answer = try_login(own_phone, address="10.1.0.2", password=PASSWORD)

    assert answer.status_code == 303


def test_having_been_there_before_does_not_help_to_guess_other_accounts(app):
    thief = app.test_client()
    thief.post(
        "/signup",
        data={"name": "T", "email": "t@example.com", "password": "seven green rivers"},
    )
    try_login(
        thief, address="10.2.0.1", email="t@example.com", password="seven green rivers"
    )

    tries = [try_login(thief, address=f"10.0.0.{n}") for n in range(6)]

    assert statuses(tries) == [422] * 5 + [429]


def test_who_was_there_before_is_limited_too(app):
    client = app.test_client()
    try_login(client, address="10.1.0.1", password=PASSWORD)

    tries = [try_login(client, address=f"10.0.0.{n}") for n in range(6)]

    assert statuses(tries)[-1] == 429


@pytest.mark.parametrize("forged", ["", "x", "e30.e30", "W10.AAAA", "\xff"])
def test_a_made_up_device_is_a_stranger(app, forged):
    tries = []
    for n in range(6):
        client = app.test_client()
        client.set_cookie("evcharge_device", forged, path="/login")
        tries.append(try_login(client, address=f"10.0.0.{n}"))

    assert statuses(tries) == [422] * 5 + [429]


def test_who_must_wait_is_told_how_long_and_keeps_what_they_typed(app):
    client = app.test_client()
    for _ in range(6):
        page = try_login(client, address="10.0.0.1")

    assert page.status_code == 429
    seconds = int(re.search(r"Try again in (\d+) s\.", page.text)[1])
    assert 1 <= seconds <= 61
    assert 0 <= int(page.headers["Retry-After"]) <= 61
    assert 'value="asha@example.com"' in page.text
    assert "wrong guess" not in page.text


def test_an_address_signs_up_five_times_a_minute(app):
    client = app.test_client()
    typed = {"name": "Asha Rao", "email": "x", "password": PASSWORD}

    pages = [client.post("/signup", data=typed) for _ in range(6)]

    assert statuses(pages) == [422] * 5 + [429]
    assert "Try again in" in pages[-1].text
    assert 'value="Asha Rao"' in pages[-1].text


def test_a_stolen_open_browser_cannot_guess_the_password_for_long(sign_in):
    client = sign_in("driver")
    typed = {"present": "a guess", "new": "seven green rivers"}

    pages = [client.post("/account/password", data=typed) for _ in range(6)]

    assert statuses(pages) == [422] * 5 + [429]
    assert "Try again in" in pages[-1].text


def test_looking_is_not_limited(app):
    client = app.test_client()

    assert {client.get("/login").status_code for _ in range(12)} == {200}


def test_an_address_of_very_many_marks_does_not_keep_others_waiting(app):
    client = app.test_client()
    marks = "a" + 60_000 * "\u0301" + 60_000 * "\u0323"
    began = perf_counter()

    page = client.post(
        "/login",
        data={"email": marks, "password": "a guess"},
        content_type="multipart/form-data",
    )

    assert page.status_code == 422
    assert perf_counter() - began < 2
