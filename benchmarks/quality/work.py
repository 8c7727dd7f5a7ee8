"""What is made of each artwork, in two processes, and kept until its key changes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from time import perf_counter
from types import ModuleType

from benchmarks.quality import artwork, cache, overlay, recode, reshape, tone, transforms
from benchmarks.quality.drawing import Drawing, Pixels

PROCESSES = 2
CHUNK = 32
"""Jobs that a process takes at once: copies of one artwork, which it reads once."""

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


def kept(name: str, jobs: Sequence[Job], *makers: Maker) -> list[list[str]]:
    """For each maker a line for each job, from the cache or made now, in one pass for all."""
    keys = [_key(jobs, maker) for maker in makers]
    names = [f"{name}.{maker.name}" for maker in makers]
    found = {at: cache.lines(names[at], keys[at]) for at in range(len(makers))}
    missing = [at for at, lines in found.items() if lines is None]
    if missing:
        every = list(made(name, jobs, [makers[at].make for at in missing]))
        for column, at in enumerate(missing):
            found[at] = [row[column] for row in every]
            cache.keep(names[at], keys[at], found[at])
    return list(found.values())


def made(
    name: str, jobs: Sequence[Job], makes: Sequence[Callable[[Pixels], str]]
) -> Iterator[list[str]]:
    """For each job, in order, a line of each kind, made now."""
    started = perf_counter()
    print(f"{name}: {len(jobs)} pictures ...", end="", flush=True, file=sys.stderr)
    with ProcessPoolExecutor(PROCESSES) as pool:
        yield from pool.map(_do, jobs, [makes] * len(jobs), chunksize=CHUNK)
    print(f" {perf_counter() - started:.0f} s", file=sys.stderr)


def _key(jobs: Sequence[Job], maker: Maker) -> str:
    return cache.digest(
        maker.version,
        *map(cache.code, _CHANGING),
        *((job.drawing.key, job.transform) for job in jobs),
    )


def _do(job: Job, makes: Sequence[Callable[[Pixels], str]]) -> list[str]:
    pixels = _read(job.drawing)
    if job.transform:
        pixels = transforms.apply(job.transform, pixels)
    return [make(pixels) for make in makes]


@lru_cache(maxsize=1)
def _read(drawing: Drawing) -> Pixels:
    return artwork.load(drawing)
