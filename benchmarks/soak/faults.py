"""What goes wrong: connections that break in a proxy, and workers that are killed."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock

from tests.proxy import Broken, Fault, Line

STALL_S = 15.0
"""Longer than a function waits for its database. Then both ends are told, as firewalls do."""
MESSAGES = 16
"""What the functions send to the database for an upload, on average, and a tenth more with a Samba
server: one of them is struck."""

KINDS = ("reset", "reply dropped", "stall", "reply stalled")
"""A message that is lost, one whose answer is lost, and both without anybody being told."""


class Faults:
    """Strikes the connections of any number of proxies. ``share``: uploads that are struck."""

    def __init__(self, share: float, seed: int) -> None:
        self.injected: Counter[str] = Counter()
        self.over = Event()
        """Set, stalls end and nothing more is struck."""
        self._share = share / MESSAGES
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._lock = Lock()

    def line(self) -> Line:
        return _Line(self)

    def next(self) -> str | None:
        """What befalls the next message, and mostly nothing does."""
        with self._lock:
            if self.over.is_set() or self._chance.random() >= self._share:
                return None
            kind = self._chance.choice(KINDS)
            self.injected[kind] += 1
            return kind


class _Line(Line):
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._reply: str | None = None
        """What befalls the answer to the last message."""

    def up(self, data: bytes) -> bytes:
        fault = self._faults.next()
        if fault in ("reset", "stall"):
            self._break(fault)
        self._reply = self._reply or fault
        return data

    def down(self, data: bytes) -> bytes:
        if self._reply is not None:
            self._break(self._reply)
        return data

    def _break(self, fault: str) -> None:
        if fault.endswith(("stall", "stalled")):
            self._faults.over.wait(STALL_S)
        raise Broken(Fault.RESET)


def kill_workers(server: int) -> int:
    """Kill the workers of a function, whose first process is ``server``; how many there were."""
    workers = children(server)
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    return len(workers)


def children(parent: int) -> list[int]:
    try:
        found = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in found.split()]
