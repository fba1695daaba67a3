"""Programs that call the REST API in tests, each with a token of its own."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import make
from evcharge.accounts.models import User
from evcharge.accounts.rules.tokens import new_token, token_hash
from evcharge.kernel.db import Database


def bearer(
    database: Database,
    role: str = "driver",
    *,
    operator: str | None = None,
    **person: Any,
) -> dict[str, str]:
    """Headers of somebody new; with `operator`, of one who works for the one so called.

    `user_id=…` makes them those of somebody known.
    """
    token = new_token()
    with database.transaction() as session:
        works_for = make.an_operator(session, operator) if operator else None
        known = person.pop("user_id", None)
        user = (
            session.get_one(User, known)
            if known
            else make.a_user(session, role=role, operator=works_for, **person)
        )
        make.a_login(session, user, token_hash=token_hash(token))
    return {"Authorization": f"Bearer {token}"}


def caller(
    app: Flask, database: Database, role: str = "driver", **person: Any
) -> FlaskClient:
    """A client that sends such headers with everything."""
    client = app.test_client()
    headers = bearer(database, role, **person)
    client.environ_base["HTTP_AUTHORIZATION"] = headers["Authorization"]
    return client


def refusal(answer: TestResponse) -> tuple[int, str]:
    """Return how it was refused; every refusal is a problem that says so."""
    assert answer.content_type == "application/problem+json", answer.text
    assert answer.json["status"] == answer.status_code
    return answer.status_code, answer.json["code"]
