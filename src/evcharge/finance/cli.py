"""`evcharge audit`: do bookings, sessions, claims and money agree?"""

import click

from evcharge.finance.audit import discrepancies
from evcharge.kernel.db import Database


@click.command()
@click.pass_obj
def audit(database: Database) -> None:
    """Compare bookings, sessions, claims and money; fail if they differ."""
    with database.reading() as session:
        findings = discrepancies(session)
    for finding in findings:
        click.echo(finding)
    if findings:
        raise click.ClickException(f"{len(findings)} things do not agree.")
    click.echo("Bookings, claims and payments agree.")
