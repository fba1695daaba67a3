"""`evcharge users` and `evcharge operators`: the first ones, and who there is."""

import sys

import click

from evcharge.accounts.queries import all_operators, member_counts, users_matching
from evcharge.accounts.rules import (
    Profile,
    Role,
    UserFilter,
    email_from_text,
    name_from_text,
    operator_name_from_text,
    support_phone_from_text,
)
from evcharge.accounts.rules.passwords import check_password, hash_password
from evcharge.accounts.service import create_admin as open_admin_account
from evcharge.accounts.service import create_operator
from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.kernel.errors import DomainError


@click.group()
def users() -> None:
    """Look after accounts."""


@users.command()
@click.option("--email", prompt="E-mail")
@click.option("--name", prompt="Name")
@click.option("--password-stdin", is_flag=True, help="Read it from standard input.")
@click.pass_obj
def create_admin(
    database: Database, email: str, name: str, password_stdin: bool
) -> None:
    """Open an account that may do everything."""
    try:
        profile = Profile(name_from_text(name), email_from_text(email), phone=None)
        password = _password(from_stdin=password_stdin)
        check_password(password, email=profile.email)
        password_hash = hash_password(password)
        user_id = database.perform(
            lambda session: open_admin_account(
                session, profile, password_hash=password_hash, now=utc_now()
            )
        )
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(f"{profile.email} is an admin (user {user_id}).")


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


@users.command("list")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), help="Only these."
)
@click.option("--limit", default=100, show_default=True, help="How many at most.")
@click.pass_obj
def list_users(database: Database, role: str | None, limit: int) -> None:
    """Show accounts, the newest first."""
    wanted = UserFilter(role=Role(role) if role else None)
    with database.reading() as session:
        found = users_matching(session, wanted, limit=limit)
    for user in found:
        click.echo(
            f"{user.id:>6}  {user.role.value:<8}  {user.status.value:<9}"
            f"  {user.email}  {user.name}"
        )


@click.group()
def operators() -> None:
    """Look after the organisations that run chargers."""


@operators.command("add")
@click.argument("name")
@click.option("--phone", default="", help="Whom drivers call when they are stuck.")
@click.pass_obj
def add_operator(database: Database, name: str, phone: str) -> None:
    """Add one, so that locations can be added for it."""
    try:
        clean_name = operator_name_from_text(name)
        number = support_phone_from_text(phone)
        operator_id = database.perform(
            lambda session: create_operator(
                session, name=clean_name, phone=number, now=utc_now()
            )
        )
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
    click.echo(f"{clean_name} is operator {operator_id}.")


@operators.command("list")
@click.pass_obj
def list_operators(database: Database) -> None:
    """Show operators and how many people work for each."""
    with database.reading() as session:
        found, members = all_operators(session), member_counts(session)
    for operator in found:
        click.echo(
            f"{operator.id:>6}  {members.get(operator.id, 0):>3}"
            f"  {operator.support_phone or '–':<16}  {operator.name}"
        )
