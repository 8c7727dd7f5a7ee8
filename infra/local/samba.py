"""A private Samba server: the NAS of ``make run NAS=smb``.

The share's files and the account's password stay in ``samba/`` of PLATEN_HOME. What else the server
keeps is made anew each time, in a temporary folder: its sockets' paths may have 107 characters, and
two runs at once must not meet there. Nothing of the machine's own Samba is read or changed.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import click

from infra.local.processes import Processes

HOST = "127.0.0.1"
SHARE = "Graphics"

_START_S = 20
_PAUSE_S = 0.05

# The paths are those of the temporary folder alone: in others, % would start a variable of Samba's.
_CONFIGURATION = """
[global]
server role = standalone server
server min protocol = SMB3
server smb encrypt = required
interfaces = {host}
bind interfaces only = yes
smb ports = {port}
disable netbios = yes
disable spoolss = yes
load printers = no
log file = {place}/kept/log
max log size = 1000
passdb backend = tdbsam:{place}/passdb.tdb
private dir = {place}/private
lock directory = {place}/lock
state directory = {place}/state
cache directory = {place}/cache
pid directory = {place}/pid
ncalrpc dir = {place}/rpc

[{share}]
path = {place}/kept/{share}
read only = no
"""


@contextmanager
def samba(home: Path) -> Iterator[tuple[Processes, dict[str, str]]]:
    """A running server that keeps its files in ``home/samba``, and the settings that lead to it.

    The server ends with the context, or when this process is killed. Raises ClickException where
    Samba is not installed or does not start.
    """
    program, user = _program("smbd"), _user()
    kept = _kept(home)
    with tempfile.TemporaryDirectory(prefix="platen-smb-", ignore_cleanup_errors=True) as temporary:
        port = _free_port()
        configuration = _configure(Path(temporary), kept, port)
        _add_account(configuration, user, (kept / "password").read_text())
        with Processes() as servers:
            # In the foreground, smbd watches its standard input and ends with that.
            command = [program, "--foreground", "--no-process-group", f"-s{configuration}"]
            servers.start("samba", command)
            _await(servers, port, kept / "log")
            url = f"smb://{quote(user, safe='')}@{HOST}:{port}/{SHARE}"
            yield servers, {"NAS_URL": url, "NAS_PASSWORD_FILE": str(kept / "password")}


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise click.ClickException(
            f"NAS=smb needs the program {name} of the package samba: apt-get install samba"
        )
    return found


def _user() -> str:
    """The name of this process's user: who the server's files belong to."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise click.ClickException(
            "NAS=smb needs a user that has a name on this machine"
        ) from error


def _kept(home: Path) -> Path:
    """The folder of what stays: the share and the password, which is made once."""
    folder = home / "samba"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / SHARE).mkdir(exist_ok=True)
    descriptor, new = tempfile.mkstemp(dir=folder)  # with mode 0600
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(24))
    with suppress(FileExistsError):
        os.link(new, folder / "password")
    Path(new).unlink()
    return folder


def _free_port() -> int:
    """Any that is free, not the next one: smbd would share a port with another run's."""
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def _configure(place: Path, kept: Path, port: int) -> Path:
    """Write the server's configuration to its folder ``place``; the file's path."""
    for name in ("private", "lock", "state", "cache", "pid", "rpc"):
        (place / name).mkdir()
    (place / "kept").symlink_to(kept)
    configuration = place / "smb.conf"
    text = _CONFIGURATION.format(host=HOST, port=port, share=SHARE, place=place)
    configuration.write_text(text)
    return configuration


def _add_account(configuration: Path, user: str, password: str) -> None:
    command = [_program("pdbedit"), f"-s{configuration}", "-a", "-t", "-u", user]
    ended = subprocess.run(  # noqa: S603 - our own arguments
        command, input=f"{password}\n{password}\n", capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise click.ClickException(f"Samba takes no account: {ended.stderr.strip()}")


def _await(servers: Processes, port: int, log: Path) -> None:
    """Return when the server takes connections."""
    give_up = time.monotonic() + _START_S
    while servers.ended() is None and time.monotonic() < give_up:
        with suppress(OSError):
            socket.create_connection((HOST, port), timeout=1).close()
            return
        time.sleep(_PAUSE_S)
    raise click.ClickException(f"Samba does not start; {log} says why")
