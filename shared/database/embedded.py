"""The embedded server: started by the first process that needs it, stopped after the last.

Every user holds a shared lock on ``users.lock``; whoever gets it alone stops the server. That is
the last user to leave, or the keeper process when users were killed. ``start.lock`` guards starts
and stops against each other. The kernel frees the locks of the dead, so nothing here goes stale.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.database import keeper
from shared.database.folder import make_folder, open_owned
from shared.database.server import Server
from shared.errors import DatabaseNotReady


class Embedded:
    """A process's hold on the server. ``url``: SQLAlchemy's, over a unix socket."""

    def __init__(self, url: str, folder: Path, users: int) -> None:
        self.url = url
        self._folder = folder
        self._users: int | None = users
        self._process = os.getpid()
        atexit.register(self.close)

    def close(self) -> None:
        """Let go of the server; the last one to do so stops it and waits for its end.

        Closing again, or in a forked child, does nothing.
        """
        if self._users is None or os.getpid() != self._process:
            return
        users, self._users = self._users, None
        atexit.unregister(self.close)
        try:
            with _guard(self._folder):
                self._leave(users)
        except FileNotFoundError:
            pass  # Somebody removed the folder: within a minute the server sees that, and ends.
        finally:
            # A forked child may still hold a copy of the descriptor: closing is not enough.
            fcntl.flock(users, fcntl.LOCK_UN)
            os.close(users)

    def _leave(self, users: int) -> None:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            keeper.stop(self._folder)
        except BlockingIOError:
            # Others use it; or the keeper is stopping it already, and this waits for that.
            fcntl.flock(users, fcntl.LOCK_SH)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def start(home: Path) -> Embedded:
    """A hold on the server in ``home/postgres``, which is made and started where need be.

    Any number of threads and processes may hold it at once. It is let go by `Embedded.close`, at
    the latest when the process ends. Raises DatabaseNotReady.
    """
    folder = home.absolute() / "postgres"
    try:
        make_folder(folder)
        with _guard(folder):
            return _hold(folder)
    except OSError as error:
        raise DatabaseNotReady(
            reason="the folder PLATEN_HOME can't be used; set PLATEN_HOME to a local folder that "
            "can be written"
        ) from error


def _hold(folder: Path) -> Embedded:
    users = open_owned(folder / keeper.USERS)
    try:
        fcntl.flock(users, fcntl.LOCK_SH)
        _ensure_keeper(folder)
        server = Server(folder)
        server.ensure()
    except BaseException:
        fcntl.flock(users, fcntl.LOCK_UN)
        os.close(users)
        raise
    return Embedded(server.url, folder, users)


@contextmanager
def _guard(folder: Path) -> Iterator[None]:
    lock = open_owned(folder / "start.lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)


def _ensure_keeper(folder: Path) -> None:
    """Start the keeper unless there is one. It keeps the lock that says so."""
    lock = open_owned(folder / "keeper.lock")
    try:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            subprocess.run(  # noqa: S603 - our own script
                [sys.executable, "-I", "-S", keeper.__file__, str(lock), str(folder)],
                pass_fds=[lock],
                start_new_session=True,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )
    finally:
        os.close(lock)
