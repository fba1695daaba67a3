"""`evcharge`: every program and every chore, one command each."""

import logging

import click
from flask.cli import ScriptInfo
from flask_migrate.cli import db as migrations

from evcharge.app import create_app
from evcharge.asgi import all_in_one
from evcharge.gateway.live_hub import LiveHub
from evcharge.gateway.server import Server
from evcharge.kernel.lock import sole_program
from evcharge.kernel.settings import read_settings
from evcharge.wiring import open_database


@click.group()
@click.pass_context
def cli(context: click.Context) -> None:
    """Run and look after an EV charging network."""
    logging.basicConfig(level=logging.INFO)
    if context.invoked_subcommand == "db":
        context.obj = ScriptInfo(create_app=_app)


def _app():
    settings = read_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return create_app(settings, open_database(settings))


@cli.command()
def serve() -> None:
    """Everything in one process on one port."""
    settings = read_settings()
    database = open_database(settings)
    with sole_program(database, "serve"):
        hub = LiveHub()
        database.publish = hub.publish
        app = all_in_one(settings, database, hub)
        Server(app, hub, host=settings.host, port=settings.port).run()


cli.add_command(migrations, "db")
