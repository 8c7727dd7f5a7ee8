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

    def end(self) -> None:
        """End all of them and their children: on request, and after the grace by force."""
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_S
        while self._signal(0) and time.monotonic() < deadline:
            time.sleep(_PAUSE_S)
        self._signal(signal.SIGKILL)
        for process in self._started.values():
            # Its standard input is closed along the way.
            process.communicate()

    def _signal(self, number: int) -> int:
        """Send a signal to each group that has a process left; how many there are."""
        left = 0
        for process in self._started.values():
            process.poll()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
                left += 1
        return left

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()


def _end(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
