"""How long each step took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter


class Clock:
    """Collects the wall time of named steps in milliseconds; a step met twice adds up."""

    def __init__(self) -> None:
        self.timings_ms: dict[str, float] = {}
        self._started = perf_counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = perf_counter()
        try:
            yield
        finally:
            self.add(name, (perf_counter() - started) * 1000)

    def add(self, name: str, milliseconds: float) -> None:
        self.timings_ms[name] = round(self.timings_ms.get(name, 0.0) + milliseconds, 3)

    def total(self) -> dict[str, float]:
        """The steps so far, and ``total`` since the clock was made."""
        return {**self.timings_ms, "total": round((perf_counter() - self._started) * 1000, 3)}
