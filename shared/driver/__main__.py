"""The command line: ``python -m shared.driver COMMAND``."""

from __future__ import annotations

import click

from shared.driver.commands.doctor import doctor
from shared.driver.commands.migrate import migrate
from shared.driver.commands.reconcile import reconcile
from shared.driver.commands.rehash import rehash
from shared.driver.commands.sweep import sweep
from shared.driver.commands.template import template
from shared.driver.commands.upload import upload
from shared.settings import SettingsInvalid, settings


@click.group()
@click.pass_context
def main(context: click.Context) -> None:
    """Take a print shop's artwork in: once, print-ready and findable."""
    if context.invoked_subcommand == doctor.name:
        return  # It tells of wrong settings as of anything else that is wrong.
    try:
        settings()
    except SettingsInvalid as error:
        raise click.UsageError(str(error)) from error


for command in (upload, doctor, migrate, reconcile, rehash, sweep, template):
    main.add_command(command)

if __name__ == "__main__":
    main()
