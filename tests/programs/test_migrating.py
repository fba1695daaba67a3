"""Several nodes that bring the same database up to date, as they do when they start."""

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, func, select

from evcharge.kernel.schema import TURN_TO_MIGRATE, is_current, turn_to_migrate
from evcharge.kernel.settings import Settings
from evcharge.wiring import open_database
from program import EVCHARGE, PATIENCE_SECONDS, Program

NODES = 4


@pytest.fixture
def url(postgresql: Callable[[], str]) -> str:
    return postgresql()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    yield engine
    engine.dispose()


def test_nodes_that_migrate_at_once_all_succeed(
    environment: Callable[..., dict[str, str]],
    new_settings: Callable[..., Settings],
    tmp_path: Path,
    url: str,
) -> None:
    nodes = [
        subprocess.Popen(
            [EVCHARGE, "db", "upgrade"],
            env=environment(database_url=url),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(NODES)
    ]

    said = [node.communicate(timeout=PATIENCE_SECONDS)[0] for node in nodes]

    assert [node.returncode for node in nodes] == [0] * NODES, "\n".join(said)
    database = open_database(new_settings(database_url=url))
    assert is_current(database)
    database.engine.dispose()


def test_a_node_waits_for_the_one_that_migrates_and_says_so(
    start: Callable[..., Program], engine: Engine, url: str
) -> None:
    with engine.connect() as other, turn_to_migrate(other):
        node = start("db", "upgrade", database_url=url)
        node.wait_to_say("waiting for it")
        time.sleep(3)  # Longer than a statement may wait for a lock.
        assert node.process.poll() is None, node.said()

    assert node.process.wait(PATIENCE_SECONDS) == 0, node.said()


def test_the_turn_of_a_node_that_was_killed_passes_on(
    start: Callable[..., Program], engine: Engine, url: str
) -> None:
    with engine.connect() as other:
        other.execute(select(func.pg_advisory_lock(TURN_TO_MIGRATE)))
        node = start("db", "upgrade", database_url=url)
        node.wait_to_say("waiting for it")
        other.invalidate()  # As when its process ends without a word.

    assert node.process.wait(PATIENCE_SECONDS) == 0, node.said()


def test_a_migration_that_fails_gives_the_turn_back(engine: Engine) -> None:
    with (
        engine.connect() as failing,
        pytest.raises(RuntimeError),
        turn_to_migrate(failing),
    ):
        raise RuntimeError

    with engine.connect() as next_one:
        assert next_one.scalar(select(func.pg_try_advisory_lock(TURN_TO_MIGRATE)))
