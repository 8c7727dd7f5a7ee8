"""What each way to search finds, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from benchmarks.search.crowd import Hashes, Random, turned
from benchmarks.search.ways import Way

KINDS = {"0 to 15 bits": (0, 15), "15 bits": (15, 15), "16 to 31 bits": (16, 31)}
"""Copies by how many of their bits are turned over, drawn evenly."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A hash that is looked for, and the design that it is a copy of; none is a new design."""

    hash: str
    design: str | None


def copies(random: Random, library: Hashes, count: int, least: int, most: int) -> list[Copy]:
    """Copies of some of the library's designs: any of their bits turned over."""
    chosen = library[random.choice(len(library), count, replace=False)]
    near = turned(random, chosen, random.integers(least, most + 1, count))
    return [
        Copy(one.tobytes().hex(), design.tobytes().hex())
        for one, design in zip(near, chosen, strict=True)
    ]


def unseen(hashes: Hashes) -> list[Copy]:
    return [Copy(hash_.tobytes().hex(), None) for hash_ in hashes]


@dataclass(frozen=True, slots=True)
class Searched:
    """Milliseconds of each search, and the share of the copies whose design was found."""

    times: list[float]
    recall: float

    def quantile(self, share: float) -> float:
        return float(np.quantile(self.times, share))


def searched(way: Way, asked: list[Copy]) -> Searched:
    times, found = [], 0
    for copy in asked:
        started = perf_counter()
        hashes = way(copy.hash)
        times.append((perf_counter() - started) * 1000)
        found += copy.design in hashes
    return Searched(times, found / len(asked))


def pairs(ours: Way, other: Way, asked: list[Copy], count: int) -> Iterator[tuple[float, float]]:
    """Mean milliseconds (other, ours) of as many groups of the copies, searched for in turn."""
    for at in range(count):
        group = asked[at::count]
        yield (
            float(np.mean(searched(other, group).times)),
            float(np.mean(searched(ours, group).times)),
        )
