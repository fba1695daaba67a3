"""`evcharge chargers …`: keys, commands, and who waits to be let in."""

import time
from typing import cast
from uuid import UUID

import click

from evcharge.control.asked import arguments_from_text
from evcharge.control.models import ChargerCommand
from evcharge.control.queries import command_by_id, parked_chargers
from evcharge.control.rules import BadCommand, CommandKind, CommandState
from evcharge.control.service import ask_charger, issue_key, withdraw_key
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.stations.queries import charger_by_identity

LOOK_AGAIN_SECONDS = 0.5
UNDER_WAY = (CommandState.QUEUED, CommandState.SENT)


@click.command("issue-key")
@click.argument("identity")
@click.pass_obj
def issue(database: Database, identity: str) -> None:
    """Give a charger a new key and print it: it is kept nowhere."""
    now = utc_now()
    key = database.perform(
        lambda session: issue_key(
            session, charger_by_identity(session, identity).id, by=None, now=now
        )
    )
    click.echo(key)


@click.command("withdraw-key")
@click.argument("identity")
@click.pass_obj
def withdraw(database: Database, identity: str) -> None:
    """Let a charger connect no more, until it has another key."""
    database.perform(
        lambda session: withdraw_key(session, charger_by_identity(session, identity).id)
    )
    click.echo(f"{identity} has no key.")


@click.command()
@click.argument("identity")
@click.argument("kind", type=click.Choice([kind.value for kind in CommandKind]))
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--wait", default=35, show_default=True, help="Seconds for the answer.")
@click.pass_obj
def command(
    database: Database, identity: str, kind: str, arguments: tuple[str, ...], wait: int
) -> None:
    """Ask a charger for something: unlock evse=1 connector=1."""
    given = arguments_from_text(dict(_pair(each) for each in arguments))
    now = utc_now()
    try:
        asked_id = database.perform(
            lambda session: (
                ask_charger(
                    session,
                    charger_id=charger_by_identity(session, identity).id,
                    kind=CommandKind(kind),
                    arguments=given,
                    by=None,
                    now=now,
                ).id
            )
        )
    except BadCommand as refusal:
        raise click.ClickException(_problems(refusal)) from refusal
    asked = _answered(database, asked_id, wait=wait)
    click.echo(f"{asked.state.value}  {asked.answer}".rstrip())
    if asked.state in (CommandState.REJECTED, CommandState.TIMED_OUT):
        raise click.exceptions.Exit(1)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise click.UsageError(f"Write {text} as name=value.")
    return name, value


def _problems(refusal: BadCommand) -> str:
    problems = cast("dict[str, str]", refusal.details["problems"])
    return "\n".join(f"{name}: {problem}" for name, problem in problems.items())


def _answered(database: Database, asked_id: UUID, *, wait: int) -> ChargerCommand:
    """Return the command once it is answered, or as it is after so many seconds."""
    until = time.monotonic() + wait
    while True:
        with database.reading() as session:
            asked = command_by_id(session, asked_id)
        if asked.state not in UNDER_WAY or time.monotonic() >= until:
            return asked
        time.sleep(LOOK_AGAIN_SECONDS)


@click.command()
@click.pass_obj
def parked(database: Database) -> None:
    """Show chargers nobody knows that wait to be let in."""
    with database.reading() as session:
        waiting = parked_chargers(session)
    for box in waiting:
        make = f"{box.vendor} {box.model}".strip()
        click.echo(
            f"{box.identity:<24}  {box.protocol.value:<9}"
            f"  {box.last_seen_at:%Y-%m-%d %H:%M:%SZ}  {make}"
        )


COMMANDS = (issue, withdraw, command, parked)
