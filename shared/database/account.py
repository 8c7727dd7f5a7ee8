"""Which user of the machine the embedded server runs as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from shared.errors import DatabaseNotReady

NOBODY = "nobody"

_CAPABILITIES = ("dac_read_search", "dac_override")
"""What lets ``nobody`` pass through folders of root's: the first can only read, but containers
often have the second alone."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine, and how root turns into it."""

    uid: int
    gid: int
    options: dict[str, Any] = field(default_factory=dict)
    """Of `subprocess.run`."""
    prefix: tuple[str, ...] = ()

    @classmethod
    def own(cls) -> Self:
        return cls(os.geteuid(), os.getegid())

    def run(
        self,
        command: Sequence[str | Path],
        *,
        output: int | IO[bytes] = subprocess.DEVNULL,
        data: Path | None = None,
        lend: Sequence[int] = (),
    ) -> bool:
        """Whether ``command``, run as this user, ends well.

        ``output`` takes what it writes. ``data`` becomes its PGDATA: a path on pg_ctl's command
        line would pass through a shell. ``lend`` are descriptors that it and its children keep.
        """
        return (
            subprocess.run(  # noqa: S603 - the commands are ours, without a shell
                [*self.prefix, *command],
                **self.options,
                env={"PATH": os.defpath, "LC_ALL": "C"} | ({"PGDATA": str(data)} if data else {}),
                cwd="/",
                pass_fds=lend,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
            == 0
        )


def server_account(folder: Path, program: Path) -> Account:
    """The user that ``program`` can run as on ``folder``: oneself; for root, the folder's owner.

    Where folders of root's stand in that user's way (a home below ``/root``), it gets the
    capability to pass through them. Raises DatabaseNotReady when there is no way.
    """
    if os.geteuid() != 0:
        return Account.own()
    owner = folder.stat()
    for account in _ways(owner.st_uid, owner.st_gid):
        if account.run(["/bin/sh", "-c", 'test -x "$0" && cd "$1"', program, folder]):
            return account
    raise DatabaseNotReady(
        reason="as root it runs as the user 'nobody', who can't reach PLATEN_HOME or the program; "
        "set PLATEN_HOME to a folder that every user can enter"
    )


def make_folder(folder: Path) -> None:
    """The server's folder, for its user's eyes only: for root, one that ``nobody`` owns.

    Raises DatabaseNotReady when it can't be made or is another user's.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat().st_uid
        if os.geteuid() == 0 and owner == 0:
            os.chown(folder, *_nobody())
    except OSError as error:
        raise DatabaseNotReady(
            reason="the folder PLATEN_HOME can't be written; set PLATEN_HOME to another one"
        ) from error
    if os.geteuid() not in (0, owner):
        raise DatabaseNotReady(
            reason="PLATEN_HOME holds another user's database; set PLATEN_HOME to another folder"
        )


def open_owned(path: Path) -> int:
    """Descriptor of a file to append to; it is its folder's owner's even where root made it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
    return descriptor


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam(NOBODY)
    except KeyError:
        raise DatabaseNotReady(reason="there is no user 'nobody'; don't run as root") from None
    return entry.pw_uid, entry.pw_gid


def _ways(uid: int, gid: int) -> Iterator[Account]:
    yield Account(uid, gid, {"user": uid, "group": gid, "extra_groups": []})
    setpriv = shutil.which("setpriv")
    if setpriv:
        for capability in _CAPABILITIES:
            # access(2) asks for the real user's rights; no_setuid_fixup makes it count these too.
            yield Account(
                uid,
                gid,
                prefix=(
                    setpriv,
                    f"--reuid={uid}",
                    f"--regid={gid}",
                    "--clear-groups",
                    "--securebits=+no_setuid_fixup",
                    f"--inh-caps=+{capability}",
                    f"--ambient-caps=+{capability}",
                    "--",
                ),
            )
