"""Run every function on this machine: ``make run``, or ``python -m infra.local``.

Starts the embedded database where no ``DATABASE_URL`` is set, migrates it, and keeps each function
on a port of its own until Ctrl-C.
"""

from __future__ import annotations

import shlex
import socket
import sys
import time
from pathlib import Path
from threading import Thread

import click
import httpx
from honcho.manager import Manager

from shared.settings import SettingsInvalid, settings

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
PORTS = {"upload": 8080, "dedupe": 8081, "process": 8082, "persist": 8083}
"""Each function's port, or the next free one above it."""
READY_S = 60
"""Longest wait for a function's first answer."""


@click.command()
def run() -> None:
    """Run Platen's functions on this machine until Ctrl-C."""
    try:
        own = settings()
    except SettingsInvalid as error:
        raise click.UsageError(str(error)) from error
    from shared.database import embedded, migrate

    database = None if own.database_url else embedded.start(own.home)
    try:
        url = database.url if database else str(own.database_url)
        migrate.upgrade(url)
        sys.exit(_supervise(_ports(), {"DATABASE_URL": url, "PLATEN_HOME": str(own.home)}))
    finally:
        if database:
            database.close()


def _supervise(ports: dict[str, int], environment: dict[str, str]) -> int:
    """Keep the functions running; when one ends, or on a signal, end them all."""
    manager = Manager()
    for name, port in ports.items():
        command = [sys.executable, "-m", "infra.serve", name, "--host", HOST, "--port", str(port)]
        manager.add_process(name, shlex.join(command), cwd=str(ROOT), env=_with(environment))
    Thread(target=_announce, args=(ports,), daemon=True).start()
    manager.loop()
    return manager.returncode or 0


def _with(environment: dict[str, str]) -> dict[str, str]:
    # The children's environment is ours and what they are told; nothing is decided by it here.
    import os

    return {**os.environ, **environment}


def _ports() -> dict[str, int]:
    """A free port for each function, none of them twice."""
    ports: dict[str, int] = {}
    for name, first in PORTS.items():
        port = first
        while port in ports.values() or not _is_free(port):
            port += 1
        ports[name] = port
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _announce(ports: dict[str, int]) -> None:
    """Print where the functions are, once all of them answer."""
    deadline = time.monotonic() + READY_S
    for port in ports.values():
        while not _answers(port) and time.monotonic() < deadline:
            time.sleep(0.2)
    lines = ["", "Platen is running:"]
    lines += [f"  {name:8} http://{HOST}:{port}/" for name, port in ports.items()]
    lines += [
        "",
        "Send it a design (Ctrl-C ends everything):",
        f'  curl -F \'request={{"template": "UVDTF 16oz"}}\' -F file=@design.png '
        f"http://{HOST}:{ports['upload']}/",
        "",
    ]
    click.echo("\n".join(lines))


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}/readyz", timeout=5).is_success
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    run()
