"""``sweep``: remove what uploads that came to nothing left on the NAS."""

from __future__ import annotations

import click

from shared import wiring
from shared.driver.commands.ending import FAILED, tell
from shared.flows.sweep import sweep as run_sweep


@click.command()
@click.option(
    "--grace",
    "grace_h",
    type=click.FloatRange(min=0.1),
    metavar="HOURS",
    help="How long a staged file may wait for its row; else SWEEP_GRACE_H.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.pass_context
def sweep(context: click.Context, grace_h: float | None, dry_run: bool) -> None:
    """Remove staged files on the NAS that are old and that no design waits for."""
    failed = tell(lambda: _sweep(grace_h, dry_run=dry_run))
    context.exit(FAILED if failed else 0)


def _sweep(grace_h: float | None, *, dry_run: bool) -> int:
    """Tell of each file as it goes and of all at the end; how many could not be removed."""
    parts = wiring.parts()
    designs, nas = parts.designs, parts.nas
    grace_s = (parts.settings.sweep_grace_h if grace_h is None else grace_h) * 3600
    removed = size = failed = 0
    done = "would remove" if dry_run else "removed"
    try:
        for swept in run_sweep(designs, nas, grace_s, dry_run=dry_run):
            path = swept.entry.path
            if swept.error is not None:
                failed += 1
                click.echo(f"can't remove {path}: {swept.error.message}", err=True)
                continue
            removed += 1
            size += swept.entry.size
            click.echo(f"{done} {path} ({swept.entry.size:,} bytes)")
    finally:
        # Told even when the sweep breaks off: what is gone is gone.
        files = "file" if removed == 1 else "files"
        click.echo(f"{done.capitalize()} {removed:,} {files}, {size:,} bytes.")
    return failed
