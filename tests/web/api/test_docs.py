"""The description of the API for people: complete, true, and leading nowhere wrong."""

import json
import re
import shlex
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from werkzeug.datastructures import MultiDict

from evcharge.app import APIS
from evcharge.kernel.errors import DomainError
from evcharge.web.api.openapi import TAGS, openapi
from evcharge.web.api.operations import query_from
from evcharge.web.api.reference import prose, reference
from evcharge.web.api.wording import kind
from evcharge.web.problems import CODES

OPERATIONS = [operation for api in APIS for operation in api.operations]
DOCUMENT = openapi(OPERATIONS)
REFERENCE = reference(DOCUMENT)
CALLS = {
    call.anchor.removeprefix("call-"): call
    for group in REFERENCE.groups
    for call in group.calls
}
EACH = [pytest.param(operation, id=operation.name) for operation in OPERATIONS]
ID = re.compile(r'\sid="([^"]+)"')


@pytest.fixture
def page(client):
    answer = client.get("/api/docs")
    assert answer.status_code == 200
    return answer.text


def published_codes():
    return {
        code
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        for response in operation["responses"].values()
        for code in response.get("x-codes", ())
    }


def test_every_code_is_explained_where_problems_point(page):
    anchors = ID.findall(page)

    assert len(published_codes()) > 30
    assert published_codes() | set(CODES.values()) <= set(anchors)


def test_a_problem_points_at_its_explanation(client, page):
    problem = client.get("/api/v1/there-is-nothing").json
    path, _, anchor = problem["type"].partition("#")

    assert path == "/api/docs"
    assert anchor in ID.findall(page)


def test_no_code_is_explained_by_nothing():
    for code in REFERENCE.codes:
        assert code.meaning not in ("", DomainError.message), code


def test_one_code_means_one_status():
    found = {}
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                for code in response.get("x-codes", ()):
                    found.setdefault(code, set()).add(status)

    assert [code for code, statuses in found.items() if len(statuses) > 1] == []


def test_every_operation_is_on_the_page_with_its_address(page):
    text = unescape(re.sub(r"<[^>]+>", "", page))

    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            assert f'id="call-{operation["operationId"]}"' in page
            assert f"{method.upper()} {path}" in text


def test_every_operation_is_in_a_chapter_that_says_what_it_is_about():
    assert CALLS.keys() == {operation.name for operation in OPERATIONS}
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            assert set(operation["tags"]) <= TAGS.keys()


def test_every_schema_is_on_the_page(page):
    for name in DOCUMENT["components"]["schemas"]:
        assert f'id="schema-{name}"' in page


def test_no_link_of_the_page_leads_to_a_part_that_is_not_there(page):
    ids = ID.findall(page)

    assert set(re.findall(r'href="#([^"]+)"', page)) - set(ids) == set()
    assert len(ids) == len(set(ids))


def test_the_page_says_who_may_call():
    assert CALLS["list_locations"].who == "Everybody"
    assert CALLS["create_booking"].who == "Any token"
    assert {call.who for name, call in CALLS.items() if "/admin/" in call.path} == {
        "Operators and admins"
    }


def test_the_page_is_the_same_for_everybody_but_for_its_frame(client, driver):
    def main(browser):
        text = browser.get("/api/docs").text
        return text[text.index('<section class="api-group" aria-labelledby="calls-') :]

    assert main(client).split("<footer")[0] == main(driver).split("<footer")[0]


def test_it_brings_its_own_address_and_nothing_from_elsewhere(client):
    page = client.get("/api/docs", base_url="https://charge.example.com").text

    assert "API=https://charge.example.com/api/v1" in page
    loaded = re.findall(r'<(?:script|link|img)\b[^>]*(?:src|href)="([^"]+)"', page)
    assert loaded
    assert [address for address in loaded if not address.startswith("/")] == []


def test_the_site_leads_to_it(client):
    assert 'href="/api/docs"' in client.get("/").text


# What the examples say


def words_of(command):
    """The parts of an example, as a shell reads them."""
    return shlex.split(command.replace("\\\n", " "))


def sent_by(command):
    """Its method, its address, its headers and its body."""
    words = iter(words_of(command)[1:])
    method, address, headers, body = "GET", "", {}, None
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        else:
            address = word
    return method, address, headers, body


@pytest.mark.parametrize("operation", EACH)
def test_an_example_fits_its_own_schema(app, operation):
    method, address, headers, body = sent_by(CALLS[operation.name].example)

    assert method == operation.method
    assert ("Authorization" in headers) == (operation.guard != "public")
    assert ("If-Match" in headers) == (operation.seen is not None)
    url = urlsplit(address.replace("$API", "/api/v1"))
    endpoint, _ = app.url_map.bind("").match(url.path, method=method)
    assert endpoint.endswith(f".{operation.name}")
    if operation.query:
        query_from(operation.query[1], MultiDict(parse_qsl(url.query)))
    if operation.body:
        assert headers["Content-Type"] == "application/json"
        operation.body[1].model_validate_json(body)
    else:
        assert body is None


def test_an_example_shows_what_a_call_needs():
    call = CALLS["create_booking"]
    _, _, headers, body = sent_by(call.example)

    assert headers["Idempotency-Key"]
    assert json.loads(body).keys() == {"evse_id", "starts_at", "ends_at"}


# Types in words


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "maxLength": 80}, "text, at most 80 characters"),
        ({"type": "string", "pattern": "^[a-z]$"}, "text like ^[a-z]$"),
        ({"type": "string", "pattern": "^[^\\x00]*$"}, "text"),
        ({"type": "string", "pattern": "x" * 41}, "text"),
        ({"type": "string", "format": "date-time"}, "time"),
        ({"type": "string", "format": "uuid"}, "UUID"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "integer"}, "whole number"),
        ({"type": "integer", "minimum": 1}, "whole number, at least 1"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "whole number, 1 to 9"),
        ({"type": "number", "maximum": 9.5}, "number, at most 9.5"),
        ({"type": "number", "exclusiveMinimum": 0}, "number, more than 0"),
        (
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1000},
            "number, more than 0, at most 1000",
        ),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "whole number or null"),
        ({"const": "INR", "type": "string"}, "INR"),
        ({"enum": ["a", "b"]}, "one of a, b"),
        ({"enum": list("abcdefg")}, "one of a, b and 5 more"),
        ({"type": "array", "items": {"type": "string"}}, "list of text"),
        (
            {"type": "array", "items": {"type": "string"}, "maxItems": 3},
            "list of up to 3: text",
        ),
        (
            {"type": "array", "items": {"$ref": "/Few"}, "minItems": 1, "maxItems": 3},
            "list of 1 to 3: one of x, y",
        ),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            "by name, whole number",
        ),
        ({"$ref": "#/…/Page_Thing_"}, "Page of Thing"),
        ({"$ref": "#/…/Many"}, "Many"),
    ],
)  # fmt: skip
def test_a_schema_is_said_in_words(schema, words):
    known = {
        "Few": {"enum": ["x", "y"]},
        "Many": {"enum": list("abcdefg")},
        "Page_Thing_": {"type": "object", "properties": {}},
    }

    assert "".join(part.text for part in kind(schema, known)) == words


def test_a_name_of_ours_leads_to_its_schema():
    [part] = kind({"$ref": "#/…/Thing"}, {"Thing": {"type": "object"}})

    assert part.anchor == "schema-Thing"


def test_prose_is_text_but_for_its_names():
    assert prose("a\n `b` <i>") == "a <code>b</code> &lt;i&gt;"
