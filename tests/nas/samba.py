"""A private Samba server: its own port, folders, account and configuration.

Runs as root or as any other user. Nothing of the machine's own Samba is read or changed.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PASSWORD = "correct horse"  # noqa: S105  # of an account that lasts for one test run
SHARE = "Graphics"
ENCRYPTED = "server smb encrypt = required"

_CONFIGURATION = """
[global]
server role = standalone server
smb ports = {port}
interfaces = 127.0.0.1
bind interfaces only = yes
disable netbios = yes
disable spoolss = yes
load printers = no
log file = {home}/log
passdb backend = tdbsam:{home}/passdb.tdb
private dir = {home}/private
lock directory = {home}/lock
state directory = {home}/state
cache directory = {home}/cache
pid directory = {home}/pid
ncalrpc dir = {home}/rpc
{options}
[{share}]
path = {folder}
read only = no
"""


class SambaAbsent(Exception):
    """Samba's programs are not on this machine; the text says which."""


class Samba:
    """One server; `start` and `kill` may alternate."""

    def __init__(self, home: Path, folder: Path, options: str) -> None:
        self.folder = folder
        """What the share shows."""
        self.user = getpass.getuser()
        self.port = _free_port()
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        for part in ("private", "lock", "state", "cache", "pid", "rpc"):
            (home / part).mkdir()
        self.configuration = home / "smb.conf"
        self.configuration.write_text(
            _CONFIGURATION.format(
                port=self.port, home=home, folder=folder, share=SHARE, options=options
            )
        )
        subprocess.run(  # noqa: S603  # our own arguments
            [_program("pdbedit"), "-s", self.configuration, "-a", "-t", "-u", self.user],
            input=f"{PASSWORD}\n{PASSWORD}\n".encode(),
            check=True,
            capture_output=True,
        )

    @property
    def url(self) -> str:
        return self.url_at(self.port)

    def url_at(self, port: int) -> str:
        """The share's URL by way of another port of this machine."""
        return f"smb://{self.user}@127.0.0.1:{port}/{SHARE}"

    def start(self) -> None:
        """Return when the server takes connections."""
        # A group of its own lets `kill` end the server's children with it.
        with (self._home / "out").open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603  # our own arguments
                [_program("smbd"), "-F", "--no-process-group", "-s", self.configuration],
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        give_up = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if time.monotonic() > give_up or self._process.poll() is not None:
                    raise
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        """End the server and all its children at once, as a power cut would."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@contextmanager
def samba(folder: Path, options: str = ENCRYPTED) -> Iterator[Samba]:
    """A running server that shares ``folder``, which exists. Raises SambaAbsent."""
    for name in ("smbd", "pdbedit"):
        _program(name)
    # Short, since the server's sockets lie in it and their paths may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="smb", ignore_cleanup_errors=True) as home:
        server = Samba(Path(home), folder, options)
        server.start()
        try:
            yield server
        finally:
            server.kill()


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise SambaAbsent(f"{name} is not installed (apt-get install samba)")
    return found


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
