"""Serve one function under functions-framework: ``python -m infra.serve dedupe --port 8081``.

The same as ``python -m functions_framework --source functions/dedupe/main.py --target dedupe``, but
on loopback unless told otherwise, and wrong settings are told before anything is served. How
requests are read, limited and ended is `shared.mount`'s, so it is the same for both commands.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import click

from shared.settings import SettingsInvalid, settings

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"


@click.command()
@click.argument("name", type=click.Choice(["dedupe", "process", "persist", "upload", "reconcile"]))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=8080, show_default=True)
@click.option("--socket", type=int, help="Descriptor of an open socket to serve on instead.")
@click.option("--until-eof", is_flag=True, help="End when standard input does.")
def serve(name: str, host: str, port: int, socket: int | None, *, until_eof: bool) -> None:
    """Serve the function NAME until a signal ends it."""
    from functions_framework import create_app
    from functions_framework._http import create_server

    try:
        settings()
    except SettingsInvalid as error:
        raise click.UsageError(str(error)) from error
    app = create_app(name, str(FUNCTIONS / name / "main.py"))
    options: dict[str, Any] = {}
    if socket is not None:
        options["bind"] = f"fd://{socket}"
    if until_eof:
        options["post_fork"] = _watch
    create_server(app, False, **options).run(host, port)


def _watch(arbiter: Arbiter, worker: object) -> None:  # noqa: ARG001 - gunicorn's signature
    """In a fresh worker: end the whole server once standard input is at its end."""

    def wait() -> None:
        os.read(0, 1)
        os.kill(arbiter.pid, signal.SIGTERM)

    Thread(target=wait, name="until-eof", daemon=True).start()


if __name__ == "__main__":
    serve()
