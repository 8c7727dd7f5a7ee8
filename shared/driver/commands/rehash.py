"""``rehash``: give rows from another system the fingerprint that new designs have."""

from __future__ import annotations

import click

from shared import wiring
from shared.driver.commands.ending import FAILED, tell
from shared.driver.show import counter
from shared.flows.rehash import Rehash, Rehashed
from shared.identity import tenant


@click.command()
@click.option("--user", help="Whose designs; else everybody's.")
@click.option("--dry-run", is_flag=True, help="Read the files, write nothing; say what would fail.")
@click.pass_context
def rehash(context: click.Context, user: str | None, dry_run: bool) -> None:
    """Take the fingerprints of designs that another system recorded anew, from their files."""
    failed = tell(lambda: _rehash(user, dry_run=dry_run))
    context.exit(FAILED if failed else 0)


def _rehash(user: str | None, *, dry_run: bool) -> int:
    """Name each row that stays as it is, and tell of all at the end; how many do stay."""
    parts = wiring.parts()
    owner = tenant(user) if user else None
    work = Rehash(
        parts.designs, parts.nas, parts.places, parts.image_limits, parts.executor, parts.workers
    )
    left = parts.designs.count_legacy(owner)
    done = failed = 0
    try:
        with counter(left, "Rehashing") as tell_of:
            for told in work.run(owner, dry_run=dry_run):
                left -= 1
                done += told.is_upgraded
                failed += told.reason is not None
                tell_of(_sentence(told))
    finally:
        # Told even when the run breaks off: what is written stays.
        verb = "Would rehash" if dry_run else "Rehashed"
        designs = "design" if done == 1 else "designs"
        click.echo(f"{verb} {done:,} {designs}; {failed:,} failed, {max(left, 0):,} left.")
    return failed


def _sentence(told: Rehashed) -> str | None:
    if told.reason is None:
        return None
    return f"can't rehash {told.row.file_path or told.row.design_id}: {told.reason}"
