"""Memory is given out before it is used: work that finds too little of it waits, then is refused.

One process has one budget. Whoever works on pictures takes the whole share that was foretold for
them at once and gives it back at the end; so nobody holds one part while waiting for another.
"""

from __future__ import annotations

import os
import resource
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Condition
from types import TracebackType

from shared.errors import Busy

WAIT_S = 2.0
"""How long a request waits for its share: as long as a client is told to before it asks again."""

SHARE_OF_ALL = 0.6
"""What pictures may have of the memory that there is: the rest is for bodies, the interpreter and
its libraries, and for what the prediction gets wrong."""

SHARE_OF_BODIES = 0.25
"""What the bodies of all requests may have of it, from their first byte to their answer."""

SPARE_ADDRESSES = 328 << 20
"""Of a limited address space: threads' stacks, what libraries map later, and 128 MB that helpers
share with this process."""

_CGROUP = Path("/sys/fs/cgroup")
_V1 = _CGROUP / "memory" / "memory.limit_in_bytes"
_OWN_CGROUPS = Path("/proc/self/cgroup")
_STATM = Path("/proc/self/statm")


class Share:
    """Memory that was given out. Leaving the ``with`` block, or `release`, gives it back."""

    def __init__(self, memory: Memory, size: int) -> None:
        self._memory = memory
        self.size = size

    def release(self) -> None:
        """Give it back; a second time is harmless."""
        size, self.size = self.size, 0
        self._memory._give_back(size)

    def __enter__(self) -> Share:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class Memory:
    """A budget in bytes, for all threads of a process. First come, first served.

    More than the whole budget is never given: who asks for it gets all there is, alone.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._free = budget
        self._shares = 0
        self._changed = Condition()
        self._queue: deque[object] = deque()

    def take(self, need: int, wait_s: float | None = None) -> Share:
        """``need`` bytes. Raises Busy where they are not free in ``wait_s``; None: waits on."""
        need, turn = min(need, self.budget), object()
        with self._changed:
            self._queue.append(turn)
            try:
                if not self._changed.wait_for(lambda: self._is_due(turn, need), wait_s):
                    raise Busy
                self._free -= need
                self._shares += need > 0
            finally:
                self._queue.remove(turn)
                self._changed.notify_all()
        return Share(self, need)

    def take_at_once(self, need: int) -> Share | None:
        """``need`` bytes, or None where they are not free now or somebody waits."""
        try:
            return self.take(need, 0)
        except Busy:
            return None

    def take_beside(self, need: int) -> Share | None:
        """``need`` bytes that only pay while others work: None where no two shares are out.

        None too where they are not free now or somebody waits.
        """
        return self.take_at_once(need) if self._shares > 1 else None

    def _is_due(self, turn: object, need: int) -> bool:
        return not need or (self._queue[0] is turn and need <= self._free)

    def _give_back(self, size: int) -> None:
        with self._changed:
            self._free += size
            self._shares -= size > 0
            self._changed.notify_all()


def budget() -> int:
    """The bytes that pictures may take in this process, by the system's limits as they are now."""
    share = int(allowed() * SHARE_OF_ALL)
    addresses = resource.getrlimit(resource.RLIMIT_AS)[0]
    if addresses == resource.RLIM_INFINITY:
        return share
    mapped = int(_STATM.read_text().split()[0]) * resource.getpagesize()
    return min(share, max(addresses - mapped - SPARE_ADDRESSES, 0))


def allowed() -> int:
    """The bytes that the system allows this process: the least of its limits."""
    limits = [os.sysconf("SC_PHYS_PAGES") * resource.getpagesize(), *_of_cgroups()]
    addresses = resource.getrlimit(resource.RLIMIT_AS)[0]
    return min(limits if addresses == resource.RLIM_INFINITY else [*limits, addresses])


def _of_cgroups() -> Iterator[int]:
    """The limits of the control groups that this process is in."""
    files = [_V1]
    with suppress(OSError):
        for line in _OWN_CGROUPS.read_text().splitlines():
            own = _CGROUP / line.rpartition(":")[2].strip("/")
            files += [folder / "memory.max" for folder in (own, *own.parents)]
    for file in files:
        with suppress(OSError, ValueError):  # not there, or "max"
            yield int(file.read_text())
