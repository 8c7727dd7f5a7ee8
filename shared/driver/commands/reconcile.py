"""``reconcile``: compare the rows with the files on the NAS, and put right what broke off."""

from __future__ import annotations

import json

import click

from shared import wiring
from shared.driver.commands.ending import FAILED, tell
from shared.messages import Discrepancy


@click.command()
@click.option("--repair", is_flag=True, help="Finish what broke off and remove leftovers.")
@click.option("--verify", is_flag=True, help="Read every file and compare its bytes.")
@click.option(
    "--grace",
    "grace_h",
    type=click.FloatRange(min=0.1),
    metavar="HOURS",
    help="How long an upload may take; else SWEEP_GRACE_H.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a line.")
@click.pass_context
def reconcile(
    context: click.Context, repair: bool, verify: bool, grace_h: float | None, as_json: bool
) -> None:
    """Say where the rows and the files on the NAS differ; --repair puts right what can be."""
    left = tell(lambda: _reconcile(grace_h, repair=repair, verify=verify, as_json=as_json))
    context.exit(FAILED if left else 0)


def _reconcile(grace_h: float | None, *, repair: bool, verify: bool, as_json: bool) -> int:
    """Tell of each thing as it is found and of all at the end; how many were not repaired."""
    found = left = 0
    for each in wiring.parts().reconcile(repair=repair, verify=verify, grace_h=grace_h):
        found += 1
        left += not each.repaired
        if as_json:
            click.echo(json.dumps(each.model_dump(mode="json"), ensure_ascii=False).encode())
        else:
            click.echo(_sentence(each))
    if not as_json:
        click.echo(f"Found {found:,}, repaired {found - left:,}, {left:,} left.")
    return left


def _sentence(each: Discrepancy) -> str:
    done = "repaired " if each.repaired else ""
    return f"{done}{each.trouble}: {each.file_path}: {each.message}"
