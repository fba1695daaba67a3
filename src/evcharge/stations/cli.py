"""`evcharge chargers`: which there are, heard of when; `evcharge search`: its index."""

import click

from evcharge.kernel.clock import utc_now
from evcharge.kernel.db import Database
from evcharge.stations.queries import chargers_by_identity
from evcharge.stations.rules import is_silent
from evcharge.stations.service import rebuild_search_rows


@click.group()
def chargers() -> None:
    """Look after chargers."""


@chargers.command("list")
@click.option("--silent", is_flag=True, help="Only those nothing is heard of.")
@click.option("--limit", default=1000, show_default=True, help="How many at most.")
@click.pass_obj
def list_chargers(database: Database, silent: bool, limit: int) -> None:
    """Show chargers by identity."""
    now = utc_now()
    with database.reading() as session:
        found = chargers_by_identity(session, limit=limit)
    for charger in found:
        is_quiet = is_silent(charger.last_seen_at, charger.heartbeat, now=now)
        if silent and not is_quiet:
            continue
        seen_at = charger.last_seen_at
        seen = f"{seen_at:%Y-%m-%d %H:%M:%SZ}" if seen_at else "never"
        click.echo(
            f"{charger.identity:<24}  {'silent' if is_quiet else 'seen':<6}"
            f"  {seen:<20}  {len(charger.evses)} EVSEs  {charger.location.name}"
        )


@click.group()
def search() -> None:
    """Look after the index that searches and the map read."""


@search.command()
@click.pass_obj
def rebuild(database: Database) -> None:
    """Write the index anew, after a bulk load. Nobody should edit meanwhile."""
    with database.transaction() as session:
        rows = rebuild_search_rows(session)
    click.echo(f"The index has {rows:,} rows.")
