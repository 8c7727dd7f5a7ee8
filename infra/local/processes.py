"""Child processes that live and die together."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

GRACE_S = 10
"""Seconds from the request to end to the end by force: requests under way have 8."""
KILLED_S = 2
"""Seconds that the system has to take away what was ended by force."""

_PAUSE_S = 0.05


class Processes:
    """Commands that run side by side until the context is left.

    Each leads a session of its own: a terminal's Ctrl-C reaches this process alone, which asks
    the others to end in order. Standard input of each is a pipe that only this process holds; its
    end tells them when this process was killed.
    """

    def __init__(self) -> None:
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str], *, lend: int | None = None) -> None:
        """Start ``command``. ``lend`` is a descriptor that it keeps."""
        kept = () if lend is None else (lend,)
        self._started[name] = subprocess.Popen(  # noqa: S603 - the commands are our own
            command, stdin=subprocess.PIPE, pass_fds=kept, start_new_session=True
        )

    def ended(self) -> str | None:
        """How the first one that is no more ended, in words; None while all run."""
        for name, process in self._started.items():
            if (status := process.poll()) is not None:
                return f"{name} {_end(status)}"
        return None

    def pid(self, name: str) -> int:
        """The process that ``name`` was started as: the first of its group."""
        return self._started[name].pid

    def end(self) -> None:
        """End all of them and their children: on request, and after the grace by force."""
        groups = set(self._started.values())
        for number, patience_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, KILLED_S)):
            deadline = time.monotonic() + patience_s
            groups = _signalled(groups, number)
            while groups and time.monotonic() < deadline:
                time.sleep(_PAUSE_S)
                groups = _signalled(groups, 0)
        for process in self._started.values():
            # Its standard input is closed along the way.
            process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def _signalled(groups: set[subprocess.Popen[bytes]], number: int) -> set[subprocess.Popen[bytes]]:
    """Signal the processes' groups; those of which somebody is left."""
    left = set()
    for leader in groups:
        leader.poll()
        with suppress(ProcessLookupError):
            os.killpg(leader.pid, number)
            left.add(leader)
    return left


def _end(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
