"""``migrate``: bring the database up to date."""

from __future__ import annotations

import click

from shared import wiring
from shared.driver.commands.ending import tell


@click.command()
def migrate() -> None:
    """Bring the database that DATABASE_URL names (or the embedded one) up to date."""
    tell(lambda: wiring.parts().migrate())
    click.echo("The database is up to date.")
