"""Serve one function under functions-framework: ``python -m infra.serve dedupe --port 8081``.

The same as ``python -m functions_framework``, with gunicorn told to keep off the disk: its worker
heartbeat goes to shared memory, and it opens no control socket in the user's home.
"""

from __future__ import annotations

from pathlib import Path

import click

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn unlinks its file there as soon as it is open

REQUEST_LINE = 8190
"""Bytes of a request's first line: gunicorn's own limit, which functions-framework lifts."""

GRACE_S = 8
"""Seconds that requests have to end after SIGTERM: platforms kill after 10."""


@click.command()
@click.argument("name", type=click.Choice(["dedupe", "process", "persist", "upload"]))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, required=True)
def serve(name: str, host: str, port: int) -> None:
    """Serve the function NAME until a signal ends it."""
    from functions_framework import create_app
    from functions_framework._http import create_server

    app = create_app(name, str(FUNCTIONS / name / "main.py"))
    options = {
        "worker_tmp_dir": str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None,
        "control_socket_disable": True,
        "limit_request_line": REQUEST_LINE,
        "graceful_timeout": GRACE_S,
    }
    create_server(app, False, **options).run(host, port)


if __name__ == "__main__":
    serve()
