"""``doctor``: try the settings, the database and the NAS out."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click

from shared import wiring
from shared.driver.commands.ending import FAILED
from shared.flows import doctor as checks
from shared.flows.doctor import Finding
from shared.identity import tenant


@click.command()
@click.option("--user", help="Who the trial design is recorded for; else DEFAULT_USER.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
@click.pass_context
def doctor(context: click.Context, user: str | None, as_json: bool) -> None:
    """Try the settings, the database and the NAS out, and say what is wrong and what to do."""
    findings = []
    for finding in _findings(user):
        findings.append(finding)
        if not as_json:
            click.echo(f"{'ok' if finding.ok else 'WRONG':6}{finding.check:16} {finding.message}")
    ok = all(finding.ok for finding in findings)
    if as_json:
        told = {"ok": ok, "checks": [finding.model_dump() for finding in findings]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    context.exit(0 if ok else FAILED)


def _findings(user: str | None) -> Iterator[Finding]:
    setting = checks.settings(wiring.parts)
    yield setting
    if not setting.ok:
        return
    parts = wiring.parts()
    owner = tenant(user or parts.settings.default_user)
    yield from checks.database(lambda: parts.designs, owner, parts.places)
    yield from checks.nas(lambda: parts.nas, parts.places)
