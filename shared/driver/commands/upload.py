"""``upload``: take files in."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import click
import numpy as np

from shared import wiring
from shared.driver.commands.ending import FAILED, misused, tell
from shared.driver.ledger import refused
from shared.driver.room import Room, preparing
from shared.driver.show import bar, sentence
from shared.driver.transports import Http, InProcess
from shared.driver.workflow import upload as run_upload
from shared.errors import PlatenError
from shared.fingerprint.hashes import fingerprint
from shared.fingerprint.normal import normal_form
from shared.identity import fresh_key
from shared.messages import Problem, Result, UploadRequest
from shared.settings import Policy, Review


@click.command()
@click.option("--template", required=True, help="The product, such as 'UVDTF 16oz'.")
@click.option("--digital", is_flag=True, help="Keep the pixels; file under Digital/.")
@click.option("--user", help="Who the designs belong to.")
@click.option("--shop", help="The shop's folder on the NAS.")
@click.option("--check-only", is_flag=True, help="Say what would be done; write nothing.")
@click.option(
    "--policy", type=click.Choice([*map(str, Policy)]), help="How near designs are judged."
)
@click.option(
    "--review", type=click.Choice([*map(str, Review)]), help="What becomes of similar ones."
)
@click.option("--allow-duplicate", is_flag=True, help="File designs whatever they are found to be.")
@click.option("--idempotency-key", help="The same key again gives the same designs.")
@click.option("--http", is_flag=True, help="Call running functions instead of this process.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    # One file that can't be read is that file's outcome, and no reason to refuse the others.
    type=click.Path(path_type=Path, readable=False),
    metavar="FILE...",
)
@click.pass_context
def upload(
    context: click.Context,
    template: str,
    digital: bool,
    user: str | None,
    shop: str | None,
    check_only: bool,
    policy: str | None,
    review: str | None,
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
            policy=Policy(policy) if policy else None,
            review=Review(review) if review else None,
            allow_duplicate=allow_duplicate,
            idempotency_key=idempotency_key,
        )
    except ValueError as error:
        raise misused(error) from error
    result = tell(lambda: _run(request, files, http=http))
    if as_json:
        # As bytes: JSON is UTF-8, whatever the terminal's own encoding is.
        click.echo(result.model_dump_json(indent=2).encode())
    else:
        for outcome in result.outcomes:
            click.echo(sentence(outcome))
    context.exit(FAILED if result.summary.failed else 0)


def _run(request: UploadRequest, files: tuple[Path, ...], *, http: bool) -> Result:
    parts = wiring.parts()
    sources = [parts.source(_shown(file), file) for file in files]
    try:
        transport = Http(parts.settings) if http else _started(parts)
    except PlatenError as error:
        names = [source.filename for source in sources]
        return refused(names, Problem.of(error), request.idempotency_key or fresh_key())
    with bar(len(sources)) as on_event:
        return run_upload(
            sources,
            request,
            transport,
            parts.settings,
            parts.executor,
            parts.workers,
            on_event=on_event,
            # Over HTTP the functions keep to their own.
            room=None if http else Room(parts.memory, preparing(parts, request)),
        )


def _started(parts: wiring.Parts) -> InProcess:
    """The functions in this process, started before the clock: elapsed_ms tells of the files."""
    parts.designs.check()
    # Made now, so that a NAS_URL that can't be used is told once and not by every file.
    _ = parts.nas
    # imagehash loads SciPy and PyWavelets with the first picture that it hashes.
    fingerprint(normal_form(np.full((1, 1, 4), 255, np.uint8)))
    return InProcess(parts)


def _shown(file: Path) -> str:
    """A file's name as data: what is not text in it, or would break a line, is replaced."""
    name = os.fsencode(file.name or file).decode("utf-8", "replace")
    return "".join("\ufffd" if unicodedata.category(sign) in _BREAKING else sign for sign in name)


_BREAKING = ("Cc", "Zl", "Zp")
"""Unicode's categories of control characters, line separators and paragraph separators."""
