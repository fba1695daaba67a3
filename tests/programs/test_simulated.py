"""The demo's chargers: simulated by a program that lives and dies with the server."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from program import Program

Start = Callable[..., Program]
PATIENCE_SECONDS = 40


def wait_until(is_so: Callable[[], bool], program: Program) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, program.said()
        time.sleep(0.1)


def children(program: Program) -> list[int]:
    tasks = Path(f"/proc/{program.process.pid}/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()]


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def count(folder: Path, query: str) -> int:
    database = sqlite3.connect(folder / "data" / "evcharge.db")
    try:
        found: int = database.execute(query).fetchone()[0]
        return found
    finally:
        database.close()


def test_the_demos_chargers_connect_and_charge(start: Start, tmp_path: Path) -> None:
    demo = start("demo").wait_for()
    connected = "SELECT count(*) FROM charger_connections WHERE closed_at IS NULL"
    charging = "SELECT count(*) FROM charging_sessions WHERE status = 'ACTIVE'"

    wait_until(lambda: count(tmp_path, connected) > 190, demo)
    wait_until(lambda: count(tmp_path, charging) > 40, demo)
    code, _ = demo.stop()

    assert code == 0
    assert "Traceback" not in demo.said()


def test_a_simulator_that_dies_is_started_again(start: Start) -> None:
    demo = start("demo").wait_for()
    wait_until(lambda: len(children(demo)) == 1, demo)
    [first] = children(demo)

    os.kill(first, signal.SIGKILL)
    wait_until(lambda: children(demo) not in ([], [first]), demo)

    assert len(children(demo)) == 1


def test_the_simulator_does_not_outlive_a_server_that_is_killed(start: Start) -> None:
    demo = start("demo").wait_for()
    wait_until(lambda: len(children(demo)) == 1, demo)
    [child] = children(demo)

    demo.process.kill()
    demo.process.wait()

    wait_until(lambda: not is_alive(child), demo)
