"""The whole REST API as its own document describes it, under generated requests.

schemathesis makes requests that fit the document and such that do not, follows what
answers lead to, and checks that every answer is one the document announces.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask_migrate import upgrade

import make
from evcharge.accounts.rules.tokens import new_token, token_hash
from evcharge.app import create_app
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.settings import Settings
from evcharge.stations.service import rebuild_search_rows
from program import Program

ST = Path(sys.executable).parent / "st"
CONFIGURATION = Path(__file__).parents[1] / "web" / "api" / "schemathesis.toml"
REQUESTS_PER_OPERATION = 20

Start = Callable[..., Program]


@pytest.fixture
def network(empty: Database, new_settings: Callable[..., Settings]) -> Database:
    """A small network of two operators, with a few EVSEs."""
    url = empty.engine.url.render_as_string(hide_password=False)
    with create_app(new_settings(database_url=url), empty).app_context():
        upgrade()
    with empty.transaction() as session:
        for name in ("North", "South"):
            place = make.a_location(session, operator=make.an_operator(session, name))
            for _ in range(3):
                make.an_evse(session, location=place, seen_at=utc_now())
        rebuild_search_rows(session)
    return empty


@pytest.fixture
def token(network: Database) -> Callable[[], str]:
    """An admin's: nothing is kept from them."""

    def create() -> str:
        token = new_token()
        with network.transaction() as session:
            person = make.a_user(session, role="admin")
            make.a_login(session, person, token_hash=token_hash(token))
        return token

    return create


@pytest.fixture
def program(start: Start, network: Database) -> Program:
    url = network.engine.url.render_as_string(hide_password=False)
    serving = start("serve", database_url=url, rate_limits="off", demo="true")
    return serving.wait_for()


@pytest.mark.timeout(400)
def test_no_generated_request_finds_anything(
    program: Program, token: Callable[[], str], tmp_path: Path
) -> None:
    # Whoever revokes the token they go by is out: that is tried by itself, afterwards.
    logging_out = ["--include-method", "DELETE", "--include-path-regex", "^/tokens/"]
    others = [word.replace("include", "exclude") for word in logging_out[2:]]

    for chosen in (others, logging_out):
        found = run(program, token(), chosen, tmp_path)
        assert found.returncode == 0, found.stdout + found.stderr

    assert "Traceback" not in program.said()


def run(
    program: Program, token: str, chosen: list[str], folder: Path
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            ST,
            f"--config-file={CONFIGURATION}",
            "run",
            program.url("/api/v1/openapi.json"),
            "--checks=all",
            "--header",
            f"Authorization: Bearer {token}",
            f"--max-examples={REQUESTS_PER_OPERATION}",
            "--continue-on-failure",
            "--no-color",
            *chosen,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
