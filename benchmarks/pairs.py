"""Two ways to do the same, timed in turn: the ratio of each pair is what counts."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Callable
from time import perf_counter

PAIRS = 5
"""Counted pairs, after one to warm up."""


def machine() -> str:
    system = (
        f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    )
    return f"{system}, load {os.getloadavg()[0]:.1f}; {PAIRS} pairs each"


def head(names: str) -> str:
    return f"{names:44}{'other ms':>10}{'ours ms':>9}{'ratio':>8}{'least':>7}{'most':>7}"


def row(name: str, other: Callable[[], object], ours: Callable[[], object]) -> str:
    """One line of a table: medians in milliseconds, and how many times as long the other takes."""
    pairs = [(_ms(other), _ms(ours)) for _ in range(PAIRS + 1)][1:]
    theirs, mine = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratios = [one / two for one, two in pairs]
    return (
        f"{name:44}{theirs:>10.1f}{mine:>9.1f}{statistics.median(ratios):>8.2f}"
        f"{min(ratios):>7.2f}{max(ratios):>7.2f}"
    )


def _ms(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return (perf_counter() - started) * 1000
