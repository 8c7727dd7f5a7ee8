"""The moment by which an operation ends, whatever the network does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadline:
    """A moment ``seconds`` from now, on a clock that is never set back."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.restart()

    def restart(self) -> None:
        """Begin again: the next step has the whole time."""
        self._end = time.monotonic() + self._seconds

    @property
    def remaining(self) -> float:
        """Seconds left; 0 when it is over."""
        return max(0.0, self._end - time.monotonic())

    @property
    def over(self) -> bool:
        return self.remaining == 0

    @contextmanager
    def guard(self, cut: Callable[[], None]) -> Iterator[None]:
        """Call ``cut`` from another thread when the deadline passes within the block."""
        watchdog = threading.Timer(self.remaining, cut)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()
