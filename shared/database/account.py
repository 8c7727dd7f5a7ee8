"""Which user of the machine the embedded server runs as: PostgreSQL refuses to run as root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from shared.errors import DatabaseNotReady

_CAPABILITIES = ("dac_read_search", "dac_override")
"""What lets a user pass through folders of root's. The first one can only read, but containers
often have the second alone."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine, and how a process turns into it."""

    options: dict[str, Any] = field(default_factory=dict)
    """Of `subprocess.run`."""
    prefix: tuple[str, ...] = ()

    def run(
        self,
        command: Sequence[str | Path],
        *,
        output: int | IO[bytes] = subprocess.DEVNULL,
        data: Path | None = None,
        lend: Sequence[int] = (),
    ) -> bool:
        """Whether ``command``, run as this user, ends well.

        ``output`` takes what it writes. ``data`` becomes its PGDATA: as an argument of pg_ctl's it
        would pass through a shell. ``lend`` are descriptors that it and its children keep.
        """
        ended = subprocess.run(  # noqa: S603 - the commands are our own, and no shell reads them
            [*self.prefix, *command],
            **self.options,
            env={"PATH": os.defpath, "LC_ALL": "C"} | ({"PGDATA": str(data)} if data else {}),
            cwd="/",
            pass_fds=lend,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return ended.returncode == 0


def server_account(data: Path, program: Path) -> Account:
    """The user that ``program`` can run as on ``data``: oneself; for root, the folder's owner.

    Where folders of root's stand in that user's way (a home below ``/root``), it gets the
    capability to pass through them. Raises DatabaseNotReady when there is no way.
    """
    if os.geteuid() != 0:
        return Account()
    owner = data.stat()
    for account in _ways(owner.st_uid, owner.st_gid):
        with suppress(OSError):  # some containers' root can't turn into others
            if account.run(["/bin/sh", "-c", 'test -x "$0" && cd "$1"', program, data]):
                return account
    raise DatabaseNotReady(
        reason="as root it runs as the user 'nobody', who can't reach PLATEN_HOME or the program; "
        "set PLATEN_HOME to a folder that every user can enter"
    )


def _ways(uid: int, gid: int) -> Iterator[Account]:
    yield Account(options={"user": uid, "group": gid, "extra_groups": []})
    setpriv = shutil.which("setpriv")
    for capability in _CAPABILITIES if setpriv else ():
        yield Account(
            prefix=(
                str(setpriv),
                f"--reuid={uid}",
                f"--regid={gid}",
                "--clear-groups",
                # access(2) judges by the real user's rights; with this bit, by these too.
                "--securebits=+no_setuid_fixup",
                f"--inh-caps=+{capability}",
                f"--ambient-caps=+{capability}",
                "--",
            )
        )
