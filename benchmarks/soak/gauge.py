"""What the processes hold while they work: memory, descriptors, threads, connections."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import monotonic

import sqlalchemy as sa

from benchmarks.soak.faults import children

EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Held:
    """By one function's processes, together."""

    memory_mb: float
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Sample:
    at_s: float
    """Since the first one."""
    held: Mapping[str, Held]
    """Of those whose processes all lived while they were looked at."""
    connections: int
    """Of all of them to the database."""


class Gauge:
    """Takes a sample every second or so, on a thread of its own. ``pids``: first processes."""

    def __init__(self, pids: Mapping[str, int], engine: sa.Engine) -> None:
        self.samples: list[Sample] = []
        self._pids = pids
        self._engine = engine
        self._over = Event()
        self._thread = Thread(target=self._run, name="gauge")

    def __enter__(self) -> Gauge:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        started = monotonic()
        while not self._over.wait(EVERY_S):
            held = {}
            for name, pid in self._pids.items():
                with suppress(OSError):  # one was killed meanwhile
                    held[name] = held_by([pid, *children(pid)])
            self.samples.append(Sample(monotonic() - started, held, self._connections()))

    def _connections(self) -> int:
        with self._engine.connect() as connection:
            return int(connection.execute(_CONNECTIONS).scalar_one())


def held_by(pids: Sequence[int]) -> Held:
    """Raises OSError where one of them is no more."""
    memory_kb = threads = descriptors = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text()
        memory_kb += _number(status, "VmRSS:")
        threads += _number(status, "Threads:")
        descriptors += sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return Held(memory_kb / 1000 * 1.024, descriptors, threads)


def at(samples: Sequence[Sample], name: str, share: float) -> Held | None:
    """What a function held when that share of the samples had been taken, 0 to 1."""
    own = [sample.held[name] for sample in samples if name in sample.held]
    return own[min(int(len(own) * share), len(own) - 1)] if own else None


def slope(
    samples: Sequence[Sample], of: Callable[[Sample], float | None], since: float = 0.5
) -> float:
    """How fast something grows, an hour: least squares over the samples from a share on.

    0 where there are less than three.
    """
    later = samples[int(len(samples) * since) :]
    points = [(sample.at_s / 3600, value) for sample in later if (value := of(sample)) is not None]
    if len(points) < 3:
        return 0.0
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def _number(status: str, name: str) -> int:
    """A line's number; a process that has just ended has no memory any more."""
    return int((status.partition(name)[2].split() or ["0"])[0])


_CONNECTIONS = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
