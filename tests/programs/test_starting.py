"""What a program needs to start, and what it says when something is missing."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evcharge import cli
from evcharge.kernel.lock import sole_program
from evcharge.kernel.settings import Settings
from evcharge.wiring import open_database
from program import Program, free_port

Start = Callable[..., Program]
Run = Callable[..., Result]


@pytest.fixture
def run(
    environment: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs a command in this process, which is a lot quicker than in its own."""
    monkeypatch.setattr(cli, "set_up_logs", lambda: None)  # They are pytest's here.
    for name in Settings.model_fields:
        monkeypatch.delenv(f"EVCHARGE_{name.upper()}", raising=False)

    def execute(*words: str, **settings: object) -> Result:
        return CliRunner(env=environment(**settings)).invoke(cli.cli, words)

    return execute


def check_refused(result: Result, *words: str) -> None:
    """A sentence on standard error, exit code 2, no traceback."""
    assert isinstance(result.exception, SystemExit), result
    assert result.exit_code == 2, result.stderr
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize("command", ["", "serve", "db", "audit", "users", "demo"])
def test_help_needs_no_settings(run: Run, command: str) -> None:
    result = run(*command.split(), "--help", secret_key=None, port="wrong")

    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")


@pytest.mark.parametrize("program", ["serve", "web", "gateway", "worker"])
def test_no_program_starts_without_a_secret(run: Run, program: str) -> None:
    check_refused(run(program, secret_key=None), "EVCHARGE_SECRET_KEY")


def test_every_wrong_setting_is_named_at_once(run: Run) -> None:
    result = run("serve", secret_key="weak", port="many", web_threads="0")

    check_refused(
        result, "EVCHARGE_SECRET_KEY", "EVCHARGE_PORT", "EVCHARGE_WEB_THREADS"
    )


@pytest.mark.parametrize("program", ["serve", "web", "gateway", "worker"])
def test_a_database_without_tables_is_refused(run: Run, program: str) -> None:
    check_refused(run(program), "Run `evcharge db upgrade` first.")


def test_a_database_that_cannot_be_reached_is_refused(run: Run) -> None:
    url = f"postgresql+psycopg://someone:hush@127.0.0.1:{free_port()}/evcharge"

    result = run("serve", database_url=url)

    check_refused(result, "the database cannot be used")
    assert "hush" not in result.stderr


@pytest.mark.parametrize(
    ("program", "settings"), [("serve", {}), ("demo", {"secret_key": None})]
)
def test_a_data_folder_that_cannot_be_made_is_refused(
    run: Run, tmp_path: Path, program: str, settings: dict[str, None]
) -> None:
    (tmp_path / "file").touch()

    result = run(program, data_dir=tmp_path / "file" / "data", **settings)

    check_refused(result, "EVCHARGE_DATA_DIR")


def test_the_data_folder_is_its_owners_alone(run: Run, tmp_path: Path) -> None:
    run("db", "upgrade")

    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("program", ["serve", "web"])
def test_a_port_that_is_taken_is_refused(run: Run, program: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        check_refused(run(program, port=port), f"127.0.0.1:{port}", "EVCHARGE_PORT")


@pytest.mark.parametrize("program", ["serve", "web", "gateway", "worker", "demo"])
def test_sqlite_lets_one_program_in(
    run: Run, new_settings: Callable[..., Settings], program: str, tmp_path: Path
) -> None:
    database = open_database(new_settings(data_dir=tmp_path / "data"))
    (tmp_path / "data").mkdir()

    with sole_program(database, "serve"):
        result = run(program)

    check_refused(result, "already in use by evcharge serve, process")
    database.engine.dispose()


@pytest.mark.usefixtures("migrated")
def test_a_running_program_keeps_others_out_until_it_is_killed(
    start: Start, run: Run
) -> None:
    first = start("serve").wait_for()

    check_refused(run("serve"), f"process {first.process.pid}")
    assert run("audit").exit_code == 0  # Chores are let in.
    assert first.get("/readyz")[0] == 200

    first.process.kill()
    first.process.wait()
    start("serve").wait_for()


@pytest.mark.usefixtures("migrated")
def test_sqlite_is_not_shared_by_several_web_processes(run: Run) -> None:
    check_refused(run("web", "--workers", "2"), "SQLite serves one process")


def test_chores_need_no_secret(run: Run) -> None:
    assert run("db", "upgrade", secret_key=None).exit_code == 0
    assert run("audit", secret_key=None).exit_code == 0


def test_a_chore_before_the_first_migration_says_what_is_wrong(run: Run) -> None:
    check_refused(run("audit"), "the database cannot be used")


@pytest.mark.usefixtures("migrated")
def test_a_missing_valkey_stops_nothing(start: Start) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"

    serve = start("serve", valkey_url=url).wait_for()

    assert serve.get("/readyz")[0] == 200
