"""Run every function on this machine: ``make run``, or ``python -m infra.local``.

Starts the embedded database where no ``DATABASE_URL`` is set, migrates it, and keeps each function
on a port of its own until Ctrl-C. When one function ends, all do.
"""

from __future__ import annotations

import errno
import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import NoReturn

import click

from infra.local.announce import announcement, wait
from infra.local.processes import Processes, serving
from infra.local.samba import samba
from shared.errors import PlatenError
from shared.settings import Settings, SettingsInvalid, settings

HOST = "127.0.0.1"
PORTS = {"upload": 8080, "dedupe": 8081, "process": 8082, "persist": 8083}
"""Each function's port, or the next free one above it."""

BACKLOG = 128
"""Connections that wait while a function starts."""

_PAUSE_S = 0.2


@click.command()
@click.option("--nas", type=click.Choice(["smb"]), help="Start a NAS of this kind and use it.")
def run(nas: str | None) -> None:
    """Run Platen's functions on this machine until Ctrl-C."""
    _end_on_signals()
    try:
        own = settings()
        with (
            _database(own) as url,
            _nas(own, nas) as servers,
            _functions(own, url) as (functions, ports),
        ):
            _announce(own, functions, ports)
            while (end := functions.ended() or servers.ended()) is None:
                time.sleep(_PAUSE_S)
    except SettingsInvalid as error:
        raise click.UsageError(str(error)) from error
    except PlatenError as error:
        raise click.ClickException(f"{error.message} ({error.code})") from error
    raise click.ClickException(f"{end}, so all functions were ended.")


def _end_on_signals() -> None:
    """Leave in order on the signals that ask for it; once leaving, more of them change nothing."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        numbers.append(signal.SIGHUP)

    def end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - a handler's signature
        for one in numbers:
            signal.signal(one, signal.SIG_IGN)
        sys.exit(128 + number)

    for number in numbers:
        signal.signal(number, end)


@contextmanager
def _database(own: Settings) -> Iterator[str]:
    """The URL of the database, migrated."""
    from shared.database import embedded, migrate

    with ExitStack() as stack:
        url = own.database_url or stack.enter_context(embedded.start(own.home)).url
        migrate.upgrade(url)
        yield url


@contextmanager
def _nas(own: Settings, kind: str | None) -> Iterator[Processes]:
    """The servers of the NAS that is started here, which the functions find in the environment."""
    if kind is None:
        yield Processes()
        return
    if own.nas_password is not None:
        raise click.UsageError("NAS=smb brings its own password; unset NAS_PASSWORD")
    with samba(own.home) as (servers, setting):
        os.environ.update(setting)
        click.echo(shlex.join(f"{name}={value}" for name, value in setting.items()))
        yield servers


@contextmanager
def _functions(own: Settings, url: str) -> Iterator[tuple[Processes, dict[str, int]]]:
    """The functions' processes, started, and the port of each."""
    os.environ.update(DATABASE_URL=url, PLATEN_HOME=str(own.home))
    with Processes() as functions:
        ports: dict[str, int] = {}
        for name, first in PORTS.items():
            with _listener(first) as listener:
                ports[name] = listener.getsockname()[1]
                lend = listener.fileno()
                functions.start(name, serving(name, lend), lend=lend)
        yield functions, ports


def _listener(port: int) -> socket.socket:
    """A socket that listens on ``port``, or on the next one above it that is free.

    It is handed on open, so that nobody can take the port in between.
    """
    while True:
        try:
            return socket.create_server((HOST, port), backlog=BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            port += 1


def _announce(own: Settings, functions: Processes, ports: dict[str, int]) -> None:
    """Print where the functions are, once all of them answer."""
    urls = {name: f"http://{HOST}:{port}" for name, port in ports.items()}
    wait(urls, functions)
    if functions.ended() is None:
        taken = [PORTS[name] for name, port in ports.items() if port != PORTS[name]]
        click.echo(announcement(own, urls, taken))


if __name__ == "__main__":
    run()
