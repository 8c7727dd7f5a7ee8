"""The command line: ``python -m shared.driver COMMAND``."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from shared import wiring
from shared.driver.show import bar, sentence
from shared.driver.transports import Http, InProcess
from shared.driver.workflow import upload as run_upload
from shared.errors import PlatenError
from shared.identity import tenant
from shared.imaging.templates import check
from shared.messages import Result, UploadRequest
from shared.records import Fit, Template
from shared.settings import SettingsInvalid, settings

_Answer = TypeVar("_Answer")

FAILED = 1
"""Exit status when a file, or the command, failed; wrong usage is 2."""


@click.group()
def main() -> None:
    """Take a print shop's artwork in: once, print-ready and findable."""
    try:
        settings()
    except SettingsInvalid as error:
        raise click.UsageError(str(error)) from error


@main.command()
@click.option("--template", required=True, help="The product, such as 'UVDTF 16oz'.")
@click.option("--digital", is_flag=True, help="Keep the pixels; file under Digital/.")
@click.option("--user", help="Who the designs belong to.")
@click.option("--shop", help="The shop's folder on the NAS.")
@click.option("--check-only", is_flag=True, help="Say what would be done; write nothing.")
@click.option("--allow-duplicate", is_flag=True, help="File designs the shop already has.")
@click.option("--idempotency-key", help="The same key again gives the same designs.")
@click.option("--http", is_flag=True, help="Call running functions instead of this process.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE..."
)
@click.pass_context
def upload(
    context: click.Context,
    template: str,
    digital: bool,
    user: str | None,
    shop: str | None,
    check_only: bool,
    allow_duplicate: bool,
    idempotency_key: str | None,
    http: bool,
    as_json: bool,
    files: tuple[Path, ...],
) -> None:
    """Check FILES against the shop's designs, prepare the new ones, file and record them."""
    try:
        request = UploadRequest(
            template=template,
            digital=digital,
            user_id=user,
            shop=shop,
            check_only=check_only,
            allow_duplicate=allow_duplicate,
            idempotency_key=idempotency_key,
        )
    except ValueError as error:
        raise click.UsageError(_first_line(error)) from error
    result = _tell(lambda: _run(request, files, http=http))
    if as_json:
        click.echo(result.model_dump_json(indent=2))
    else:
        for outcome in result.outcomes:
            click.echo(sentence(outcome))
    context.exit(FAILED if result.summary.failed else 0)


@main.command()
def migrate() -> None:
    """Bring the database that DATABASE_URL names (or the embedded one) up to date."""
    _tell(lambda: wiring.parts().migrate())
    click.echo("The database is up to date.")


@main.group(name="template")
def template_group() -> None:
    """Add, list and remove a shop's own templates."""


@template_group.command(name="add")
@click.argument("name")
@click.option("--width", "width_in", type=float, required=True, help="Inches.")
@click.option("--height", "height_in", type=float, required=True, help="Inches.")
@click.option("--fit", type=click.Choice([fit.value for fit in Fit]), default=Fit.STRETCH.value)
@click.option("--dpi", type=int, default=400, show_default=True)
@click.option("--canvas-width", "canvas_width_in", type=float, help="Inches.")
@click.option("--canvas-height", "canvas_height_in", type=float, help="Inches.")
@click.option("--rotate", is_flag=True, help="Turn landscape artwork 90 degrees clockwise.")
@click.option("--pattern", default="{prefix}_{number}", show_default=True, help="File name.")
@click.option("--user", help="Whose template it is.")
def add_template(user: str | None, **fields: object) -> None:
    """Add the template NAME, or change it; a built-in one of that name is overridden."""
    try:
        template = Template.model_validate(fields)
    except ValueError as error:
        raise click.UsageError(_first_line(error)) from error
    own = settings()

    def save() -> None:
        check(template, own.max_side_px)
        wiring.parts().designs.save_template(tenant(user or own.default_user), template)

    _tell(save)
    click.echo(f"Template '{template.name}' is saved.")


@template_group.command(name="list")
@click.option("--user", help="Whose templates; the built-in ones are always listed.")
def list_templates(user: str | None) -> None:
    """List the templates an upload can name."""
    owner = tenant(user or settings().default_user)
    for template in _tell(lambda: wiring.parts().designs.templates(owner)):
        click.echo(
            f"{template.name}: {template.width_in:g} x {template.height_in:g} in, "
            f"{template.fit.value}, {template.dpi} DPI"
        )


@template_group.command(name="remove")
@click.argument("name")
@click.option("--user", help="Whose template it is.")
def remove_template(name: str, user: str | None) -> None:
    """Remove the shop's own template NAME; a built-in one of that name applies again."""
    owner = tenant(user or settings().default_user)
    _tell(lambda: wiring.parts().designs.remove_template(owner, name))
    click.echo(f"Template '{name}' is removed.")


def _run(request: UploadRequest, files: tuple[Path, ...], *, http: bool) -> Result:
    parts = wiring.parts()
    transport = Http(parts.settings) if http else InProcess(parts)
    if not http:
        # Started before the clock: elapsed_ms tells of the files, not of the database's start.
        parts.designs.check()
        # Made now, so that a NAS_URL that can't be used is told once and not by every file.
        _ = parts.nas
    sources = [parts.source(_shown(file), file) for file in files]
    with bar(len(sources)) as on_event:
        return run_upload(
            sources,
            request,
            transport,
            parts.settings,
            parts.executor,
            parts.workers,
            on_event=on_event,
        )


def _tell(act: Callable[[], _Answer]) -> _Answer:
    """Run a command's work; what goes wrong is one sentence and exit status 1, settings apart."""
    try:
        return act()
    except SettingsInvalid as error:
        raise click.UsageError(str(error)) from error
    except PlatenError as error:
        click.echo(f"{error.message} ({error.code})", err=True)
        logging.getLogger("platen").debug("the command failed", exc_info=error)
        sys.exit(FAILED)


def _shown(file: Path) -> str:
    """A file's name as data: what is not text in it is replaced."""
    name = os.fsencode(file.name).decode("utf-8", "replace")
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in name) or "\ufffd"


def _first_line(error: ValueError) -> str:
    details = getattr(error, "errors", None)
    if details is None:
        return str(error)
    first = details()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'template'}: {first['msg']}"


if __name__ == "__main__":
    main()
