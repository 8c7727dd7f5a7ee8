"""What is made of each artwork, in two processes, and kept until its key changes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from types import ModuleType

from benchmarks.quality import artwork, cache, overlay, recode, reshape, tone, transforms
from benchmarks.quality.drawing import Drawing, Pixels

PROCESSES = 2

_CHANGING = (transforms, recode, reshape, tone, overlay)


@dataclass(frozen=True)
class Job:
    """One artwork, changed or not, to make something of."""

    drawing: Drawing
    transform: str = ""


@dataclass(frozen=True)
class Maker:
    """Makes one line of text of pixels.

    ``code``: what the line depends on, as modules, each with the functions that count.
    """

    name: str
    make: Callable[[Pixels], str]
    code: tuple[tuple[ModuleType, *tuple[str, ...]], ...]

    @property
    def version(self) -> str:
        return cache.digest(*(cache.code(*part) for part in self.code))


def kept(name: str, jobs: Sequence[Job], maker: Maker) -> list[str]:
    """A line for each job, from the cache or made now."""
    key = cache.digest(
        maker.version,
        *map(cache.code, _CHANGING),
        *((job.drawing.key, job.transform) for job in jobs),
    )
    return cache.lines(f"{name}.{maker.name}", key, lambda: list(made(name, jobs, maker.make)))


def made(name: str, jobs: Sequence[Job], make: Callable[[Pixels], str]) -> Iterator[str]:
    """A line for each job, in order, made now."""
    started = perf_counter()
    print(f"{name}: {len(jobs)} pictures ...", end="", flush=True, file=sys.stderr)
    with ProcessPoolExecutor(PROCESSES) as pool:
        yield from pool.map(_do, jobs, [make] * len(jobs), chunksize=16)
    print(f" {perf_counter() - started:.0f} s", file=sys.stderr)


def _do(job: Job, make: Callable[[Pixels], str]) -> str:
    pixels = artwork.load(job.drawing)
    if job.transform:
        pixels = transforms.apply(job.transform, pixels)
    return make(pixels)
