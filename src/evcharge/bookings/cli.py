"""`evcharge audit`: do bookings, claims and money agree?"""

import click

from evcharge.bookings.audit import discrepancies
from evcharge.kernel.db import Database


@click.command()
@click.pass_obj
def audit(database: Database) -> None:
    """Compare bookings with the slots and the money they claim; fail if they differ."""
    with database.reading() as session:
        findings = discrepancies(session)
    for finding in findings:
        click.echo(finding)
    if findings:
        raise click.ClickException(f"{len(findings)} things do not agree.")
    click.echo("Bookings, claims and payments agree.")
