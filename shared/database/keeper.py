"""Stops the embedded server once none of its users is left, however they ended.

Run as a script of its own, on the standard library alone. A user that is killed can't stop the
server that it leaves behind; this process can, since the kernel lets go of the locks of the dead.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

USERS = "users.lock"
"""Its users share this lock of the server's folder."""


def stop(folder: Path) -> None:
    """Stop the server in ``folder`` and wait until it and its children are gone.

    The server itself holds a lock on its data folder for as long as it lives, so whether it runs
    is never guessed from a process id. None running is harmless.
    """
    data = folder / "data"
    with suppress(FileNotFoundError):
        server = os.open(data, os.O_RDONLY)
        try:
            fcntl.flock(server, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _interrupt(data)
            fcntl.flock(server, fcntl.LOCK_EX)
        finally:
            os.close(server)
        forget_socket(folder)


def forget_socket(folder: Path) -> None:
    """Remove the temporary folder of a server whose own path is too long for a socket."""
    record = folder / "socket"
    with suppress(FileNotFoundError):
        shutil.rmtree(record.read_text(), ignore_errors=True)
        record.unlink()


def keep(lock: int, folder: Path) -> None:
    """Wait for the last user to leave, then stop the server.

    ``lock``: the descriptor of the lock that says a keeper is here. It is let go before the
    users' lock, so that a user who waits for that one finds no keeper and starts another.
    """
    users = os.open(folder / USERS, os.O_RDWR)
    fcntl.flock(users, fcntl.LOCK_EX)
    stop(folder)
    fcntl.flock(lock, fcntl.LOCK_UN)


def _interrupt(data: Path) -> None:
    """Ask the server for a fast shutdown.

    For root, in the name of the server's user, who could have written any process's id.
    """
    process = (data / "postmaster.pid").read_text().split("\n", 1)[0]
    owner = data.stat().st_uid if os.geteuid() == 0 else None
    command = ["/bin/sh", "-c", 'kill -INT "$0"', process]
    subprocess.run(command, user=owner, stderr=subprocess.DEVNULL, check=False)  # noqa: S603 - a constant and a number


if __name__ == "__main__" and os.fork() == 0:
    keep(int(sys.argv[1]), Path(sys.argv[2]))
