import sqlite3
from collections.abc import Callable
from pathlib import Path

from program import Program

Start = Callable[..., Program]


def users(folder: Path) -> int:
    with sqlite3.connect(folder / "data" / "evcharge.db") as database:
        count: int = database.execute("SELECT count(*) FROM users").fetchone()[0]
    database.close()
    return count


def test_one_command_makes_a_network_and_serves_it(
    start: Start, tmp_path: Path
) -> None:
    demo = start("demo", secret_key=None)

    said = demo.wait_to_say("admin@example.com")

    assert demo.url("") in said
    assert "driver@example.com" in said
    assert "operator@example.com" in said
    assert "charge-demo-1" in said
    assert demo.get("/readyz")[0] == 200
    assert demo.get("/")[0] == 200
    assert users(tmp_path) > 3


def test_a_second_start_keeps_what_is_there(start: Start, tmp_path: Path) -> None:
    first = start("demo", secret_key=None).wait_for()
    secret = (tmp_path / "data" / "secret_key").read_text()
    before = users(tmp_path)
    assert first.stop()[0] == 0

    second = start("demo", secret_key=None).wait_for()

    assert users(tmp_path) == before
    assert (tmp_path / "data" / "secret_key").read_text() == secret
    assert "Loading" not in second.said()


def test_a_secret_of_ones_own_is_used(start: Start, tmp_path: Path) -> None:
    start("demo").wait_for()

    assert not (tmp_path / "data" / "secret_key").exists()
