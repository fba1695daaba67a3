"""What every operation shares: reading requests, refusing them, answering."""

import json
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

import make
from api import bearer, caller
from evcharge.app import APIS
from evcharge.kernel.db import Database
from evcharge.web.api import access
from evcharge.web.problems import MEDIA_TYPE, MOST_PROBLEMS

LOGIN = {"email": "asha@example.com", "password": "charge-demo-1"}
BODY = {
    "evse_id": 1,
    "starts_at": "2026-11-24T12:30:00Z",
    "ends_at": "2026-11-24T13:30:00Z",
}


@pytest.fixture
def driver_app(app: Flask, database: Database) -> FlaskClient:
    return caller(app, database)


def code(answer: object) -> object:
    assert answer.content_type == MEDIA_TYPE  # type: ignore[attr-defined]
    return answer.json["code"]  # type: ignore[attr-defined]


# ── bodies ───────────────────────────────────────────────────────────────────────

ODD_BODIES = {
    "nothing": b"",
    "half of it": b'{"evse_id": 1',
    "a list": b"[]",
    "null": b"null",
    "a text": b'"evse"',
    "bytes that are no text": b'{"evse_id": "\xff"}',
    "a number as text": json.dumps(BODY | {"evse_id": "1"}).encode(),
    "a number with a fraction": json.dumps(BODY | {"evse_id": 1.5}).encode(),
    "true for a number": json.dumps(BODY | {"evse_id": True}).encode(),
    "not a number": json.dumps(BODY | {"evse_id": float("nan")}).encode(),
    "endless": json.dumps(BODY | {"evse_id": float("inf")}).encode(),
    "too large for a row": json.dumps(BODY | {"evse_id": 2**31}).encode(),
    "larger than any integer": b'{"evse_id": ' + b"9" * 5000 + b"}",
    "an unknown field": json.dumps(BODY | {"price": 1}).encode(),
    "a time without zone": json.dumps(
        BODY | {"starts_at": "2026-11-24T12:30:00"}
    ).encode(),
    "a time as a number": json.dumps(BODY | {"starts_at": 1795454897}).encode(),
    "a very deep one": b'{"evse_id":' * 8_000,
    "a deep list": b"[" * 40_000 + b"]" * 40_000,
    "a huge text": json.dumps(BODY | {"starts_at": "x" * 90_000}).encode(),
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES)
def test_what_does_not_fit_the_schema_is_refused(
    driver_app: FlaskClient, database: Database, body: bytes
) -> None:
    answer = driver_app.post(
        "/api/v1/bookings", data=body, content_type="application/json"
    )

    assert answer.status_code == 400
    assert code(answer) == "invalid_request"
    assert answer.get_json()["problems"]
    assert b"x" * 50 not in answer.data  # What was sent is not sent back.


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", ""]
)
def test_only_json_is_read(driver_app: FlaskClient, kind: str) -> None:
    answer = driver_app.post(
        "/api/v1/bookings", data=json.dumps(BODY), content_type=kind
    )

    assert (answer.status_code, code(answer)) == (415, "unsupported_media_type")


def test_json_of_a_named_charset_is_read(driver_app: FlaskClient) -> None:
    answer = driver_app.post(
        "/api/v1/bookings",
        data=json.dumps(BODY),
        content_type="application/json; charset=utf-8",
    )

    assert code(answer) != "unsupported_media_type"


def test_more_than_100_kilobytes_are_not_read(driver_app: FlaskClient) -> None:
    answer = driver_app.post(
        "/api/v1/bookings", data=b" " * 100_001, content_type="application/json"
    )

    assert (answer.status_code, code(answer)) == (413, "too_large")


def test_a_whole_float_is_an_integer_as_json_schema_has_it(
    driver_app: FlaskClient,
) -> None:
    answer = driver_app.post("/api/v1/bookings", json=BODY | {"evse_id": 1.0})

    assert code(answer) != "invalid_request"


# ── addresses ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "query",
    ["surprise=1", "limit=0", "limit=-1", "limit=101", "limit=1.5", "limit=ten",
     "limit=1&limit=2", "cursor=", "status=ACTIVE&status=NO", "limit=%00"],
)  # fmt: skip
def test_parameters_that_do_not_fit_are_refused(
    driver_app: FlaskClient, query: str
) -> None:
    answer = driver_app.get(f"/api/v1/bookings?{query}")

    assert (answer.status_code, code(answer)) == (400, "invalid_request")


def test_only_so_many_unknown_parameters_are_named(driver_app: FlaskClient) -> None:
    query = "&".join(f"surprise{number}=1" for number in range(1000))

    for path in ("locations", "locations/1"):
        answer = driver_app.get(f"/api/v1/{path}?{query}")

        assert (answer.status_code, code(answer)) == (400, "invalid_request")
        assert len(answer.get_json()["problems"]) == MOST_PROBLEMS


def test_what_does_not_fit_is_said_in_our_words(driver_app: FlaskClient) -> None:
    answer = driver_app.get("/api/v1/evses/1/availability?from=tomorrow")

    (problem,) = answer.get_json()["problems"]
    assert problem["message"].startswith("Write it like 2026-11-24T12:30:00Z")


@pytest.mark.parametrize(
    "cursor",
    ["x", "AAAA", "bnVsbA", "e30", "Ww", "%E2%82%B9", "a" * 500,
     # {"starts_at": "+infinity", "id": 1}
     "eyJzdGFydHNfYXQiOiAiK2luZmluaXR5IiwgImlkIjogMX0"],
)  # fmt: skip
def test_a_cursor_that_is_not_ours_is_refused(
    driver_app: FlaskClient, cursor: str
) -> None:
    for path in ("bookings", "locations"):
        answer = driver_app.get(f"/api/v1/{path}?cursor={cursor}")

        assert (answer.status_code, code(answer)) == (422, "bad_cursor"), path


def test_a_cursor_of_one_list_is_no_cursor_of_another(
    driver_app: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        for _ in range(2):
            make.an_evse(session)
    cursor = driver_app.get("/api/v1/locations?limit=1").json["next_cursor"]

    answer = driver_app.get(f"/api/v1/bookings?cursor={cursor}")

    assert code(answer) == "bad_cursor"


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/bookings/1", "/bookings/%00", "/evses/x/y"]
)
def test_addresses_that_lead_nowhere_are_not_found(
    driver_app: FlaskClient, path: str
) -> None:
    answer = driver_app.get(f"/api/v1{path}")

    assert (answer.status_code, code(answer)) == (404, "not_found")


def test_a_method_an_address_does_not_take_is_told_which_it_takes(
    client: FlaskClient,
) -> None:
    answer = client.put("/api/v1/bookings")

    assert (answer.status_code, code(answer)) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


# ── who asks ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic YTpi", "evc_x", "Bearer évc"]
)
def test_without_a_live_token_nobody_is_let_in(
    client: FlaskClient, header: str
) -> None:
    answer = client.get(
        "/api/v1/bookings", headers={"Authorization": header.encode().decode("latin1")}
    )

    assert (answer.status_code, code(answer)) == (401, "sign_in_required")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_cookie_lets_nobody_in(driver: FlaskClient) -> None:
    assert driver.get("/bookings").status_code == 200

    assert driver.get("/api/v1/bookings").status_code == 401
    assert driver.post("/api/v1/bookings", json=BODY).status_code == 401


def test_a_token_opens_no_page(driver_app: FlaskClient) -> None:
    assert driver_app.get("/api/v1/bookings").status_code == 200

    assert driver_app.get("/bookings").status_code == 303


def test_the_api_sets_no_cookie(driver_app: FlaskClient) -> None:
    assert "Set-Cookie" not in driver_app.get("/api/v1/bookings").headers


def test_who_asks_is_looked_at_before_what_they_ask(client: FlaskClient) -> None:
    assert client.post("/api/v1/bookings", data=b"{").status_code == 401


# ── who may read it from where ───────────────────────────────────────────────────


def test_no_other_origin_reads_it_unless_somebody_says_so(
    driver_app: FlaskClient,
) -> None:
    answer = driver_app.get(
        "/api/v1/locations", headers={"Origin": "https://app.example.com"}
    )

    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("setting", ["https://app.example.com https://b.example", "*"])
def test_named_origins_may_read_and_send(
    new_app: Callable[..., Flask], setting: str
) -> None:
    client = new_app(cors_origins=setting).test_client()
    origin = {"Origin": "https://app.example.com"}

    asked = client.options("/api/v1/bookings", headers=origin)
    answer = client.get("/api/v1/locations", headers=origin)
    page = client.get("/healthz", headers=origin)

    assert asked.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    assert "Idempotency-Key" in asked.headers["Access-Control-Allow-Headers"]
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Origin"] == origin["Origin"]
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Access-Control-Allow-Origin" not in page.headers


def test_other_origins_stay_out(new_app: Callable[..., Flask]) -> None:
    client = new_app(cors_origins="https://app.example.com").test_client()

    answer = client.get("/api/v1/locations", headers={"Origin": "https://evil.example"})

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


# ── how often ────────────────────────────────────────────────────────────────────


def test_a_token_has_its_own_count_of_calls(
    new_app: Callable[..., Flask], database: Database
) -> None:
    client = new_app(rate_limits=True).test_client()
    one, other = bearer(database), bearer(database)

    left = [
        int(
            client.get("/api/v1/bookings", headers=who).headers["X-RateLimit-Remaining"]
        )
        for who in (one, one, other)
    ]

    assert left == [599, 598, 599]


def test_a_token_has_one_count_however_it_is_sent(
    new_app: Callable[..., Flask], database: Database
) -> None:
    client = new_app(rate_limits=True).test_client()
    token = bearer(database)["Authorization"].removeprefix("Bearer ")

    answers = [
        client.get("/api/v1/bookings", headers={"Authorization": f"{scheme}{token}"})
        for scheme in ("Bearer ", "bearer ", "BEARER   ")
    ]

    left = [each.headers["X-RateLimit-Remaining"] for each in answers]
    assert left == ["599", "598", "597"]


def test_whoever_makes_tokens_up_is_stopped(
    new_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "CALLS_OF_ADDRESS", "5 per minute")
    client = new_app(rate_limits=True).test_client()

    answers = [
        client.get("/api/v1/bookings", headers={"Authorization": f"Bearer evc_{n}"})
        for n in range(6)
    ]

    assert [each.status_code for each in answers] == [401] * 5 + [429]
    assert code(answers[5]) == "too_many_requests"
    assert int(answers[5].headers["Retry-After"]) > 0
    without = client.get("/api/v1/locations")
    assert without.status_code == 200
    assert "Retry-After" not in without.headers


# ── the document ─────────────────────────────────────────────────────────────────


def test_the_document_names_every_operation(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document is not None

    described = {
        each["operationId"]
        for path in document["paths"].values()
        for each in path.values()
    }

    names = [each.name for api in APIS for each in api.operations]
    assert len(set(names)) == len(names)
    assert described == set(names)
    assert document["openapi"] == "3.1.0"


def test_every_operation_and_parameter_is_explained(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document is not None
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            for parameter in operation["parameters"]:
                is_plain = parameter["in"] == "path" or parameter["name"] in PLAIN
                assert is_plain or parameter["description"], (path, parameter["name"])


# Said with the parameter they belong to.
PLAIN = {"free_to"}
