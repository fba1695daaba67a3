import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from evcharge.app import create_app
from evcharge.kernel.db import Database
from evcharge.kernel.jobs import enqueue
from evcharge.kernel.schema import newest_versions
from evcharge.kernel.settings import Settings
from make import NOON

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"


@pytest.fixture
def migrated(database: Database) -> Iterator[None]:
    """What Alembic would have left behind."""
    (newest,) = newest_versions()
    create = f"CREATE TABLE alembic_version AS SELECT '{newest}' AS version_num"
    with database.engine.begin() as connection:
        connection.execute(text(create))
    yield
    with database.engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))


@pytest.fixture
def without_database(new_settings: Callable[..., Settings]) -> FlaskClient:
    settings = new_settings(database_url=NOWHERE)
    return create_app(settings, Database(NOWHERE)).test_client()


def test_alive_says_so_without_a_database(without_database: FlaskClient) -> None:
    answer = without_database.get("/healthz")

    assert answer.status_code == 200
    assert answer.json == {"status": "alive"}


@pytest.mark.usefixtures("migrated")
def test_ready_when_the_tables_are_this_versions(client: FlaskClient) -> None:
    assert client.get("/readyz").status_code == 200


def test_not_ready_before_the_migrations_ran(client: FlaskClient) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert "evcharge db upgrade" in answer.text


def test_not_ready_without_a_database(without_database: FlaskClient) -> None:
    answer = without_database.get("/readyz")

    assert answer.status_code == 503
    assert answer.json == {
        "status": "not ready",
        "reason": "The database cannot be reached.",
    }


def test_metrics_count_requests_by_route(client: FlaskClient) -> None:
    def counted() -> float:
        labels = re.escape('{method="GET",route="/healthz",status="200"}')
        sample = rf"^evcharge_request_seconds_count{labels} (\S+)$"
        return float(re.findall(sample, client.get("/metrics").text, re.M)[0])

    client.get("/healthz")
    before = counted()

    client.get("/healthz")

    assert counted() == before + 1


def test_made_up_methods_and_addresses_make_no_labels(client: FlaskClient) -> None:
    client.open("/nowhere/17", method="BREW")

    metrics = client.get("/metrics").text
    assert "BREW" not in metrics
    assert "nowhere" not in metrics


def test_metrics_tell_how_many_jobs_wait(
    client: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        enqueue(session, "mail", now=NOON)

    assert "evcharge_jobs_waiting 1.0" in client.get("/metrics").text


def test_metrics_outlive_the_database(without_database: FlaskClient) -> None:
    assert without_database.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}, 403),
    ],
    ids=["this machine", "this machine by IPv6", "elsewhere", "behind our own proxy"],
)
def test_metrics_are_for_this_machine(
    client: FlaskClient, peer: str, headers: dict[str, str], status: int
) -> None:
    answer = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": peer})

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("Bearer open sesame", 200), ("Bearer guess", 403), ("", 403), ("Bearer é", 403)],
)
def test_with_a_token_metrics_are_for_who_knows_it(
    new_app: Callable[..., Flask], authorization: str, status: int
) -> None:
    app = new_app(metrics_token="open sesame")

    answer = app.test_client().get(
        "/metrics",
        headers={"Authorization": authorization},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )

    assert answer.status_code == status


def test_every_answer_carries_the_id_its_log_lines_have(client: FlaskClient) -> None:
    one, other = (client.get("/healthz").headers["X-Request-Id"] for _ in range(2))

    assert one != other


def test_probes_leave_no_cookie(client: FlaskClient) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert "Set-Cookie" not in client.get(path).headers


def test_probes_are_not_rate_limited(
    new_app: Callable[..., Flask],
) -> None:
    client = new_app(rate_limits=True).test_client()

    assert {client.get("/healthz").status_code for _ in range(200)} == {200}
