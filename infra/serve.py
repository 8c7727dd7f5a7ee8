"""Serve one function under functions-framework: ``python -m infra.serve dedupe --port 8081``.

The same as ``python -m functions_framework --source functions/dedupe/main.py --target dedupe``, but
on loopback unless told otherwise, and with a limit on a request's first line. functions-framework
lifts gunicorn's own: a line of 100 MB would keep the worker busy for a minute.
"""

from __future__ import annotations

from pathlib import Path

import click

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

REQUEST_LINE = 8190
"""Bytes of a request's first line."""


@click.command()
@click.argument("name", type=click.Choice(["dedupe", "process", "persist", "upload"]))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, required=True)
def serve(name: str, host: str, port: int) -> None:
    """Serve the function NAME until a signal ends it."""
    from functions_framework import create_app
    from functions_framework._http import create_server

    app = create_app(name, str(FUNCTIONS / name / "main.py"))
    create_server(app, False, limit_request_line=REQUEST_LINE).run(host, port)


if __name__ == "__main__":
    serve()
