"""`evcharge`: every program and every chore, one command each.

Nothing is read or opened before a command runs, so `--help` works anywhere.
"""

import logging
import os
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import click
from flask.cli import ScriptInfo
from flask_migrate import upgrade
from flask_migrate.cli import db as migrations
from sqlalchemy.exc import OperationalError, ProgrammingError

from evcharge.accounts.cli import operators, users
from evcharge.app import create_app
from evcharge.asgi import new_worker, run_all_in_one, run_gateway
from evcharge.bench.command import bench
from evcharge.control import cli as live_chargers
from evcharge.demo.load import is_empty, load_demo
from evcharge.demo.people import NAMED, PASSWORD
from evcharge.demo.simulator import Simulator
from evcharge.finance.cli import audit
from evcharge.gateway.server import AddressTaken, bind
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.errors import DomainError
from evcharge.kernel.hints import ValkeyMissing, hints_between
from evcharge.kernel.lock import AlreadyRunning, sole_program
from evcharge.kernel.logs import set_up_logs
from evcharge.kernel.schema import is_current
from evcharge.kernel.secret import kept_secret
from evcharge.kernel.settings import InvalidSettings, Settings, read_settings
from evcharge.kernel.stopping import stop_in_time
from evcharge.simulator.command import simulate
from evcharge.stations.cli import chargers, search
from evcharge.wiring import open_database

SECONDS_FOR_LAST_JOBS = 6
SECONDS_FOR_LAST_REQUESTS = 6
ONE_PROCESS = (
    "SQLite serves one process at a time: leave out --workers, or set "
    "EVCHARGE_DATABASE_URL to a PostgreSQL database."
)


class NotReady(Exception):
    """Something has to be done before this program can start."""


class Refusal(click.ClickException):
    """A sentence on standard error instead of a traceback."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"evcharge: {self.message}", err=True)


class Commands(click.Group):
    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except InvalidSettings as error:
            raise Refusal(f"these settings need attention:\n{error}") from error
        except (AddressTaken, AlreadyRunning, NotReady, ValkeyMissing) as error:
            raise Refusal(str(error)) from error
        except (OperationalError, ProgrammingError) as error:
            raise Refusal(f"the database cannot be used: {error.orig}") from error
        except DomainError as error:
            raise click.ClickException(error.message) from error


class OpenedOnFirstUse:
    """Stands for the database in commands, so that `--help` opens none."""

    def __init__(self, open_it: Callable[[], Database]) -> None:
        self._open = open_it
        self._database: Database | None = None

    def __getattr__(self, name: str) -> Any:
        if self._database is None:
            self._database = self._open()
        return getattr(self._database, name)


@click.group(cls=Commands)
@click.version_option(package_name="evcharge")
@click.pass_context
def cli(context: click.Context) -> None:
    """Run and look after an EV charging network."""
    set_up_logs()
    context.obj = OpenedOnFirstUse(lambda: _open(_settings_for_a_chore()))
    if context.invoked_subcommand == "db":
        logging.getLogger("alembic").setLevel(logging.INFO)  # It is all they see.
        context.obj = ScriptInfo(create_app=_app_for_migrations)


@cli.command()
def serve() -> None:
    """Everything in one process on one port."""
    settings = read_settings()
    with _program("serve", settings) as database:
        _check_current(database)
        listener = bind(settings.host, settings.port)
        run_all_in_one(
            settings, database, listener, when_listening=lambda: _say_address(settings)
        )


@cli.command()
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many processes.",
)
def web(workers: int) -> None:
    """Only the pages, by WSGI.

    Jobs need `worker` and live pages `gateway` beside it. Put a proxy in front that
    takes in whole requests: slow senders would keep its threads.
    """
    settings = read_settings()
    try:
        from granian import Granian
        from granian.constants import Interfaces
        from granian.log import LogLevels
    except ImportError as error:
        raise NotReady("this needs granian: pip install 'evcharge[web]'.") from error
    with _program("web", settings) as database:
        if database.is_sqlite and workers > 1:
            raise NotReady(ONE_PROCESS)
        _check_current(database)
        database.engine.dispose()  # Each process opens connections of its own.
        bind(settings.host, settings.port).close()  # Says so if the port is taken.
        _say_address(settings)
        Granian(
            "evcharge.app:wsgi",
            factory=True,
            interface=Interfaces.WSGI,
            address=settings.host,
            port=settings.port,
            workers=workers,
            blocking_threads=settings.threads,
            websockets=False,
            respawn_failed_workers=True,
            workers_kill_timeout=SECONDS_FOR_LAST_REQUESTS,
            log_level=LogLevels.error,
        ).serve()


@cli.command()
def gateway() -> None:
    """Only the long-lived connections: live pages, chargers."""
    settings = read_settings()
    with _program("gateway", settings) as database:
        _check_current(database)
        listener = bind(settings.host, settings.port)
        run_gateway(
            settings, database, listener, when_listening=lambda: _say_address(settings)
        )


@cli.command()
def worker() -> None:
    """Only the jobs."""
    settings = read_settings()
    told_to_stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told_to_stop.set())
    with (
        _program("worker", settings) as database,
        hints_between(settings.valkey_url) as database.publish,
    ):
        _check_current(database)
        jobs = new_worker(settings, database)
        jobs.start()
        click.echo("evcharge runs jobs")
        told_to_stop.wait()
        stop_in_time()
        jobs.ask_to_stop()
        jobs.join(seconds=SECONDS_FOR_LAST_JOBS)


@cli.command()
def demo() -> None:
    """A network to look at, with simulated payments, ready in one command."""
    settings = _demo_settings()
    with _program("demo", settings) as database:
        listener = bind(settings.host, settings.port)
        click.echo("Preparing the database …")
        with create_app(settings, database).app_context():
            upgrade()
        if _is_empty(database):
            click.echo("Loading the demo network …")
            load_demo(database, now=utc_now(), say=click.echo)
        simulator = Simulator(database, settings)

        def begin() -> None:
            _say_logins(settings)
            simulator.start()

        run_all_in_one(settings, database, listener, when_listening=begin)
        simulator.stop()


cli.add_command(audit)
cli.add_command(bench)
cli.add_command(users)
cli.add_command(operators)
for _live in live_chargers.COMMANDS:
    chargers.add_command(_live)
cli.add_command(chargers)
cli.add_command(search)
cli.add_command(simulate)
cli.add_command(migrations, "db")


def _settings_for_a_chore() -> Settings:
    """Chores sign nothing, so they do without the secret."""
    if os.environ.get("EVCHARGE_SECRET_KEY"):
        return read_settings()
    return read_settings(secret_key=secrets.token_hex(32))


def _demo_settings() -> Settings:
    """Raises: NotReady."""
    if os.environ.get("EVCHARGE_SECRET_KEY"):
        return read_settings(demo=True)
    # The first look says where the demo keeps its things, the secret among them.
    folder = read_settings(demo=True, secret_key=secrets.token_hex(32)).data_dir
    _make_folder(folder)
    return read_settings(demo=True, secret_key=kept_secret(folder))


def _make_folder(folder: Path) -> None:
    """Raises: NotReady."""
    try:
        # What is in it is nobody else's business on this machine.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotReady(
            f"cannot write to {folder}: {error.strerror}. "
            "Set EVCHARGE_DATA_DIR to a folder of your own."
        ) from error


@contextmanager
def _program(name: str, settings: Settings) -> Iterator[Database]:
    """Open the database for as long as this runs. Raises: NotReady, AlreadyRunning."""
    database = _open(settings)
    with sole_program(database, name):
        yield database
    database.engine.dispose()


def _open(settings: Settings) -> Database:
    """Raises: NotReady."""
    if settings.database_url.startswith("sqlite"):
        _make_folder(settings.data_dir)
    try:
        return open_database(settings)
    except ModuleNotFoundError as error:
        raise NotReady(
            "EVCHARGE_DATABASE_URL needs the PostgreSQL driver: "
            "pip install 'evcharge[postgres]'."
        ) from error


def _check_current(database: Database) -> None:
    """Raises: NotReady."""
    if not is_current(database):
        raise NotReady(
            "the database does not have this version's tables. "
            "Run `evcharge db upgrade` first."
        )


def _is_empty(database: Database) -> bool:
    with database.reading() as session:
        return is_empty(session)


def _say_address(settings: Settings) -> None:
    click.echo(f"evcharge is at http://{settings.host}:{settings.port}")


def _say_logins(settings: Settings) -> None:
    _say_address(settings)
    click.echo(f"Log in with the password {PASSWORD} as")
    for person in NAMED:
        click.echo(f"  {person.email}  ({person.role})")


def _app_for_migrations() -> Any:
    settings = _settings_for_a_chore()
    return create_app(settings, _open(settings))
