"""The embedded server's folder: whose its files are, whether root or someone else made them.

PLATEN_HOME/postgres/      its maker's: locks, log, the record of a temporary socket folder
PLATEN_HOME/postgres/data  the user's that the server runs as; nobody else may enter
"""

from __future__ import annotations

import os
import pwd
from contextlib import suppress
from pathlib import Path

from shared.errors import DatabaseNotReady


def make_folder(folder: Path) -> None:
    """Make the server's folder where it is missing.

    Raises OSError, and DatabaseNotReady when the folder is another user's.
    """
    root = os.geteuid() == 0
    with suppress(FileExistsError):
        folder.mkdir(parents=True)
        # A server of root's runs as another user, who must pass through on the way to its data.
        folder.chmod(0o711 if root else 0o700)
    if not root and folder.stat().st_uid != os.geteuid():
        raise DatabaseNotReady(
            reason="PLATEN_HOME holds another user's database; set PLATEN_HOME to another folder"
        )


def make_private(path: Path, folder: Path) -> None:
    """Make a folder for the server that belongs to ``folder``. Raises as `give` does."""
    path.mkdir(mode=0o700)
    give(path, folder)


def give(path: Path, folder: Path) -> None:
    """Where root made ``path``, give it to ``folder``'s owner, or if that is root, to ``nobody``.

    Raises OSError, and DatabaseNotReady where the machine has no such user.
    """
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(path, *((owner.st_uid, owner.st_gid) if owner.st_uid else _nobody()))


def open_owned(path: Path) -> int:
    """Descriptor of a file to append to; it is its folder's owner's even where root made it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise DatabaseNotReady(reason="there is no user 'nobody'; don't run as root") from None
    return entry.pw_uid, entry.pw_gid
