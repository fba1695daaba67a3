from collections.abc import Callable
from pathlib import Path

import pytest

from evcharge.kernel.settings import InvalidSettings, Settings, read_settings

STRONG = "0123456789-abcdefgh-ABCDEFGH-xyz"


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "DATA_DIR", "DATABASE_URL", "HOST", "PORT"):
        monkeypatch.delenv(f"EVCHARGE_{name}", raising=False)
    monkeypatch.delenv("PORT", raising=False)


def problems(**given: object) -> str:
    with pytest.raises(InvalidSettings) as refusal:
        read_settings(**given)
    return str(refusal.value)


def test_there_is_no_default_secret() -> None:
    assert problems() == "EVCHARGE_SECRET_KEY: is missing and has no default"


@pytest.mark.parametrize("secret", ["", "short", "a" * 40, "abcabcabc" * 5])
def test_a_weak_secret_is_refused_and_not_repeated(secret: str) -> None:
    message = problems(secret_key=secret)

    assert message.startswith("EVCHARGE_SECRET_KEY: too weak")
    assert len(secret) < 6 or secret not in message


def test_every_problem_is_named_at_once() -> None:
    message = problems(
        secret_key="weak", port=0, database_url="mysql://x", web_threads="many"
    )

    assert [line.split(":")[0] for line in message.splitlines()] == [
        "EVCHARGE_SECRET_KEY",
        "EVCHARGE_DATABASE_URL",
        "EVCHARGE_PORT",
        "EVCHARGE_WEB_THREADS",
    ]


def test_sqlite_in_the_data_folder_is_the_default(tmp_path: Path) -> None:
    settings = read_settings(secret_key=STRONG, data_dir=tmp_path)

    assert settings.database_url == f"sqlite:///{tmp_path}/evcharge.db"


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        ("postgres://u:p@host/name", "postgresql://u:p@host/name"),
        ("postgresql://u:p@host/name", "postgresql://u:p@host/name"),
        ("postgresql+psycopg://host/name", "postgresql+psycopg://host/name"),
        ("sqlite:////var/lib/x.db", "sqlite:////var/lib/x.db"),
    ],
)
def test_databases_we_speak(given: str, understood: str) -> None:
    settings = read_settings(secret_key=STRONG, database_url=given)

    assert settings.database_url == understood


@pytest.mark.parametrize("url", ["mysql://host/name", "evcharge.db", "oracle://x"])
def test_other_databases_are_refused(url: str) -> None:
    assert problems(secret_key=STRONG, database_url=url).startswith(
        "EVCHARGE_DATABASE_URL: name a SQLite or PostgreSQL database"
    )


def test_a_host_that_names_the_port_reaches_us_from_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PORT", "8123")

    settings = read_settings(secret_key=STRONG)

    assert (settings.host, settings.port) == ("0.0.0.0", 8123)  # noqa: S104


def test_our_own_address_wins_over_the_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    monkeypatch.setenv("EVCHARGE_HOST", "127.0.0.1")
    monkeypatch.setenv("EVCHARGE_PORT", "5001")

    settings = read_settings(secret_key=STRONG)

    assert (settings.host, settings.port) == ("127.0.0.1", 5001)


def test_every_thread_finds_a_connection(new_settings: Callable[..., Settings]) -> None:
    settings = new_settings(web_threads=20, job_threads=5)

    # A page reads and writes; a job, the timetable and the metrics need one each.
    assert settings.connections >= 2 * 20 + 5 + 2


@pytest.mark.parametrize(
    ("url", "threads", "connections"),
    [("postgresql://host/name", 10, 30), ("sqlite:////var/lib/x.db", 4, 17)],
)
def test_threads_are_as_many_as_the_database_has_use_for(
    new_settings: Callable[..., Settings], url: str, threads: int, connections: int
) -> None:
    settings = new_settings(database_url=url)

    assert (settings.threads, settings.connections) == (threads, connections)
    assert new_settings(database_url=url, web_threads=7).threads == 7
