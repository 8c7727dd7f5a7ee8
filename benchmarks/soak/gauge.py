"""What the processes hold while they work: memory, descriptors, threads, connections."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic

import sqlalchemy as sa

from benchmarks.soak.faults import children

EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Held:
    """By one function's processes together, or the driver's one."""

    memory_mb: float
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Sample:
    at_s: float
    """Since the first one."""
    held: Mapping[str, Held]
    """Of those whose processes all lived while they were looked at; the driver's always."""
    connections: int
    """Of all of them to the database."""


@contextmanager
def measured(servers: Mapping[str, int], engine: sa.Engine) -> Iterator[list[Sample]]:
    """Samples, one every second or so until the end. ``servers``: each function's first process.

    ``driver`` is this process. Raises what kept samples from being taken.
    """
    samples: list[Sample] = []
    over = Event()

    def run() -> None:
        started = monotonic()
        while not over.wait(EVERY_S):
            held = {}
            for name, pid in servers.items():
                with suppress(OSError):  # one was killed meanwhile
                    held[name] = held_by([pid, *children(pid)])
            held["driver"] = held_by([os.getpid()])
            samples.append(Sample(monotonic() - started, held, _connections(engine)))

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(run)
        try:
            yield samples
        finally:
            over.set()
        running.result()


def held_by(pids: Sequence[int]) -> Held:
    """Raises OSError where one of them is no more."""
    memory_kb = threads = descriptors = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text()
        memory_kb += _number(status, "VmRSS:")
        threads += _number(status, "Threads:")
        descriptors += sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    return Held(memory_kb / 1000 * 1.024, descriptors, threads)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """How fast something grows, an hour, by least squares. ``points``: when, in seconds, and what.

    0 where there are less than three.
    """
    if len(points) < 3:
        return 0.0
    return statistics.linear_regression(*zip(*points, strict=True)).slope * 3600


def _connections(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(_CONNECTIONS).scalar_one())


def _number(status: str, name: str) -> int:
    """A line's number; a process that has just ended has no memory any more."""
    return int((status.partition(name)[2].split() or ["0"])[0])


_CONNECTIONS = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
